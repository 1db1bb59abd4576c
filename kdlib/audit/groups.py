"""Groups of examples: values of columns, columns crossed, and marks of which several may be set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kdlib.errors import DataError, SettingError
from kdlib.names import choices, first_twice, shown

MISSING = "(missing)"
MOST_GROUPS = 1000


@dataclass(frozen=True)
class Grouping:
    """A way to part the examples.

    Attributes:
        names: of its groups, such as ``sex=Female`` or ``sex=Female & age=old``.
        codes: the group of each example, ``[N]``; -1 for none.
    """

    names: list[str]
    codes: NDArray[np.int64]


def groupings(where: str, groups: Any, cross: Sequence[Sequence[str]], size: int) -> list[Grouping]:
    """One grouping per column, and one for each list of columns to cross.

    A column of True and False marks the members of one group, so that
    an example can be in several. A missing value is a group of its own.

    Args:
        where: the groups are from, for messages.
        groups: a table with one row per example: a DataFrame or a mapping of columns; or None.
        cross: lists of columns whose combinations are groups too.
        size: N.

    Raises:
        DataError: the table does not fit the examples, or a column holds no groups.
        SettingError: a column to cross is unknown.
    """
    if any(isinstance(names, str) for names in ([cross] if isinstance(cross, str) else cross)):
        raise SettingError(f"cross = {cross!r} is not allowed: lists of columns, [('sex', 'age')]")
    if groups is None:
        if cross:
            raise SettingError(f"cross = {list(cross)!r} needs groups: there are none")
        return []
    frame = _as_frame(where, groups, size)
    _check_columns(where, frame)
    columns = {shown(name): _column(where, shown(name), frame[name]) for name in frame.columns}
    single = [_marked(name, found) for name, found in columns.items()]
    return single + [_crossed(list(names), columns) for names in cross]


def _as_frame(where: str, groups: Any, size: int) -> pd.DataFrame:
    if isinstance(groups, pd.Series):
        groups = groups.to_frame(groups.name or "group")
    try:
        frame = groups if isinstance(groups, pd.DataFrame) else pd.DataFrame(groups)
    except (ValueError, TypeError):
        raise DataError(f"{where} is no table: expected columns with one value per row") from None
    if len(frame) != size:
        raise DataError(f"{where} has {len(frame)} rows: expected {size}, as there are labels")
    return frame.reset_index(drop=True)  # which the scores share, or which says nothing


def _check_columns(where: str, frame: pd.DataFrame) -> None:
    names = [shown(name) for name in frame.columns]
    twice = first_twice(names)
    if twice is not None:
        raise DataError(f"{where} has the column {twice!r} more than once")
    if not names:
        raise DataError(f"{where} has no columns: expected one or more groups")


def _column(where: str, name: str, values: pd.Series) -> tuple[list[str], NDArray[np.int64]]:
    """The column's values as text, in order, and which of them each row has."""
    _refuse_mixed(where, name, values)
    codes, found = _factorized(where, name, values)
    texts = [_text(value) for value in found]
    codes = np.asarray(codes, np.int64)
    if (codes < 0).any():
        codes = np.where(codes < 0, len(texts), codes)
        texts.append(MISSING)
    if len(texts) > MOST_GROUPS:
        raise DataError(
            f"{where}, column {name!r} has {len(texts):,} different values: allowed are "
            f"{MOST_GROUPS:,}; sort numbers into bins, or leave the column out"
        )
    return texts, codes


def _factorized(where: str, name: str, values: pd.Series) -> tuple[Any, Any]:
    try:
        return pd.factorize(values, sort=True, use_na_sentinel=True)
    except TypeError:  # lists, say, as Parquet can hold
        kind = type(values.dropna().iloc[0]).__name__
        raise DataError(
            f"{where}, column {name!r} holds {kind}: expected one value per row, text or a number"
        ) from None


def _refuse_mixed(where: str, name: str, values: pd.Series) -> None:
    if values.dtype != object:
        return
    kinds = values.dropna().map(lambda value: "text" if isinstance(value, str) else _kind(value))
    if kinds.nunique() > 1:
        row = int(np.flatnonzero((kinds != kinds.iloc[0]).to_numpy())[0])
        row = int(kinds.index[row])
        raise DataError(
            f"{where}, column {name!r}, row {row}: {values[row]!r} is {kinds[row]}, "
            f"before it is {kinds.iloc[0]}: expected one type per column"
        )


def _kind(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return "true or false"
    return "a number" if isinstance(value, int | float | np.number) else type(value).__name__


def _text(value: Any) -> str:
    whole = isinstance(value, float | np.floating) and float(value).is_integer()
    return str(int(value)) if whole else shown(value)


def _marked(name: str, column: tuple[list[str], NDArray[np.int64]]) -> Grouping:
    texts, codes = column
    if set(texts) <= {"True", "False"}:
        place = texts.index("True") if "True" in texts else -2
        return Grouping([name], np.where(codes == place, 0, -1))
    return Grouping([f"{name}={text}" for text in texts], codes)


def _crossed(names: list[str], columns: dict[str, tuple[list[str], NDArray[np.int64]]]) -> Grouping:
    for name in names:
        if name not in columns:
            raise SettingError(f"cross names {name!r}: {choices(name, columns)}")
    if len(set(names)) < 2 or len(set(names)) < len(names):
        raise SettingError(f"cross = {names!r} is not allowed: two or more different columns")
    joint = np.zeros(len(columns[names[0]][1]), np.int64)
    for name in names:
        joint = joint * len(columns[name][0]) + columns[name][1]
    there, codes = np.unique(joint, return_inverse=True)
    if len(there) > MOST_GROUPS:
        crossed = ", ".join(names)
        raise DataError(f"crossing {crossed} makes {len(there):,} groups: at most {MOST_GROUPS:,}")
    return Grouping([_joint_name(names, columns, int(key)) for key in there], codes)


def _joint_name(
    names: list[str], columns: dict[str, tuple[list[str], NDArray[np.int64]]], key: int
) -> str:
    parts = []
    for name in reversed(names):
        texts = columns[name][0]
        key, place = divmod(key, len(texts))
        parts.append(f"{name}={texts[place]}")
    return " & ".join(reversed(parts))
