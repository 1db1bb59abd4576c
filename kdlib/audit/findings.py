"""What an audit finds, for all that writes it down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kdlib.audit.averages import Averages
from kdlib.metrics import PairedGains


@dataclass(frozen=True)
class Findings:
    """What an audit found. Accuracies are in per cent, gains in percentage points.

    Attributes:
        by_class: one row per class.
        by_group: one row per group; empty without groups.
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


def lost(frame: pd.DataFrame, verdict: str) -> Sequence[str]:
    """Names with a verdict, the largest loss first."""
    chosen = frame[frame["verdict"] == verdict].sort_values("gain", kind="stable")
    return list(chosen["name"])
