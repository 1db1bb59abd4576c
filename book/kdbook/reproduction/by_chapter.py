"""What a chapter claims, on CIFAR first: the paper's number, ours on its data, ours on digits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np

from kdbook.chapters import STUDIES
from kdbook.compare import LEVEL
from kdbook.records import Record
from kdbook.reproduction.blocks import all_records
from kdbook.reproduction.claims import CLAIMS, Claim, claim_lines
from kdbook.reproduction.levels import Level
from kdbook.reproduction.lines import Line
from kdbook.reproduction.mapping import BLOCKS
from kdbook.reproduction.verdicts import Verdict
from kdlib.errors import SettingError
from kdlib.metrics import FEWEST_REPEATS, holm
from kdlib.names import choices

LABORATORY = "digits"


@dataclass(frozen=True)
class Beside:
    """A claim about CIFAR, and what was measured of it.

    Attributes:
        claim: of one of the papers.
        compared: the effect that it prints, in points; NaN where its training diverges.
        on_cifar: the line of ``kdbook.reproduction.lines`` on the paper's own data, or ``None``
            where there is no record of it.
        on_digits: the same of the chapter's own study on digits, or of another that answers it.
        sign: of the change on digits: 1 or -1 where it is significant after correction for the
            chapter's claims, else 0.
        other_length: the line of a block of another length on the paper's own data, where there is
            one of enough seeds.
    """

    claim: Claim
    compared: float
    on_cifar: Line | None
    on_digits: Line | None
    sign: int = 0
    other_length: Line | None = None

    @property
    def sign_on_cifar(self) -> int:
        """1 or -1 where it is significant after correction for all claims, else 0."""
        line = self.on_cifar
        return 0 if line is None else _sign(line, line.get("p_holm", np.nan))

    @property
    def as_printed(self) -> int:
        """The sign of the printed effect; 0 where its training diverges."""
        return 0 if np.isnan(self.compared) else int(np.sign(self.compared))

    @property
    def verdict(self) -> Verdict:
        """On the paper's own data."""
        return Verdict.NOT_RUN if self.on_cifar is None else Verdict(self.on_cifar["verdict"])


def chapters() -> list[str]:
    """The chapters that claim something about CIFAR, in the order of the papers' claims."""
    return list(dict.fromkeys(name for claim in CLAIMS for name in claim.chapters))


def beside_cifar(chapter: str, records: Sequence[Record] | None = None) -> list[Beside]:
    """The chapter's claims about CIFAR, in the order of their paper.

    Args:
        chapter: the name of its page, e.g. ``rare_classes``.
        records: by default all that the book has.

    Raises:
        SettingError: the chapter claims nothing about CIFAR.
    """
    if chapter not in chapters():
        raise SettingError(f"no claim on CIFAR in {chapter!r}: {choices(chapter, chapters())}")
    lines = _book_lines() if records is None else claim_lines(records)
    found = [
        Beside(
            claim,
            mine[0]["compared"],
            _on_cifar(mine),
            _on_digits(mine, chapter),
            other_length=_of_another_length(mine),
        )
        for number, claim in enumerate(CLAIMS)
        if chapter in claim.chapters
        for mine in [[line for line in lines if line["number"] == number]]
    ]
    return _signed(found)


@cache
def _book_lines() -> list[Line]:
    return claim_lines(all_records())


def _on_cifar(lines: Sequence[Line]) -> Line | None:
    own = (Level.SAME_SETTING.value, Level.SAME_DATA.value)
    return next((line for line in lines if line["leading"] and line["evidence"] in own), None)


def _of_another_length(lines: Sequence[Line]) -> Line | None:
    """Of a planned block with enough seeds, where one of another length leads."""
    planned = [line for line in lines if line.get("study") == BLOCKS]
    first = next((line for line in planned if line["leading"]), None)
    found = (line for line in planned if first and line["setting"] != first["setting"])
    return next((line for line in found if line["seeds"] >= FEWEST_REPEATS), None)


def _on_digits(lines: Sequence[Line], chapter: str) -> Line | None:
    """The chapter's own record where it has one, else the first."""
    mine = [line for line in lines if line.get("trained_on") == LABORATORY]
    return min(mine, key=lambda line: not _is_of(line, chapter), default=None)


def _is_of(line: Line, chapter: str) -> bool:
    return STUDIES.get(line["study"], "").rpartition("/")[2] == chapter


def _signed(found: Sequence[Beside]) -> list[Beside]:
    """With the signs on digits, corrected for the claims that stand together."""
    p = [np.nan if row.on_digits is None else row.on_digits.get("p", np.nan) for row in found]
    tested = [place for place, value in enumerate(p) if not np.isnan(value)]
    corrected = dict(zip(tested, holm([p[place] for place in tested]), strict=True))
    return [
        replace(row, sign=_sign(row.on_digits, corrected.get(place)))
        for place, row in enumerate(found)
    ]


def _sign(line: Line | None, p: Any) -> int:
    if line is None or p is None or np.isnan(p) or p > LEVEL:
        return 0
    return int(np.sign(line["mean"]))
