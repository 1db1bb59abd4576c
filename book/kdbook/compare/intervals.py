"""Means and differences over seeds, with intervals and Holm's correction.

The name of a column says what its numbers can be, so that an interval keeps to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from kdlib import metrics
from kdlib.errors import SettingError
from kdlib.metrics import (
    DIFFERENCE,
    NOT_NEGATIVE,
    PERCENT,
    POINTS,
    SHARE,
    SHARE_DIFFERENCE,
    SIGNED,
    Scale,
)

SCALES = {
    "accuracy": PERCENT,
    "mean": PERCENT,
    "balanced": PERCENT,
    "dev": PERCENT,
    "best_tenth": PERCENT,
    "rarest": PERCENT,
    "first_half": PERCENT,
    "second_half": PERCENT,
    "off_label": PERCENT,
    "off_label_rarest": PERCENT,
    "sample": PERCENT,
    "train_error": PERCENT,
    "repeated": PERCENT,
    "repeated_confident": PERCENT,
    "corrected": PERCENT,
    "belief": PERCENT,
    "belief_fitted": PERCENT,
    "difference": POINTS,
    "gain": POINTS,
    "gap": POINTS,
    "bias": POINTS,
    "mix": SHARE,
    "agreement": SIGNED,
    "correlation": SIGNED,
    "correlation_percent": Scale("a correlation in percent", -100.0, 100.0, resolution=1e-3),
    "margin": SIGNED,
    "margin_rarest": SIGNED,
    "log_loss": NOT_NEGATIVE,
    "rarest_log_loss": NOT_NEGATIVE,
    "log_loss_rarest": NOT_NEGATIVE,
    "entropy": NOT_NEGATIVE,
    "calibration_error": NOT_NEGATIVE,
}
"""Scales by column. A difference of anything but percentages needs a scale of its own."""

_PERCENT_STARTS = ("worst_", "class_", "top_", "delta", "validation", "select_")


def scale_of(column: str) -> Scale:
    """The scale of a column, by its name.

    Raises:
        SettingError: the name does not tell.
    """
    if column.startswith(_PERCENT_STARTS):
        return PERCENT
    if column not in SCALES:
        raise SettingError(
            f"column {column!r} does not tell what its numbers can be: give their scale, "
            "one of kdlib.metrics (PERCENT, POINTS, SHARE, FREE, ...)"
        )
    return SCALES[column]


def difference_scale_of(column: str) -> Scale:
    """The scale of differences within that column, by its name.

    Raises:
        SettingError: the name does not tell.
    """
    return {PERCENT: POINTS, SHARE: SHARE_DIFFERENCE}.get(scale_of(column), DIFFERENCE)


def with_intervals(
    table: pd.DataFrame, value: str, by: Sequence[str], scale: metrics.Scale | None = None
) -> pd.DataFrame:
    """Mean of ``value`` over seeds in each group of ``by``, with its 95 % t-interval.

    Args:
        table: one row per seed and group.
        value: the column to average.
        by: columns that name a group.
        scale: what its numbers can be, so that intervals keep to it; by default what the name of
            the column says (``kdbook.compare``).

    Returns:
        Columns: ``by``, and as ``over_seeds``: mean, low, high, seeds; for differences also ``p``.

    Raises:
        SettingError: the name of the column does not tell the scale, or a value lies outside of it.
    """
    known = scale or scale_of(value)
    groups = table.groupby(list(by), dropna=False, sort=False)[value]
    return pd.DataFrame([_keyed(by, key) | over_seeds(values, known) for key, values in groups])


def over_seeds(values: Any, scale: metrics.Scale) -> dict[str, Any]:
    """Mean of one value per seed with its 95 % t-interval: mean, low, high, seeds.

    For a difference also ``p``: of the paired t-test that its mean is zero, not corrected.
    """
    interval = metrics.t_interval(values, scale=scale)
    found = {"mean": interval.mean, "low": interval.low, "high": interval.high, "seeds": interval.n}
    return found | ({"p": metrics.paired_p_value(values, scale)} if scale.is_difference else {})


def paired_differences(
    table: pd.DataFrame,
    value: str,
    baseline: str,
    by: Sequence[str] = ("imbalance",),
    scale: metrics.Scale | None = None,
) -> pd.DataFrame:
    """Each method minus ``baseline``, seed by seed, averaged over seeds with a t-interval.

    Pairs share the seed, the subset, the initial weights and the data order. ``by`` are the columns
    that both must agree on, and ``scale`` what the differences can be; by default the name of the
    column tells. Columns: method, temperature, ``by``, mean, low, high, seeds, p (of the paired
    t-test, not corrected).
    """
    keys = [*by, "seed"]
    base = table[table["method"] == baseline].set_index(keys)[value].rename("base")
    others = table[table["method"] != baseline].join(base, on=keys, how="inner")
    others = others.assign(difference=others[value] - others["base"])
    keys = ["method", "temperature", *by]
    return with_intervals(others, "difference", keys, scale or difference_scale_of(value))


def _keyed(by: Sequence[str], key: object) -> dict[str, Any]:
    return dict(zip(by, key if isinstance(key, tuple) else (key,), strict=True))


def paired_rows(
    table: pd.DataFrame, value: str, pair: tuple[str, str], by: Sequence[str]
) -> pd.DataFrame:
    """The first of ``pair`` minus the second, one row for each place and seed that both have.

    Args:
        table: one row per run, with ``method``, ``seed`` and the columns of ``by``.
        value: the column to subtract.
        pair: a method and its baseline, as the column ``method`` names them.
        by: columns that both must agree on, beside the seed.

    Returns:
        Columns: ``by``, seed, difference. A place where one of the two diverged is left out.

    Raises:
        pandas.errors.MergeError: a method has two rows for one place and seed.
    """
    keys = [*by, "seed"]
    first, second = (table.loc[table["method"] == method, [*keys, value]] for method in pair)
    both = first.merge(second, on=keys, validate="one_to_one")
    rows = both[keys].assign(difference=both[f"{value}_x"] - both[f"{value}_y"])
    return rows.dropna(subset="difference").reset_index(drop=True)


def with_holm(
    differences: pd.DataFrame, by: Sequence[str], scale: metrics.Scale | None = None
) -> pd.DataFrame:
    """Mean difference in each group of ``by`` with its interval and its p-value, corrected.

    Args:
        differences: as ``paired_rows`` gives them.
        by: columns that name a comparison.
        scale: of the differences; by default percentage points.

    Returns:
        Columns: ``by``, mean, low, high (95 % t-interval, not corrected), seeds, p (paired t-test),
        p_holm (Holm's correction over all rows of the result).
    """
    rows = with_intervals(differences, "difference", by, scale)
    return rows.assign(p_holm=metrics.holm(rows["p"]))
