"""Arguments of an audit from files: ``FILE`` or ``FILE:FIELD``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kdlib.audit.arrays_in_files import read_npy, read_npz, read_safetensors
from kdlib.audit.rows import Rows
from kdlib.audit.tables_in_files import read_csv, read_parquet
from kdlib.errors import DataError
from kdlib.names import choices

Content = Mapping[str, Rows] | NDArray[Any] | pd.DataFrame
READERS: dict[str, Callable[[Path], Content]] = {
    ".npy": read_npy,
    ".npz": read_npz,
    ".safetensors": read_safetensors,
    ".csv": read_csv,
    ".parquet": read_parquet,
}


class Field:
    """A field of a file, or the file's only one.

    Attributes:
        where: in words, for messages.
    """

    def __init__(self, text: str, role: str) -> None:
        """Read the file.

        Args:
            text: ``FILE`` or ``FILE:FIELD``.
            role: whose values are meant, the field's name where none is given.

        Raises:
            DataError: there is no such file, or it cannot be read.
        """
        self.path, self._name = _parted(text)
        self._role = role
        self.content = read(self.path)
        self.where = f"{self.path}" + (f", field {self._name}" if self._name else "")

    def sibling(self, role: str) -> Field:
        """Another field of the same file, which is not read again."""
        other = copy(self)
        other._role, other._name = role, ""
        other.where = f"{self.path}, field {role}"
        return other

    def class_order(self) -> list[str]:
        """How the score columns of a table name the classes, in their order; empty elsewhere."""
        if not isinstance(self.content, pd.DataFrame):
            return []
        start = f"{self._name or self._role}_"
        names = [str(name) for name in self._columns(self.content).columns]
        return [name.removeprefix(start) for name in names]

    def scores(self) -> Any:
        """A table ``[N, L]`` or ``[S, N, L]`` of numbers."""
        if isinstance(self.content, pd.DataFrame):
            return _numbers(self.where, self._columns(self.content))
        return self._array()

    def vector(self) -> NDArray[Any]:
        """One value per example or class: ``[N]`` or ``[L]``."""
        if isinstance(self.content, pd.DataFrame):
            return self._column(self.content).to_numpy()
        whole = self._array()
        return np.asarray(whole if isinstance(whole, np.ndarray) else whole[...])

    def frame(self) -> pd.DataFrame:
        """Columns with one value per example."""
        if isinstance(self.content, pd.DataFrame):
            return self.content
        if not isinstance(self.content, Mapping):
            raise DataError(f"{self.where} has no named columns: expected .csv, .parquet or .npz")
        return self.columns({name: name for name in self.content})

    def columns(self, names: Mapping[str, str]) -> pd.DataFrame:
        """Fields of one value per example, by the names that they get."""
        arrays = {name: self.sibling(field).vector() for name, field in names.items()}
        for name, array in arrays.items():
            if array.ndim != 1:
                where = f"{self.path}, field {names[name]}"
                raise DataError(f"{where} has shape {array.shape}: expected [N]")
        sizes = {len(array) for array in arrays.values()}
        if len(sizes) != 1:
            raise DataError(f"{self.path} holds fields of {sorted(sizes)} rows: expected one size")
        return pd.DataFrame(arrays)

    def _array(self) -> Rows:
        if not isinstance(self.content, Mapping):
            if self._name:
                raise DataError(f"{self.path} is one array without fields: leave {self._name} out")
            return self.content
        name = self._name or self._role
        if name in self.content:
            return self.content[name]
        if not self._name and len(self.content) == 1:
            return next(iter(self.content.values()))
        raise DataError(f"{self.path} has no field {name!r}: {choices(name, self.content)}")

    def _columns(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The columns ``NAME_0``, ``NAME_1``, ... of the field, or all columns."""
        start = f"{self._name or self._role}_"
        chosen = [name for name in frame.columns if str(name).startswith(start)]
        if self._name and not chosen:
            known = list(map(str, frame.columns))
            raise DataError(f"{self.path} has no columns {start}0, ...: {choices(start, known)}")
        if not chosen:
            return frame
        _check_numbered(self.where, [str(name).removeprefix(start) for name in chosen])
        return frame[chosen]

    def _column(self, frame: pd.DataFrame) -> pd.Series:
        name = self._name or self._role
        if name in frame.columns:
            return frame[name]
        if not self._name and len(frame.columns) == 1:
            return frame.iloc[:, 0]
        known = list(map(str, frame.columns))
        raise DataError(f"{self.path} has no column {name!r}: {choices(name, known)}")


def read(path: Path) -> Content:
    """What a file holds; its name says how it is read.

    Raises:
        DataError: there is no such file, it cannot be read, or its kind is unknown.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise DataError(f"{path} ends in {path.suffix!r}: allowed are {', '.join(READERS)}")
    if not path.is_file():
        raise DataError(f"{path} is no file")
    return reader(path)


def read_names(text: str) -> list[str]:
    """Class names: the lines of a ``.txt`` file, or a field of text."""
    path = Path(text)
    if path.suffix.lower() != ".txt":
        return [str(name) for name in Field(text, "class_names").vector()]
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is no readable text file (UTF-8): {error}") from None


def _parted(text: str) -> tuple[Path, str]:
    if Path(text).is_file():
        return Path(text), ""
    path, colon, name = text.rpartition(":")
    known = colon and Path(path).suffix.lower() in READERS
    return (Path(path), name) if known else (Path(text), "")


def _check_numbered(where: str, ends: list[str]) -> None:
    if all(end.isdigit() for end in ends):
        order = [int(end) for end in ends]
        if order != list(range(len(order))):
            shown = ", ".join(map(str, order[:5]))
            raise DataError(f"{where} has classes in the order {shown}: expected 0, 1, 2, ...")


def _numbers(where: str, frame: pd.DataFrame) -> NDArray[Any]:
    texts = [name for name, kind in frame.dtypes.items() if kind.kind not in "iuf"]
    for name in texts:
        column = frame[name]
        as_number = pd.to_numeric(column, errors="coerce")
        odd = (as_number.isna() & column.notna()).to_numpy()
        row = int(odd.argmax())
        found = repr(column.iloc[row]) if odd.any() else f"type {column.dtype}"
        raise DataError(f"{where}, column {name!r}, row {row}: {found}: expected a number")
    return frame.to_numpy()
