"""The report of an audit: tables, a text, a page, a gate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kdlib.audit.averages import Averages
from kdlib.audit.gate import GateResult, decide
from kdlib.audit.limits import Limit, parse_limit, read_limits
from kdlib.files import write_atomically
from kdlib.metrics import PairedGains


@dataclass(frozen=True)
class Report:
    """What an audit found. Accuracies are in per cent, gains in percentage points.

    Attributes:
        by_class: one row a class.
        by_group: one row a group; empty without groups.
        overall: mean, balanced and worst-k accuracy.
        cumulative: the gain of the k first classes, for every k.
        buckets: margin and log-loss by bucket of classes.
        confident_errors: what the teacher is sure of and wrong; empty without a teacher.
        weights: the trust a_y of each class from dev examples, or None.
        finding: one sentence: harm found, no harm, or cannot tell.
        advice: sentences, each with its rule.
        notes: what else the reader must know: groups that are too small, what intervals cover.
        baseline: the role that the student is compared with.
        order: what the order of the classes goes by.
        confidence: of intervals; tests are at 1 minus that.
        examples: N.
        seeds: trainings behind the differences.
    """

    by_class: pd.DataFrame
    by_group: pd.DataFrame
    overall: pd.DataFrame
    cumulative: pd.DataFrame
    buckets: pd.DataFrame
    confident_errors: pd.DataFrame
    weights: NDArray[np.float64] | None
    finding: str
    advice: list[str]
    notes: list[str]
    baseline: str
    order: str
    confidence: float
    examples: int
    seeds: int
    class_gains: PairedGains = field(repr=False)
    group_gains: PairedGains | None = field(repr=False)
    mean: PairedGains = field(repr=False)
    balanced: Averages = field(repr=False)
    testable_classes: NDArray[np.bool_] = field(repr=False)
    testable_groups: NDArray[np.bool_] = field(repr=False)

    @property
    def names(self) -> list[str]:
        """Of the classes."""
        return list(self.by_class["name"])

    def gate(self, *limits: str | Limit, file: str | Path | None = None) -> GateResult:
        """Whether losses beyond limits are established, excluded, or neither.

        Args:
            limits: such as ``worst-class:-1.0``, ``mean:-0.5`` or ``group=sex=Female:-2``.
            file: a TOML file with more of them; see ``kdlib.audit.limits.read_limits``.

        Raises:
            SettingError: a limit is no such text, or of a class or group that is not there.
            DataError: the file cannot be read.
        """
        asked = [one if isinstance(one, Limit) else parse_limit(one) for one in limits]
        return decide(self, asked + (read_limits(file) if file is not None else []))

    def text(self) -> str:
        """The report in a few lines."""
        from kdlib.audit.words import text_of

        return text_of(self)

    def as_dict(self, gate: GateResult | None = None) -> dict[str, Any]:
        """Everything in plain Python, for JSON: no NaN, None in its place."""
        from kdlib.audit.exports import as_dict

        return as_dict(self, gate)

    def json(self, path: str | Path, gate: GateResult | None = None) -> None:
        """Write everything to a JSON file."""
        from kdlib.audit.exports import json_of

        write_atomically(Path(path), json_of(self, gate).encode())

    def html(self, path: str | Path, gate: GateResult | None = None) -> None:
        """Write one page that needs no other file and no network."""
        from kdlib.audit.page import page_of

        write_atomically(Path(path), page_of(self, gate).encode())

    @property
    def charts(self) -> dict[str, Any]:
        """Altair charts by name.

        Raises:
            SettingError: Altair is not installed.
        """
        from kdlib.audit.charts import charts_of

        return charts_of(self)

    def _repr_html_(self) -> str:
        from kdlib.audit.page import body_of

        return body_of(self, None)


def lost(frame: pd.DataFrame, verdict: str) -> Sequence[str]:
    """Names with a verdict, the largest loss first."""
    chosen = frame[frame["verdict"] == verdict].sort_values("gain", kind="stable")
    return list(chosen["name"])
