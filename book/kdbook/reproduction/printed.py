"""What the paper prints, as something that can be compared."""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, isnan, nan

from kdbook.published import Row, printed_difference, runs_behind, standard_error
from kdlib.metrics import PERCENT, POINTS, Scale


@dataclass(frozen=True)
class Printed:
    """A difference, or the accuracy of a method that differences are taken from.

    Attributes:
        value: percentage points or percent; NaN where training diverges in print.
        is_difference: whether a sign can be compared.
        runs: of how many runs it is the mean; of a difference, each of its two sides.
        error: its standard error; NaN where none is printed.
        low: lower end of the paper's own 95 % interval of a difference; NaN where it has none.
        high: upper end.
        on_floor: whether all that is printed is an accuracy of 0.
    """

    value: float
    is_difference: bool = True
    runs: int = 1
    error: float = nan
    low: float = nan
    high: float = nan
    on_floor: bool = False

    @property
    def diverges(self) -> bool:
        """Whether the paper prints that training diverges."""
        return isnan(self.value)

    @property
    def scale(self) -> Scale:
        """What the number can be."""
        return POINTS if self.is_difference else PERCENT


def as_value(row: Row) -> Printed:
    """A row of ``kdbook.published`` by its value."""
    return Printed(
        float(row["value"]),
        is_difference=False,
        runs=runs_behind(row),
        error=standard_error(row),
        on_floor=row["value"] == 0,
    )


def as_difference(row: Row) -> Printed:
    """A row that is printed as a difference."""
    return Printed(float(row["value"]), runs=runs_behind(row))


def less(row: Row, base: Row) -> Printed:
    """One printed accuracy less another."""
    value = round(float(row["value"]) - float(base["value"]), 6)  # as decimals, not as fractions
    own = printed_difference(row, base)
    return Printed(
        value,
        runs=min(runs_behind(row), runs_behind(base)),
        error=hypot(standard_error(row), standard_error(base)),
        low=own["low"],
        high=own["high"],
        on_floor=row["value"] == base["value"] == 0,
    )
