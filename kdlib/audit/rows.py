"""Tables of scores that are read a block of rows at a time, from memory or from a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from kdlib.errors import DataError

_BLOCK = 2_000_000
"""So many scores are looked at together: 16 MB in float64, and a few such arrays beside them."""


class Rows(Protocol):
    """What a model answered: ``[N, L]``, or ``[S, N, L]`` of several seeds."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the whole."""

    def __getitem__(self, place: Any, /) -> Any:
        """A part, as an array."""


class Seed:
    """One seed of a table ``[S, N, L]``, read when asked for."""

    def __init__(self, whole: Rows, seed: int) -> None:
        self._whole, self._seed = whole, seed
        self.shape = whole.shape[1:]

    def __getitem__(self, place: Any, /) -> Any:
        return self._whole[self._seed, place]


def split_seeds(where: str, given: Any) -> list[Rows]:
    """One table ``[N, L]`` a seed, from a table, from one with a first axis of seeds, or a list.

    Raises:
        DataError: there are no such axes, or the tables differ in shape.
    """
    several = isinstance(given, list | tuple)
    tables = [as_rows(table) for table in (given if several else [given])]
    if several and tables and len(tables[0].shape) < 2:
        tables = [as_rows(given)]  # lists of numbers
    if len(tables) == 1 and len(tables[0].shape) == 3:
        whole = tables[0]
        tables = [Seed(whole, seed) for seed in range(whole.shape[0])]
    _check_shapes(where, tables)
    return tables


def as_rows(values: Any) -> Rows:
    """An array of what was given, unless it is read from a file already."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        values = (values.float() if values.is_floating_point() else values).numpy()
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    if hasattr(values, "shape"):
        return values
    try:
        return np.asarray(values)
    except ValueError:
        raise DataError("scores have rows of different lengths: expected a table [N, L]") from None


def _check_shapes(where: str, tables: Sequence[Rows]) -> None:
    if not tables:
        raise DataError(f"{where} holds no table: expected scores [N, L]")
    shape = tables[0].shape
    for table in tables:
        if len(table.shape) != 2 or table.shape != shape:
            found = table.shape if len(table.shape) != 2 else f"{shape} and {table.shape}"
            raise DataError(f"{where} has shape {found}: expected [N, L], the same for each seed")
    if shape[0] < 1 or shape[1] < 2:
        raise DataError(f"{where} has shape {shape}: expected examples, and 2 classes or more")


def blocks(rows: Rows) -> Iterator[tuple[slice, NDArray[Any]]]:
    """Blocks of rows as float64, with their places."""
    step = max(1, _BLOCK // rows.shape[1])
    for start in range(0, rows.shape[0], step):
        place = slice(start, min(start + step, rows.shape[0]))
        yield place, np.asarray(rows[place])
