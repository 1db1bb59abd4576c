"""Accuracy of groups that several attributes define together, for example label by sex."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from kdlib.errors import SettingError
from kdlib.metrics._inputs import warn_empty

_RESULTS = ("count", "accuracy")


def group_accuracy(
    frame: pd.DataFrame,
    correct: str,
    by: str | Sequence[str],
    groups: Iterable[Any] | None = None,
) -> pd.DataFrame:
    """Count and accuracy of each combination of the columns ``by``.

    Args:
        frame: One row per example.
        correct: The column that says whether the prediction is right: True or False, 1 or 0.
        by: The columns that define the groups. A missing value is a group of its own,
            asked for with None.
        groups: The combinations to report, in this order: tuples of values as ``by`` orders
            the columns (bare values do for one column). None reports those that occur, sorted.
            ``itertools.product`` makes all combinations.

    Returns:
        The columns ``by``, then ``count`` and ``accuracy`` (from 0 to 1), one row per group. A
        group that was asked for and has no examples has count 0 and accuracy NaN, with an
        ``EmptyGroupWarning`` that names it.

    Raises:
        SettingError: A column is unknown or there twice, ``correct`` holds something else than
            right and wrong, or a group does not fit ``by``.
    """
    columns = [by] if isinstance(by, str) else list(by)
    _check_columns(frame, correct, columns)
    _check_correct(frame[correct], correct)
    table = _occurring(frame, correct, columns)
    return table if groups is None else _asked_for(table, columns, list(groups))


def _occurring(frame: pd.DataFrame, correct: str, columns: list[str]) -> pd.DataFrame:
    right = frame[correct].astype(float)
    grouped = right.groupby([frame[name] for name in columns], dropna=False, observed=True)
    return grouped.agg(count="size", accuracy="mean").reset_index()


def _asked_for(table: pd.DataFrame, columns: list[str], groups: list[Any]) -> pd.DataFrame:
    keys = [_key(group, columns) for group in groups]
    rows = table.itertuples(index=False, name=None)
    found = {_key(row[:-2], columns): row[-2:] for row in rows}
    results = [found.get(key, (0, np.nan)) for key in keys]
    warn_empty("group", [_name(columns, key) for key in keys if key not in found])
    asked = [(*key, *result) for key, result in zip(keys, results, strict=True)]
    return pd.DataFrame(asked, columns=[*columns, *_RESULTS])


def _key(group: Any, columns: list[str]) -> tuple[Any, ...]:
    key = tuple(group) if isinstance(group, tuple | list) else (group,)
    if len(key) != len(columns):
        raise SettingError(f"group {group!r} does not fit: expected values of {', '.join(columns)}")
    return tuple(None if pd.isna(value) else value for value in key)  # NaN never equals itself


def _name(columns: list[str], key: tuple[Any, ...]) -> str:
    pairs = zip(columns, key, strict=True)
    return "(" + ", ".join(f"{column}={value}" for column, value in pairs) + ")"


def _check_columns(frame: pd.DataFrame, correct: str, columns: list[str]) -> None:
    if not isinstance(frame, pd.DataFrame):
        raise SettingError(f"frame is of type {type(frame).__name__}: expected a pandas DataFrame")
    for name in (correct, *columns):
        if list(frame.columns).count(name) > 1:
            raise SettingError(f"column {name!r} is in the frame more than once")
        if name not in frame.columns:
            known = ", ".join(map(str, frame.columns))
            raise SettingError(f"column {name!r} is not in the frame: it has {known}")
    if not columns or len(set(columns)) < len(columns) or set(columns) & set(_RESULTS):
        raise SettingError(
            f"by = {columns!r} is not allowed: one or more different columns, "
            "none called count or accuracy"
        )


def _check_correct(values: pd.Series, name: str) -> None:
    if not values.isin([True, False]).all():
        raise SettingError(f"column {name!r} must hold True or False, 1 or 0, and nothing missing")
