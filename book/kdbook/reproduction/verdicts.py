"""The rule by which a published number and ours are compared. No verdict is given by hand.

A **difference** between two methods is compared by its sign, at any scale. Its size, and the plain
accuracy of a method without a teacher, are compared only in the paper's own setting: the same data
set, imbalance, network, number of epochs and schedule. In order:

1. Where the paper prints that training diverges: ``BOTH_DIVERGE`` if at least half of our seeds
   did, else ``DIFFERS``.
2. Where ours diverged in at least half of the seeds: ``DIFFERS``. In fewer: ``UNDECIDED``.
3. One seed has no interval: ``UNDECIDED``.
4. A plain accuracy outside the paper's setting: ``NO_VERDICT``. In it, ``OVERLAP`` if the intervals
   meet, else ``DIFFERS``.
5. Our 95 % interval of the difference holds zero: ``UNDECIDED``, whatever is printed.
6. The signs differ, or a difference of exactly zero is printed: ``DIFFERS``.
7. In the paper's setting, and the intervals meet: ``OVERLAP``. Else ``SAME_SIGN``.

Where the paper prints no uncertainty, its interval is the printed value alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isnan, nan


class Verdict(StrEnum):
    """What the rule says of one published number."""

    OVERLAP = "same sign and overlapping intervals"
    SAME_SIGN = "same sign"
    BOTH_DIVERGE = "both diverge"
    DIFFERS = "differs"
    UNDECIDED = "undecided"
    NO_VERDICT = "no verdict"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Printed:
    """What the paper prints: a difference, or the accuracy of a method without a teacher.

    Attributes:
        value: percentage points or percent; NaN where training diverges in print.
        spread: the printed ±, 0 where there is none.
        is_difference: whether a sign can be compared.
    """

    value: float
    spread: float = 0.0
    is_difference: bool = True

    @property
    def diverges(self) -> bool:
        """Whether the paper prints that training diverges."""
        return isnan(self.value)


@dataclass(frozen=True)
class Measured:
    """What we measured for the same question.

    Attributes:
        mean: over seeds, percentage points or percent; NaN if a seed diverged.
        low: lower end of its 95 % t-interval; NaN for one seed.
        high: upper end.
        seeds: how many.
        diverged: in how many of them a training diverged.
        papers_setting: the paper's data set, imbalance, network, epochs and schedule.
    """

    mean: float = nan
    low: float = nan
    high: float = nan
    seeds: int = 0
    diverged: int = 0
    papers_setting: bool = False


Ruling = tuple[Verdict, str]
"""A verdict, and in a few words why."""


def judge(printed: Printed, ours: Measured) -> Ruling:
    """Apply the rule of this module's docstring."""
    if printed.diverges or ours.diverged:
        return _on_divergence(printed, ours)
    if isnan(ours.low):
        return Verdict.UNDECIDED, "one seed: no interval"
    return _on_difference(printed, ours) if printed.is_difference else _on_value(printed, ours)


def _on_divergence(printed: Printed, ours: Measured) -> Ruling:
    where = "" if ours.papers_setting else ", in another setting"
    because = f"training diverged in {ours.diverged} of {ours.seeds} seeds here{where}"
    if 2 * ours.diverged >= ours.seeds:
        return (Verdict.BOTH_DIVERGE if printed.diverges else Verdict.DIFFERS), because
    return (Verdict.DIFFERS if printed.diverges else Verdict.UNDECIDED), because


def _on_value(printed: Printed, ours: Measured) -> Ruling:
    if not ours.papers_setting:
        return Verdict.NO_VERDICT, "another setting, and no difference to compare"
    if _meet(printed, ours):
        return Verdict.OVERLAP, "the intervals meet"
    return Verdict.DIFFERS, "the intervals do not meet"


def _on_difference(printed: Printed, ours: Measured) -> Ruling:
    if ours.low <= 0 <= ours.high:
        return Verdict.UNDECIDED, "our interval holds zero"
    if printed.value == 0:
        return Verdict.DIFFERS, "printed as exactly zero, and ours is not"
    if (printed.value > 0) != (ours.mean > 0):
        return Verdict.DIFFERS, "the signs differ"
    if not ours.papers_setting:
        return Verdict.SAME_SIGN, "another setting: only the signs are compared"
    if _meet(printed, ours):
        return Verdict.OVERLAP, "the intervals meet"
    return Verdict.SAME_SIGN, "the intervals do not meet"


def _meet(printed: Printed, ours: Measured) -> bool:
    return (
        printed.value - printed.spread <= ours.high and ours.low <= printed.value + printed.spread
    )
