"""Pairs of methods compared over seeds, with Holm's correction for how many pairs there are.

Within one measure the family of tests is all pairs that are handed in. So add the pairs that you
looked at, not only those that you show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from kdbook.studies.comparisons import Pair, compare
from kdlib.metrics import holm

LEVEL = 0.05
"""A difference stands where its corrected p-value is at most this."""


def compare_corrected(
    per_seed: pd.DataFrame, pairs: Sequence[Pair], wanted: Mapping[str, str]
) -> pd.DataFrame:
    """``kdbook.studies.comparisons.compare`` with p-values, corrected over the pairs.

    Args:
        per_seed: rows of ``kdbook.studies.tables.per_seed`` at one imbalance ratio.
        pairs: of a method and its baseline; all of them are one family of tests in each measure.
        wanted: from columns of ``per_seed`` to the words for them.

    Returns:
        One row a measure and pair, as ``compare`` gives them, with ``p`` (paired t-test),
        ``holm`` (corrected for the pairs of that measure) and ``holds`` (``holm`` at most 0.05).
        With fewer than three seeds ``p`` and ``holm`` are NaN and nothing holds.
    """
    rows = compare(per_seed, pairs, wanted)
    corrected = rows.groupby("measure", sort=False)["p"].transform(_holm)
    return rows.assign(holm=corrected, holds=corrected <= LEVEL)


def told(rows: pd.DataFrame) -> list[str]:
    """One sentence a row: the difference, and whether it outlives the correction."""
    return [_sentence(row, len(rows)) for _, row in rows.iterrows()]


def _sentence(row: pd.Series, family: int) -> str:
    if np.isnan(row["holm"]):
        return row["said"]
    fate = "stands" if row["holds"] else "does not stand"
    said = row["said"].removesuffix(".")
    return f"{said}; corrected for {family} comparisons p {_p(row['holm'])}: it {fate}."


def _p(value: float) -> str:
    if value < 0.001:
        return "< 0.001"
    return f"= {value:.3f}" if value < 0.1 else f"= {value:.2f}"


def _holm(p_values: pd.Series) -> np.ndarray:
    return np.asarray(holm(p_values.to_numpy()))
