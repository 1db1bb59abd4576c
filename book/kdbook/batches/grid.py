"""Grids of parameters: what ``-p temperature=1,2,4 -p imbalance=20,50`` stands for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import product

from kdbook.press.commands import parse_parameters
from kdbook.press.inputs import Parameter
from kdlib.errors import SettingError

Grid = Mapping[str, tuple[Parameter, ...]]
Point = dict[str, Parameter]


def parse_grid(pairs: Sequence[str]) -> Grid:
    """The values of each parameter, from ``NAME=VALUE,VALUE``; a value is JSON, or else text.

    Papermill writes names into the notebook as they are, so only what Python takes for the name of
    a variable is one.

    Raises:
        SettingError: no name of a variable, the profile, a name given twice, or a value that no
            notebook can be told.
    """
    grid: dict[str, tuple[Parameter, ...]] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        if name in grid:
            raise SettingError(f"parameter {name!r} is given twice: write -p {name}=VALUE,VALUE")
        found = [parse_parameters([_pair(pair, name, value)])[name] for value in _values(text)]
        grid[name] = tuple(_each_once(found))
    return grid


def _pair(pair: str, name: str, value: str) -> str:
    return f"{name}={value}" if "=" in pair else pair


def _values(text: str) -> list[str]:
    """The values in ``text``, which commas outside of lists and quotes part."""
    try:
        found = json.loads(f"[{text}]")
    except ValueError:
        return text.split(",")
    return [json.dumps(value) for value in found] or [text]


def _each_once(values: Iterable[Parameter]) -> list[Parameter]:
    found: dict[str, Parameter] = {}
    for value in values:
        found.setdefault(json.dumps(value), value)
    return list(found.values())


def points(grid: Grid, known: Iterable[str]) -> list[Point]:
    """Every combination of the values of those parameters that are ``known``."""
    names = [name for name in grid if name in set(known)]
    return [dict(zip(names, values, strict=True)) for values in product(*(grid[n] for n in names))]


def spelled(point: Mapping[str, Parameter]) -> str:
    """A point in words, e.g. ``temperature=1.0, imbalance=20``."""
    return ", ".join(f"{name}={_word(value)}" for name, value in point.items())


def tag(point: Mapping[str, Parameter]) -> str:
    """A point as a part of a file's name."""
    text = "-".join(f"{name}{_word(value)}" for name, value in point.items())
    return "".join(letter if letter.isalnum() or letter in "._-+" else "_" for letter in text)


def _word(value: Parameter) -> str:
    return value if isinstance(value, str) else json.dumps(value)
