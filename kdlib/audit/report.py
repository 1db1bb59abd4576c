"""The report of an audit: tables, a text, a page, a gate."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kdlib.audit.findings import Findings
from kdlib.audit.gate import GateResult, decide
from kdlib.audit.limits import Limit, parse_limit, read_limits
from kdlib.files import write_atomically


@dataclass(frozen=True)
class Report(Findings):
    """What an audit found, as a text, a page, JSON, charts or a gate; see ``Findings``."""

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

    def __repr__(self) -> str:
        """The text, as a session shows it: the tables alone fill pages."""
        return self.text()

    def _repr_html_(self) -> str:
        from kdlib.audit.page import body_of

        return body_of(self, None)
