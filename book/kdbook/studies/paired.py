"""Differences of two methods within a seed, over a grid of settings, with Holm's correction."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from kdbook.studies.tables import with_intervals
from kdlib import metrics


def paired_rows(
    table: pd.DataFrame, value: str, pair: tuple[str, str], by: Sequence[str]
) -> pd.DataFrame:
    """The first of ``pair`` minus the second, one row for each place and seed that both have.

    Args:
        table: one row a run, with ``method``, ``seed`` and the columns of ``by``.
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
