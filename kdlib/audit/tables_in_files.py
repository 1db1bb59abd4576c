"""Tables in ``.csv`` and ``.parquet`` files."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from kdlib.audit.arrays_in_files import reading
from kdlib.errors import DataError, SettingError
from kdlib.names import first_twice

_ROWS = 50_000
_LARGE = 200_000_000
"""Tables of more bytes are held in float32."""
_OTHER_DELIMITERS = {";": "semicolon", "\t": "tab", "|": "vertical bar"}


def read_csv(path: Path) -> pd.DataFrame:
    """A comma-separated file in UTF-8 whose first line names the columns."""
    with reading(path, "UTF-8 .csv"):
        names = _check_header(path)
        large = path.stat().st_size > _LARGE
        parts = pd.read_csv(
            path,
            encoding="utf-8-sig",
            chunksize=_ROWS,
            skipinitialspace=True,
            low_memory=False,
            index_col=False,  # else one field too many moves all others by a column
            keep_default_na=False,  # "None" and "NA" are names of groups as good as any
            na_values=[""],
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            try:
                frame = _whole(path, parts, large)
            except (pd.errors.ParserError, pd.errors.ParserWarning):
                _check_lengths(path, len(names))  # which names the row
                raise
        if frame.iloc[:, -1].isna().any():  # as where fields are missing, which pandas fills up
            _check_lengths(path, len(names))
        return frame


def read_parquet(path: Path) -> pd.DataFrame:
    """A Parquet file.

    Raises:
        SettingError: pyarrow is not installed.
    """
    try:
        from pyarrow.parquet import ParquetFile
    except ModuleNotFoundError:
        raise SettingError(
            f"{path} needs pyarrow, which is not installed: pip install 'kdlib[audit]'"
        ) from None
    with reading(path, ".parquet"), ParquetFile(path) as whole:
        _check_names(path, whole.schema_arrow.names)
        parts = (batch.to_pandas() for batch in whole.iter_batches(_ROWS))
        cells = whole.metadata.num_rows * whole.metadata.num_columns
        return _whole(path, parts, 8 * cells > _LARGE)


def _whole(path: Path, parts: Iterable[pd.DataFrame], large: bool) -> pd.DataFrame:
    kept = [_narrow(part) if large else part for part in parts]
    frame = pd.concat(kept, ignore_index=True) if kept else pd.DataFrame()
    if not len(frame):
        raise DataError(f"{path} has no rows: expected one per example")
    return frame


def _narrow(part: pd.DataFrame) -> pd.DataFrame:
    wide = part.select_dtypes(np.float64).columns
    # copied into one large array, which the system takes back once it is joined to the others
    return part.astype(dict.fromkeys(wide, np.float32)).copy()


def _check_lengths(path: Path, size: int) -> None:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        rows = (
            row
            for row in csv.reader(stream, skipinitialspace=True)
            if any(field.strip() for field in row)
        )
        for number, row in enumerate(rows, start=-1):
            if len(row) < size or any(field.strip() for field in row[size:]):
                raise DataError(f"{path}, row {number} has {len(row)} fields: expected {size}")


def _check_header(path: Path) -> list[str]:
    """The names of the columns."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        names = [name.strip() for name in next(csv.reader(stream), [])]
    if len(names) == 1:
        for sign, word in _OTHER_DELIMITERS.items():
            if sign in names[0]:
                raise DataError(
                    f"{path} has one column {names[0][:40]!r}: its fields are parted by a {word}, "
                    "expected are commas"
                )
    _check_names(path, names)
    return names


def _check_names(path: Path, names: list[str]) -> None:
    twice = first_twice(names)
    if twice is not None:
        raise DataError(f"{path} has the column {twice!r} more than once")
    if not names or all(not name for name in names):
        raise DataError(f"{path} has no column names: expected them in its first line")
