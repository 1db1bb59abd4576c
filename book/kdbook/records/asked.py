"""What a record needs to know of a study: ``kdbook.study.Study`` is one of these."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, Self

import pandas as pd

from kdbook.protocol import Paper
from kdbook.tables import Member
from kdlib.runs import RunResult, RunSpec


class Asked(Protocol):
    """A question at some settings, with the runs that answer it and the table made of them."""

    settings: Any

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def question(self) -> str: ...  # noqa: D102
    @property
    def blanks(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def trains(self) -> bool: ...  # noqa: D102
    @property
    def paper(self) -> Paper: ...  # noqa: D102
    @property
    def table(self) -> pd.DataFrame: ...  # noqa: D102

    def at(self, settings: Any) -> Self: ...  # noqa: D102
    def runs(self) -> list[RunSpec]: ...  # noqa: D102
    def row_members(self) -> list[Member]: ...  # noqa: D102
    def per_seed(self, results: Sequence[RunResult | None]) -> pd.DataFrame: ...  # noqa: D102
    def provenance(self) -> dict[str, Any]: ...  # noqa: D102
