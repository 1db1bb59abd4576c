"""The numbers that the two papers print, one row per number, and how sure the papers are of them.

Those of "Teacher's pet" are of its anonymous submission to ICLR 2022. The article in TMLR, which
appeared later, may print others.

``paper_numbers.csv`` holds 1,268 rows. Its columns: paper (``teachers_pet`` or
``robust_distillation``), section, table, dataset, teacher, student, method, teacher_objective,
student_objective, validation_labels, alpha_t, alpha_s, subgroup, metric, value (percent, or
percentage points for differences), uncertainty, uncertainty_kind, note.

*Robust distillation* prints standard errors of 10 runs on CIFAR and of 5 elsewhere (its section
E.2.2), and of 5 in supplementary Tables 4 and 5. *Teacher's pet* prints a spread in Table 4 only
and does not say what it is; we read the standard deviation of three runs, which fits two of its
rows. Its Table 3 says nothing, but worst classes of a third of a percent, with 100 test images per
class, are means of three runs. All other numbers of it are taken for those of a single run.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from math import hypot, isnan, nan, sqrt
from typing import Any

import pandas as pd
from scipy.special import stdtrit

from kdlib.errors import SettingError
from kdlib.metrics import FEWEST_REPEATS, PERCENT, POINTS, error_interval
from kdlib.names import choices


@cache
def _all() -> pd.DataFrame:
    with files("kdbook.published").joinpath("paper_numbers.csv").open() as stream:
        return pd.read_csv(stream)


def published(**wanted: str) -> pd.DataFrame:
    """The printed numbers whose columns equal ``wanted``, e.g. ``published(table="Table 3")``.

    Raises:
        SettingError: an unknown column, or a value that no row has.
    """
    rows = _all()
    for column, value in wanted.items():
        if column not in rows.columns:
            raise SettingError(f"unknown column {column!r}: {choices(column, rows.columns)}")
        rows = rows[rows[column] == value]
        if rows.empty:
            raise SettingError(f"no published number with {column} = {value!r} among those left")
    return rows.reset_index(drop=True)


DATASETS = {
    "adult": "Adult",
    "cifar10": "CIFAR-10",
    "cifar10_lt": "CIFAR-10-LT",
    "cifar100": "CIFAR-100",
    "cifar100_lt": "CIFAR-100-LT",
    "imagenet": "ImageNet",
    "imagenet100": "ImageNet-100",
    "imagenet_lt": "ImageNet-LT",
    "inaturalist2018": "iNaturalist 2018",
    "tinyimagenet": "TinyImageNet",
    "tinyimagenet_lt": "TinyImageNet-LT",
}
"""The data sets of both papers in words."""


def printed_grid(
    rows: pd.DataFrame, methods: Mapping[str, str], metrics: Mapping[str, str]
) -> pd.DataFrame:
    """Printed numbers with a row per method and a column per metric; NaN where none is printed.

    Args:
        rows: of ``published``, one per method and metric.
        methods: those that are wanted, in their order, and their names.
        metrics: likewise.
    """
    wide = rows.pivot(index="method", columns="metric", values="value")
    wide = wide.reindex(index=list(methods), columns=list(metrics))
    return wide.rename(index=methods, columns=metrics)


Row = Mapping[str, Any] | pd.Series
"""A row of ``kdbook.published.published``."""

_OF_FIVE = ("Supp Table 4", "Supp Table 5")
_OF_THREE = (("Table 3", "cifar100"), ("Table 3", "cifar100_lt"), ("Table 4", "cifar100"))


def runs_behind(row: Row) -> int:
    """Of how many runs a printed number is the mean; 1 where nothing tells."""
    if row["paper"] == "teachers_pet":
        return 3 if (row["table"], row["dataset"]) in _OF_THREE else 1
    on_cifar = str(row["dataset"]).startswith("cifar")
    return 10 if on_cifar and row["table"] not in _OF_FIVE else 5


def standard_error(row: Row) -> float:
    """The standard error of a printed mean; NaN where none is printed, or an exact 0."""
    printed = float(row["uncertainty"])
    if isnan(printed) or not printed:
        return nan
    if row["uncertainty_kind"] == "stderr":
        return printed
    return printed / sqrt(runs_behind(row) - 1)  # a population standard deviation


def printed_interval(row: Row) -> dict[str, float]:
    """A printed percentage with its 95 % t-interval: mean, low, high, which are NaN without one."""
    value, error = float(row["value"]), standard_error(row)
    found = error_interval(value, error, runs_behind(row), scale=PERCENT)
    return {"mean": found.mean, "low": found.low, "high": found.high}


def printed_difference(one: Row, other: Row) -> dict[str, float]:
    """The difference of two printed means with its 95 % interval, Welch's, as if unpaired.

    Returns:
        mean (percentage points), low and high, which are NaN unless both have an error and three
        runs or more.
    """
    mean = float(one["value"]) - float(other["value"])
    half = _reach([(standard_error(row), runs_behind(row)) for row in (one, other)])
    low, high = (nan, nan) if isnan(half) else POINTS.cut(mean, half)
    return {"mean": mean, "low": low, "high": high}


def _reach(parts: list[tuple[float, int]]) -> float:
    """Half of Welch's interval from the error of each mean and its runs."""
    if any(isnan(error) or runs < FEWEST_REPEATS for error, runs in parts):
        return nan
    whole = hypot(*(error for error, _ in parts))
    freedom = whole**4 / sum(error**4 / (runs - 1) for error, runs in parts)
    return float(stdtrit(freedom, 0.975) * whole)
