"""What a page says of a difference that the paper prints too: one rule for the whole book.

In order:

1. Fewer than three seeds, or seeds that are all equal, have no interval: *undecided here*.
2. Our p-value is above 5 % after Holm's correction for all comparisons that stand together:
   *undecided here*.
3. The paper prints exactly zero: *no change in the paper*.
4. The paper's own 95 % interval holds zero, where it has one: *undecided in the paper*.
5. Both have a direction: *as in the paper*, or *unlike the paper*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from math import isnan

import numpy as np
import pandas as pd

from kdbook.compare import LEVEL
from kdbook.published.numbers import Row
from kdlib.errors import SettingError
from kdlib.metrics import holm


class Beside(StrEnum):
    """What our difference says of a printed one."""

    AS = "as in the paper"
    UNLIKE = "unlike the paper"
    UNDECIDED = "undecided here"
    NO_CHANGE = "no change in the paper"
    UNDECIDED_THERE = "undecided in the paper"


def beside_paper(
    ours: pd.DataFrame | Sequence[Row], printed: Sequence[float | Row]
) -> list[Beside]:
    """The rule of this module's docstring, for comparisons that stand together on a page.

    Args:
        ours: one row per comparison: ``mean``, ``low`` and ``high`` over seeds, in percentage
            points, and ``p_holm`` or ``holm`` where more comparisons than these were corrected for,
            or else ``p``, which is corrected here for all rows.
        printed: the printed difference of each row, or a row of ``mean``, ``low`` and ``high``
            with the paper's own interval.

    Raises:
        SettingError: the rows have no p-value.
    """
    rows = pd.DataFrame(list(ours) if not isinstance(ours, pd.DataFrame) else ours)
    each = (row for _, row in rows.iterrows())
    pairs = zip(each, corrected(rows), printed, strict=True)
    return [direction(row, float(p), value) for row, p, value in pairs]


def corrected(rows: pd.DataFrame) -> np.ndarray:
    """The corrected p-value of each row, ``[n]``.

    Raises:
        SettingError: the rows have no p-value.
    """
    for name in ("p_holm", "holm"):
        if name in rows:
            return rows[name].to_numpy(dtype=float)
    if "p" not in rows:
        raise SettingError("the rows have no p-value: take them of compare.paired_differences")
    return np.asarray(holm(rows["p"]))


def direction(ours: Row, p: float, printed: float | Row) -> Beside:
    """The rule for one comparison, whose p-value is corrected already."""
    if isnan(ours["low"]) or isnan(p) or p > LEVEL:
        return Beside.UNDECIDED
    value, low, high = _ends(printed)
    if value == 0:
        return Beside.NO_CHANGE
    if low <= 0 <= high:
        return Beside.UNDECIDED_THERE
    return Beside.AS if (ours["mean"] > 0) == (value > 0) else Beside.UNLIKE


def _ends(printed: float | Row) -> tuple[float, float, float]:
    """Value and interval in print; without an interval the comparison of its ends is false."""
    if isinstance(printed, Mapping | pd.Series):
        return float(printed["mean"]), float(printed["low"]), float(printed["high"])
    return float(printed), float("nan"), float("nan")
