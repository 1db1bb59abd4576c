"""What a recorded table and the same table made again agree in."""

from __future__ import annotations

import io
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

RELATIVE, ABSOLUTE = 1e-5, 1e-6
"""What two numbers may differ by: records keep six digits, and processors round otherwise."""
_SHOWN = 5


@dataclass(frozen=True)
class Difference:
    """A recorded cell that is not what was computed again; ``line`` is that of the CSV."""

    line: int
    column: str
    recorded: object
    again: object

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: recorded {self.recorded}, now {self.again}"


@dataclass(frozen=True)
class Checked:
    """What became of one recorded table.

    Attributes:
        name: of the file, without suffix.
        rows: in it.
        agree: rows of it that were computed again and are the same.
        differences: cells that are not, in the order of the file.
        because: why the other rows could not be verified; empty where all were.
        lost: how many rows were made again that a whole record would have, and this one has not.
        malformed: whether it is no record, which ``because`` tells.
    """

    name: str
    rows: int
    agree: int = 0
    differences: tuple[Difference, ...] = ()
    because: str = ""
    lost: int = 0
    malformed: bool = False

    @property
    def differing(self) -> int:
        """How many rows differ."""
        return len({each.line for each in self.differences})

    @property
    def is_wrong(self) -> bool:
        """Whether something in it is not what it should be."""
        return bool(self.differences) or self.lost > 0 or self.malformed

    def lines(self) -> list[str]:
        """What to say of it: one line, and a few of the differing cells."""
        if self.malformed:
            return [f"{self.name}: no record: {self.because}"]
        parts = [f"{self.agree} of {self.rows} rows agree"]
        if self.differing:
            parts.append(f"{self.differing} differ")
        if self.lost:
            parts.append(f"{self.lost} more belong into it")
        if unknown := self.rows - self.agree - self.differing:
            parts.append(f"{unknown} not verified")
        told = f"{self.name}: {', '.join(parts)}{f': {self.because}' if self.because else ''}"
        shown = [f"  {each}" for each in self.differences[:_SHOWN]]
        more = len(self.differences) - _SHOWN
        return [told, *shown, *([f"  and {more} more cells"] if more > 0 else [])]


def compare(
    recorded: pd.DataFrame, again: pd.DataFrame, *, by: Sequence[str] = ()
) -> tuple[int, list[Difference]]:
    """How many recorded rows are the same again, and the cells that are not.

    Args:
        recorded: as read from its CSV.
        again: the same table, made again; rows of it may be missing or too many.
        by: columns that name what a row is of. The rows of one name are matched in their order;
            without names, all rows are.

    Returns:
        Of the recorded rows that ``again`` has too: the number that agree, and the differences.
    """
    here, there = _placed(recorded, by), _placed(_as_read(again), by)
    lines = {place: number + 2 for number, place in enumerate(here.index)}
    shared = [place for place in here.index if place in set(there.index)]
    left, right = here.loc[shared], there.loc[shared]
    found = [each for name in here for each in _cells(left, right, str(name), lines)]
    found.sort(key=lambda each: each.line)
    return len(shared) - len({each.line for each in found}), found


def _as_read(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the types that it has when it is read from a CSV."""
    return pd.read_csv(io.StringIO(table.to_csv(index=False)))


def _placed(table: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The table under the names of its rows, each with its place among those of one name."""
    names = [table[name].astype(str) for name in by] or [pd.Series("", index=table.index)]
    count = table.groupby(names, sort=False).cumcount()
    return table.set_axis(pd.MultiIndex.from_arrays([*names, count]), axis="index")


def _cells(
    left: pd.DataFrame, right: pd.DataFrame, name: str, lines: Mapping[Hashable, int]
) -> Iterator[Difference]:
    if name not in right:
        yield from (Difference(lines[place], name, "a column", "none") for place in left.index)
        return
    same = _same(left[name], right[name])
    for place, old, new, agrees in zip(left.index, left[name], right[name], same, strict=True):
        if not agrees:
            yield Difference(lines[place], name, old, new)


def _same(left: pd.Series, right: pd.Series) -> np.ndarray:
    numeric = pd.api.types.is_numeric_dtype(left) and pd.api.types.is_numeric_dtype(right)
    if numeric:
        return np.isclose(
            left.astype(float), right.astype(float), RELATIVE, ABSOLUTE, equal_nan=True
        )
    return (left.astype(str) == right.astype(str)).to_numpy()
