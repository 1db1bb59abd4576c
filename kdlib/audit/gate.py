"""The gate: whether a loss beyond the limits is established, excluded, or neither.

Established means a one-sided test of a loss beyond the limit, Holm-corrected over all that the gate
looks at. Excluded means that the opposite test holds for each of them by itself: to claim that all
are fine needs no correction. What lies between cannot be told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from kdlib.audit.averages import Averages
from kdlib.audit.limits import Limit
from kdlib.errors import SettingError
from kdlib.metrics import PairedGains, holm
from kdlib.names import choices

if TYPE_CHECKING:
    from kdlib.audit.findings import Findings

Status = Literal["harm", "fine", "cannot tell"]
EXIT_CODES: dict[Status, int] = {"fine": 0, "harm": 1, "cannot tell": 2}
_MOST_NAMED = 5


@dataclass(frozen=True)
class Check:
    """What the data say of one limit.

    Attributes:
        limit: that was asked about.
        status: ``harm``, ``fine`` or ``cannot tell``.
        words: one line with names and numbers.
    """

    limit: Limit
    status: Status
    words: str


@dataclass(frozen=True)
class GateResult:
    """What the data say of all limits of a gate.

    Attributes:
        checks: one per limit.
    """

    checks: list[Check]

    @property
    def status(self) -> Status:
        """``harm`` if one limit is broken, ``fine`` if all hold for sure, else ``cannot tell``."""
        found = {check.status for check in self.checks}
        if "harm" in found:
            return "harm"
        return "cannot tell" if "cannot tell" in found else "fine"

    @property
    def exit_code(self) -> int:
        """0 for fine, 1 for harm, 2 where the data cannot tell."""
        return EXIT_CODES[self.status]

    def text(self) -> str:
        """One line per limit."""
        return "\n".join(f"{check.status}: {check.limit}: {check.words}" for check in self.checks)


@dataclass(frozen=True)
class Tested:
    """What one limit looks at: gains by name, in shares, with their one-sided tests.

    Attributes:
        names: of the classes, groups or averages.
        gain: their mean gains.
        low: lower ends of their intervals.
        high: upper ends.
        p_below: of the test that the gain is below the limit; NaN where nothing can show it.
        p_above: of the test that it is above; NaN where there are no examples.
    """

    names: Sequence[str]
    gain: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p_below: NDArray[np.float64]
    p_above: NDArray[np.float64]


def decide(report: Findings, limits: Sequence[Limit]) -> GateResult:
    """Look at all limits together.

    Raises:
        SettingError: there is no limit, or one is of a class or group that is not there.
    """
    if not limits:
        raise SettingError("the gate has no limit: give one, e.g. worst-class:-1.0")
    tested = [_tested(report, limit) for limit in limits]
    adjusted = _corrected_together([one.p_below for one in tested])
    level = 1 - report.confidence
    return GateResult(
        [
            _check(limit, one, below, level)
            for limit, one, below in zip(limits, tested, adjusted, strict=True)
        ]
    )


def _corrected_together(parts: Sequence[NDArray[np.float64]]) -> list[NDArray[np.float64]]:
    whole = np.concatenate(parts)
    known = ~np.isnan(whole)
    whole[known] = holm(whole[known])
    return np.split(whole, np.cumsum([len(part) for part in parts])[:-1])


def _tested(report: Findings, limit: Limit) -> Tested:
    share = limit.points / 100
    found: PairedGains | Averages
    names: Sequence[str]
    if limit.kind == "balanced":
        found, names, mask = report.balanced, ["all classes"], np.array([True])
    elif limit.kind == "mean":
        found, names, mask = report.mean, ["all examples"], np.array([True])
    elif limit.kind in ("worst-class", "class"):
        found, names, mask = report.class_gains, report.names, report.testable_classes
    else:
        found, names, mask = _groups(report, limit)
    below = np.where(mask, found.p_below(share), np.nan)
    whole = Tested(names, found.mean, found.low, found.high, below, found.p_above(share))
    return whole if limit.name is None else _one(whole, limit)


def _groups(report: Findings, limit: Limit) -> tuple[Any, Sequence[str], NDArray[np.bool_]]:
    if report.group_gains is None:
        raise SettingError(f"gate {limit} needs groups: there are none")
    return report.group_gains, list(report.by_group["name"]), report.testable_groups


def _one(whole: Tested, limit: Limit) -> Tested:
    if limit.name not in whole.names:
        raise SettingError(f"gate {limit}: {choices(str(limit.name), whole.names)}")
    place = [list(whole.names).index(str(limit.name))]
    columns = (whole.gain, whole.low, whole.high, whole.p_below, whole.p_above)
    return Tested([str(limit.name)], *(column[place] for column in columns))


def _check(limit: Limit, one: Tested, below: NDArray[np.float64], level: float) -> Check:
    broken = below <= level
    if broken.any():
        return Check(limit, "harm", "a larger loss is established for " + _listed(one, broken))
    open_ones = ~(one.p_above <= level)  # NaN, without examples, is open too
    if open_ones.any():
        words = "a larger loss is neither established nor excluded for "
        return Check(limit, "cannot tell", words + _listed(one, open_ones))
    return Check(limit, "fine", "a larger loss is excluded" + _for_each(len(one.names)))


def _for_each(number: int) -> str:
    return "" if number == 1 else f" for each of {number:,}"


def _listed(one: Tested, chosen: NDArray[np.bool_]) -> str:
    places = np.flatnonzero(chosen)
    lowest = places[np.argsort(one.low[places], kind="stable")]
    named = "; ".join(_described(one, int(place)) for place in lowest[:_MOST_NAMED])
    more = len(places) - _MOST_NAMED
    return named + (f"; and {more:,} more" if more > 0 else "")


def _described(one: Tested, place: int) -> str:
    if np.isnan(one.gain[place]):
        return f"{one.names[place]} (no examples)"
    gain, low, high = (100 * column[place] for column in (one.gain, one.low, one.high))
    return f"{one.names[place]} ({gain:+.1f} points, {low:+.1f} to {high:+.1f})"
