"""Pairs of methods compared seed by seed, on the chapters' measures.

Within one measure the family of tests is all pairs that are handed in. So add the pairs that you
looked at, not only those that you show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from kdbook.compare import intervals
from kdbook.compare.intervals import difference_scale_of, paired_rows, with_holm
from kdbook.compare.words import change, named, p_said, signed
from kdlib.errors import SettingError
from kdlib.metrics import POINTS, Scale, holm
from kdlib.names import choices

Pair = tuple[str, str]
"""A method and its baseline, as ``kdbook.compare.method_name`` names them."""


def a_tenth(num_classes: int) -> int:
    """How many classes the chapters call the worst: a tenth of them, at least one."""
    return max(1, round(0.1 * num_classes))


def bucket_of(num_classes: int, num_buckets: int) -> np.ndarray:
    """The bucket, from 1, of each place ``[num_classes]``; sizes differ by one at most.

    Raises:
        SettingError: fewer than one bucket, or more buckets than classes.
    """
    if not 1 <= num_buckets <= num_classes:
        raise SettingError(
            f"buckets = {num_buckets} is not allowed: 1 to {num_classes}, the classes"
        )
    sizes = [len(part) for part in np.array_split(np.arange(num_classes), num_buckets)]
    return np.repeat(np.arange(1, num_buckets + 1), sizes)


def measures(num_classes: int) -> dict[str, str]:
    """The three measures of the chapters: columns of ``tables.per_seed`` and their names.

    The worst are the tenth of the classes with the lowest accuracy, at least one class.
    """
    k = a_tenth(num_classes)
    worst = "worst class" if k == 1 else f"worst {k} classes"
    return {"mean": "mean of the classes", "rarest": "rarest fifth", f"worst_{k}": worst}


def compare(
    per_seed: pd.DataFrame, pairs: Sequence[Pair], wanted: Mapping[str, str]
) -> pd.DataFrame:
    """Paired differences for several pairs and measures.

    Args:
        per_seed: rows of ``kdbook.tables.per_seed`` at one imbalance ratio.
        pairs: of a method and its baseline.
        wanted: measures, as ``measures`` gives them.

    Returns:
        One row per measure and pair: measure, comparison, mean, low, high (percentage points),
        seeds, p (of the paired t-test, not corrected), ``cell`` and ``said`` (the same as a cell
        and as a sentence).

    Raises:
        SettingError: a pair names a method that the rows do not have.
    """
    rows = [
        _comparison(per_seed, pair, key, name) for key, name in wanted.items() for pair in pairs
    ]
    return pd.DataFrame(rows)


def holm_by_class(per_class: pd.DataFrame, pair: Pair, value: str = "accuracy") -> pd.DataFrame:
    """The paired difference of two methods in every class, corrected for looking at all of them.

    Args:
        per_class: rows of ``kdbook.tables.per_class`` at one imbalance ratio.
        pair: of a method and its baseline.
        value: the column to compare.

    Returns:
        One row per class, by label: label, mean, low, high (95 % interval over seeds, percentage
        points, not corrected), seeds, ``p`` (paired t-test), ``p_holm`` (Holm's correction over the
        classes). With one seed the intervals and both p-values are NaN.
    """
    differences = paired_rows(named(per_class), value, pair, ["label"])
    ordered = differences.sort_values("label", kind="stable")
    return with_holm(ordered, ["label"], difference_scale_of(value))


def tested(rows: pd.DataFrame, names: Mapping[str, str]) -> pd.DataFrame:
    """Differences as a table to show: what is compared, points with interval, p after Holm.

    Args:
        rows: as ``compare_corrected`` or ``with_holm`` gives them.
        names: columns that say what is compared, and the words that head them.
    """
    corrected = rows["holm" if "holm" in rows else "p_holm"]
    found = rows[list(names)].rename(columns=dict(names))
    found[_POINTS] = [signed(row) for _, row in rows.iterrows()]
    found[_CORRECTED] = corrected.map(p_said)
    return found


def row_of(rows: pd.DataFrame, **where: object) -> pd.Series:
    """The first row whose columns have these values, e.g. ``row_of(rows, measure="mean")``.

    Raises:
        SettingError: there is none.
    """
    found = rows
    for column, value in where.items():
        left = found[found[column] == value]
        if left.empty:
            known = map(str, found[column].unique())
            raise SettingError(f"no row with {column} = {value!r}: {choices(str(value), known)}")
        found = left
    return found.iloc[0]


_POINTS, _CORRECTED = "points (95 % interval)", "p, corrected"


def mean_over_seeds(values: Sequence[float] | pd.Series, scale: Scale = POINTS) -> pd.Series:
    """As ``kdbook.compare.over_seeds``; by default of differences in percentage points."""
    return pd.Series(intervals.over_seeds(values, scale))


def _comparison(per_seed: pd.DataFrame, pair: Pair, key: str, name: str) -> dict[str, object]:
    method, baseline = pair
    table = named(per_seed).assign(temperature=0.0)  # named already: both must agree on it
    _check_known(pair, list(table["method"].unique()))
    both = table[table["method"].isin(pair)]
    row = intervals.paired_differences(both, key, baseline).iloc[0]
    said = f"From {baseline} to {method} it {change(row)}."
    kept = {column: row[column] for column in ("mean", "low", "high", "seeds", "p")}
    return {
        "measure": name,
        "comparison": _minus(method, baseline),
        **kept,
        "cell": signed(row),
        "said": said,
    }


def _check_known(pair: Pair, known: Sequence[str]) -> None:
    for name in pair:
        if name not in known:
            raise SettingError(f"no method {name!r} to compare: {choices(name, known)}")


def _minus(method: str, baseline: str) -> str:
    """The pair as a label; a temperature that both share is named once."""
    name, _, setting = method.partition(", ")
    shared = setting and baseline.endswith(f", {setting}")
    return f"{name if shared else method} − {baseline}"


LEVEL = 0.05
"""A difference is significant where its corrected p-value is at most this."""


def compare_corrected(
    per_seed: pd.DataFrame, pairs: Sequence[Pair], wanted: Mapping[str, str]
) -> pd.DataFrame:
    """``kdbook.compare.compare`` with p-values, corrected over the pairs.

    Args:
        per_seed: rows of ``kdbook.tables.per_seed`` at one imbalance ratio.
        pairs: of a method and its baseline; all of them are one family of tests in each measure.
        wanted: from columns of ``per_seed`` to the words for them.

    Returns:
        One row per measure and pair, as ``compare`` gives them, with ``p`` (paired t-test),
        ``holm`` (corrected for the pairs of that measure) and ``holds`` (``holm`` at most 0.05).
        With fewer than three seeds ``p`` and ``holm`` are NaN, and none is significant.
    """
    rows = compare(per_seed, pairs, wanted)
    corrected = rows.groupby("measure", sort=False)["p"].transform(_holm)
    return rows.assign(holm=corrected, holds=corrected <= LEVEL)


def _holm(p_values: pd.Series) -> np.ndarray:
    return np.asarray(holm(p_values.to_numpy()))
