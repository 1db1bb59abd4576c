"""Grids of parameters: what ``-p temperature=1,2,4 -p imbalance=20,50`` stands for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

from kdbook.press.commands import parse_parameters
from kdbook.press.inputs import Parameter
from kdlib.errors import SettingError

Grid = Mapping[str, tuple[Parameter, ...]]
Point = dict[str, Parameter]
_QUOTED, _LIST, _TEXT = r'"(?:[^"]|"")*"', r'\[(?:"[^"]*"|[^]["])*\]', r'[^,"[ ][^,"]*|'
_VALUE = re.compile(rf"( *(?:{_QUOTED}|{_LIST}|{_TEXT}) *)(,|\Z)")


def parse_grid(pairs: Sequence[str]) -> Grid:
    """The values of each parameter, from ``NAME=VALUE,VALUE``; a value is JSON, or else text.

    A value with a comma or a quote stands in quotes, in which a quote is doubled, as in CSV.

    Papermill writes names into the notebook as they are, so only what Python takes for the name of
    a variable is one.

    Raises:
        SettingError: no name of a variable, the profile, a name given twice, a quote or bracket
            that is not closed, or a value that no notebook can be told.
    """
    grid: dict[str, tuple[Parameter, ...]] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        if name in grid:
            raise SettingError(f"parameter {name!r} is given twice: write -p {name}=VALUE,VALUE")
        values = _values(pair, text)
        found = [parse_parameters([_pair(pair, name, value)])[name] for value in values]
        grid[name] = tuple(_each_once(found))
    return grid


def _pair(pair: str, name: str, value: str) -> str:
    return f"{name}={value}" if "=" in pair else pair


def _values(pair: str, text: str) -> list[str]:
    """The values in ``text``, parted by commas outside of lists and quotes; quoted ones as JSON."""
    try:
        found = json.loads(f"[{text}]")
    except ValueError:
        return [_unquoted(value) for value in _parted(pair, text)]
    return [json.dumps(value) for value in found] or [text]


def _parted(pair: str, text: str) -> Iterator[str]:
    at, comma = 0, ","
    while comma:
        match = _VALUE.match(text, at)
        if match is None:
            raise SettingError(
                f"parameter {pair!r} is not allowed: a quote or bracket is not closed, or has "
                'something beside it; write "..." around a value with commas, and "" for a quote'
            )
        yield match[1]
        at, comma = match.end(), match[2]


def _unquoted(value: str) -> str:
    inner = value.strip()
    if not inner.startswith('"'):
        return value
    return json.dumps(inner[1:-1].replace('""', '"'))


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
