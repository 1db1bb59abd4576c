"""What bucket tables say, in words and in cells, so that a page follows the numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kdbook.compare import LEVEL

_DIGITS = {"accuracy": 1, "log_loss": 2, "margin": 2}


def in_words(differences: pd.DataFrame) -> str:
    """Directions over the buckets: ``up in 9, down in 0, undecided in 1``.

    Args:
        differences: rows of ``class_buckets.bucket_differences`` of one comparison and statistic.
            A bucket is decided where its Holm-adjusted p-value is at most ``LEVEL``.
    """
    decided = differences["holm"] <= LEVEL
    up = int((decided & (differences["mean"] > 0)).sum())
    down = int((decided & (differences["mean"] < 0)).sum())
    return f"up in {up}, down in {down}, undecided in {len(differences) - up - down}"


def below_zero(intervals: pd.DataFrame) -> str:
    """Where a statistic is negative: ``below zero in 5 of 10 buckets (clearly so in 4)``.

    Args:
        intervals: rows of ``class_buckets.bucket_intervals`` of one method and statistic. It is
            clearly so where the 95 % interval lies below zero.
    """
    under, clearly = (int((intervals[column] < 0).sum()) for column in ("mean", "high"))
    return f"below zero in {under} of {len(intervals)} buckets (clearly so in {clearly})"


def cells(differences: pd.DataFrame) -> pd.DataFrame:
    """One row per comparison, one column per statistic: ``+1.2 (+0.3 to +2.1) *``.

    The star stands for a Holm-adjusted p-value below 0.05, where the frame has one. Give the rows
    of one bucket only.
    """
    rows = differences.assign(cell=[_cell(row) for _, row in differences.iterrows()])
    order = list(dict.fromkeys(rows["comparison"]))
    return rows.pivot(index="comparison", columns="statistic", values="cell").loc[order]


def _cell(row: pd.Series) -> str:
    digits = _DIGITS[row["statistic"]]
    if np.isnan(row["mean"]):
        return "a training diverged"
    mean, low, high = (f"{row[name]:+.{digits}f}" for name in ("mean", "low", "high"))
    if np.isnan(row["low"]):
        return mean
    return f"{mean} ({low} to {high})" + (" *" if row.get("holm", 1.0) <= LEVEL else "")
