"""Worst-k, top-k and Delta_k for every k, from accuracies by class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

import numpy as np
import pandas as pd

from kdbook.compare import with_intervals
from kdlib import metrics
from kdlib.errors import SettingError
from kdlib.metrics import PERCENT

MEASURES = {"worst": "worst k", "top": "top k", "delta": "mean − worst k"}
"""The three measures of the tables, as columns and in words."""
_MOST_STEPS = 100


def tail_measures(accuracy: np.ndarray, k: int) -> dict[str, float]:
    """``worst``, ``top`` and ``delta`` of the accuracies ``[L]`` at k; all NaN if one is."""
    if np.isnan(accuracy).any():
        return dict.fromkeys(MEASURES, float("nan"))
    return {
        "worst": float(metrics.worst_k(accuracy, k)),
        "top": float(metrics.top_fraction(accuracy, k / len(accuracy))),
        "delta": float(metrics.delta_k(accuracy, k)),
    }


def by_k(per_class: pd.DataFrame) -> pd.DataFrame:
    """The measures of every method at every k, averaged over seeds.

    Args:
        per_class: rows with ``method``, ``seed``, ``label`` and ``accuracy`` (percent), one ratio
            and one temperature per method.

    Returns:
        Columns method, k, measure (in words), mean, low, high, seeds. k goes from 1 to L in at
        most 100 equal steps.
    """
    rows = [
        {"method": method, "seed": seed, "k": k, "measure": MEASURES[name], "value": value}
        for method, seed, accuracy in _runs(per_class)
        for k in steps(len(accuracy))
        for name, value in tail_measures(accuracy, k).items()
    ]
    return with_intervals(pd.DataFrame(rows), "value", ["method", "k", "measure"], PERCENT)


def by_rank(per_class: pd.DataFrame) -> pd.DataFrame:
    """The accuracy of the class in each place, from the worst up, averaged over seeds.

    Every run is ranked by itself, so place 1 need not be the same class in two runs. The mean of
    the first k places is worst-k of ``by_k``.

    Returns:
        Columns method, rank (from 1), mean, low, high, seeds.
    """
    rows = [
        {"method": method, "seed": seed, "rank": rank, "value": value}
        for method, seed, accuracy in _runs(per_class)
        for rank, value in enumerate(np.sort(accuracy), start=1)
    ]
    return with_intervals(pd.DataFrame(rows), "value", ["method", "rank"], PERCENT)


def steps(num_classes: int) -> Sequence[int]:
    """The k that are shown: 1 to L, or equal steps where these are more than 100."""
    step = -(-num_classes // _MOST_STEPS)
    return range(step, num_classes + 1, step)


def _runs(per_class: pd.DataFrame) -> Iterator[tuple[str, int, np.ndarray]]:
    ordered = per_class.sort_values("label", kind="stable")
    for method in per_class["method"].unique():
        rows = ordered[ordered["method"] == method]
        for seed in rows["seed"].unique():
            yield str(method), int(seed), rows.loc[rows["seed"] == seed, "accuracy"].to_numpy()


DECIMALS = 2


def printable(value: float, images: int) -> bool:
    """Whether some whole number of right answers among ``images`` prints as ``value`` percent.

    Two decimals; a half may have been rounded either way.

    Args:
        value: printed percent, 0 to 100.
        images: number of test images, at least 1.

    Raises:
        SettingError: a value out of range.
    """
    if images < 1 or not 0 <= value <= 100:
        raise SettingError(f"value = {value!r}, images = {images!r}: 0 to 100, and 1 or more")
    nearest = round(value * images / 100)
    return any(_prints_as(right, images, value) for right in range(nearest - 1, nearest + 2))


def counts_behind(values: Iterable[float], largest: int = 5000) -> list[int]:
    """Every number of images, up to ``largest``, of which all ``values`` can be accuracies."""
    printed = list(values)
    return [n for n in range(1, largest + 1) if all(printable(value, n) for value in printed)]


def _prints_as(right: int, images: int, value: float) -> bool:
    if not 0 <= right <= images:
        return False
    exact, step = Decimal(100 * right) / images, Decimal(1).scaleb(-DECIMALS)
    printed = Decimal(str(value)).quantize(step)
    return printed in {exact.quantize(step, rule) for rule in (ROUND_HALF_EVEN, ROUND_HALF_UP)}
