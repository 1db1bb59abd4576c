"""The rule by which a published number and ours are compared. No verdict is given by hand.

A verdict needs the paper's own data set and measure. On other data ours says whether a mechanism is
at work, and nothing of the printed number. In order:

1. Other data: ``NO_VERDICT``.
2. Where training diverges in print, and in at least half of our seeds: ``BOTH_DIVERGE``. Where it
   diverges on one side only: ``DIFFERS`` in the paper's own setting, since rate and offset decide
   what diverges, and ``UNDECIDED`` in another. So also where fewer of our seeds diverged.
3. An accuracy of 0 less another of 0, in print or here: ``ON_THE_FLOOR``. So also 0 beside 0.
4. Fewer than three seeds, or seeds that are all equal, have no interval: ``UNDECIDED``.
5. The sign of a difference is compared as on every page (``kdbook.published``), with
   p-values that are corrected for all measurements: ``SAME_SIGN`` or ``DIFFERS``, else
   ``UNDECIDED``.
6. Where all else is as in the paper, the size is compared too: with the interval in which one more
   number should fall that came about as ours did (``kdlib.metrics.prediction_interval``). Inside, a
   decided sign ``AGREES``, and an undecided one is ``CONSISTENT``; a plain accuracy ``AGREES``.
   Outside, a decided sign is ``SAME_SIGN`` only, and all else ``DIFFERS``. A plain accuracy of
   another setting has ``NO_VERDICT``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import isnan, nan

from kdbook.published import Beside, direction
from kdbook.reproduction.levels import Level
from kdbook.reproduction.printed import Printed
from kdlib.metrics import FEWEST_REPEATS


class Verdict(StrEnum):
    """What the rule says of one published number."""

    AGREES = "agrees"
    CONSISTENT = "consistent"
    SAME_SIGN = "same sign"
    BOTH_DIVERGE = "both diverge"
    DIFFERS = "differs"
    UNDECIDED = "undecided"
    ON_THE_FLOOR = "on the floor"
    NO_VERDICT = "no verdict"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Measured:
    """What we measured for the same question.

    Attributes:
        level: of evidence.
        sizes: whether sizes can be compared, not only signs.
        mean: over seeds, percentage points or percent; NaN if a seed diverged.
        low: lower end of its 95 % interval; NaN where there is none.
        high: upper end.
        predicted_low: lower end of the interval in which the printed number should fall.
        predicted_high: upper end.
        seeds: how many.
        diverged: in how many of them a training diverged.
        p: that a difference is zero, corrected for all measurements; NaN where there is none.
        on_floor: whether all accuracies behind it are 0.
    """

    level: Level
    sizes: bool = False
    mean: float = nan
    low: float = nan
    high: float = nan
    predicted_low: float = nan
    predicted_high: float = nan
    seeds: int = 0
    diverged: int = 0
    p: float = nan
    on_floor: bool = False

    def predicts(self, printed: Printed) -> bool:
        """Whether the printed number falls where it should."""
        return self.predicted_low <= printed.value <= self.predicted_high


Ruling = tuple[Verdict, str]
"""A verdict, and in a few words why."""


def judge(printed: Printed, ours: Measured) -> Ruling:
    """Apply the rule of this module's docstring."""
    if ours.level is Level.MECHANISM:
        return Verdict.NO_VERDICT, "other data"
    if printed.diverges or ours.diverged:
        return _on_divergence(printed, ours)
    if _is_on_floor(printed, ours):
        return Verdict.ON_THE_FLOOR, "0 beside 0"
    if ours.seeds < FEWEST_REPEATS:
        return Verdict.UNDECIDED, "fewer than three seeds"
    return _on_difference(printed, ours) if printed.is_difference else _on_value(printed, ours)


def _on_divergence(printed: Printed, ours: Measured) -> Ruling:
    because = f"training diverged in {ours.diverged} of {ours.seeds} seeds here"
    here = 2 * ours.diverged >= ours.seeds
    if printed.diverges and here:
        return Verdict.BOTH_DIVERGE, because
    if not ours.sizes:
        return Verdict.UNDECIDED, f"{because}, in another setting"
    return (Verdict.DIFFERS if printed.diverges or here else Verdict.UNDECIDED), because


def _is_on_floor(printed: Printed, ours: Measured) -> bool:
    """Between two zeros there is nothing to see; of a value both sides must be 0."""
    if printed.is_difference:
        return printed.on_floor or ours.on_floor
    return printed.on_floor and ours.on_floor


def _on_value(printed: Printed, ours: Measured) -> Ruling:
    if not ours.sizes:
        return Verdict.NO_VERDICT, "an accuracy of another setting"
    if isnan(ours.predicted_low):
        return Verdict.UNDECIDED, "our seeds are all equal"
    if ours.predicts(printed):
        return Verdict.AGREES, "inside our prediction interval"
    return Verdict.DIFFERS, "outside our prediction interval"


def _on_difference(printed: Printed, ours: Measured) -> Ruling:
    row = {"mean": ours.mean, "low": ours.low, "high": ours.high}
    sign = direction(row, ours.p, {"mean": printed.value, "low": printed.low, "high": printed.high})
    if sign is Beside.UNLIKE:
        return Verdict.DIFFERS, "the signs differ"
    if sign is Beside.AS:
        return _with_same_sign(printed, ours)
    if not ours.sizes or isnan(ours.predicted_low):
        return Verdict.UNDECIDED, f"{sign}"
    if ours.predicts(printed):
        return Verdict.CONSISTENT, f"{sign}, and inside our prediction interval"
    return Verdict.DIFFERS, f"{sign}, but outside our prediction interval"


def _with_same_sign(printed: Printed, ours: Measured) -> Ruling:
    if not ours.sizes:
        return Verdict.SAME_SIGN, "another setting: only the signs are compared"
    if ours.predicts(printed):
        return Verdict.AGREES, "inside our prediction interval"
    return Verdict.SAME_SIGN, "outside our prediction interval"
