"""Reads the workshop's units, and makes of each a notebook for students and one for instructors.

A unit's source is a notebook that runs from its first cell to its last. Tags of its cells say who
sees them. What a reader shall write stands between ``### BEGIN SOLUTION: what to write`` and
``### END SOLUTION``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from kdbook.press.address import colab_cell
from kdbook.press.notebooks import Notebook, has_tag, read_notebook
from kdlib.errors import SettingError
from kdlib.names import choices

TAGS = ("check", "instructor", "longer", "slide", "solution")
"""``longer`` marks a section that the short plan leaves out; sections also say ``minutes-N``."""
_MINUTES = re.compile(r"minutes-(\d+)")
_SOLUTION = re.compile(r"(?m)^( *)### BEGIN SOLUTION: (.+)\n(?:.*\n)*? *### END SOLUTION$(?:\n|\Z)")
_NAME = re.compile(r"(?m)^def (\w+)")
_MARK = re.compile(r"(?m)^ *### (?:BEGIN|END) SOLUTION.*(?:\n|\Z)")
Cell = dict[str, Any]


@dataclass(frozen=True)
class Section:
    """A part of a unit that has its minutes; ``longer``: only where there is half a day."""

    title: str
    minutes: int
    longer: bool


@dataclass(frozen=True)
class Unit:
    """One unit.

    Attributes:
        name: of its notebook, which begins with its number.
        notebook: its source.
    """

    name: str
    notebook: Notebook

    @property
    def title(self) -> str:
        """Its first heading."""
        return source_of(self.notebook["cells"][0]).partition("\n")[0].removeprefix("# ")

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """Its sections, in their order."""
        headings = [cell for cell in self.notebook["cells"] if _is_heading(cell)]
        return tuple(self._section(cell) for cell in headings)

    def minutes(self, *, longer: bool) -> int:
        """How long it takes, with the sections that the short plan leaves out or without them."""
        return sum(each.minutes for each in self.sections if longer or not each.longer)

    def _section(self, cell: Cell) -> Section:
        title = source_of(cell).partition("\n")[0].removeprefix("## ")
        found = [match[1] for tag in _tags(cell) if (match := _MINUTES.fullmatch(tag))]
        if len(found) != 1:
            raise SettingError(f"{self.name}: section {title!r} needs one tag minutes-N")
        return Section(title, int(found[0]), has_tag(cell, ["longer"]))


def read_units(folder: Path) -> list[Unit]:
    """The units of a folder, sorted by name.

    Raises:
        SettingError: there is none, one is no notebook, or a tag or a marker in it is wrong.
    """
    units = [_read(path) for path in sorted(folder.glob("*.ipynb"))]
    if not units:
        raise SettingError(f"no notebook in {folder}: the workshop's units belong there")
    return units


def _read(path: Path) -> Unit:
    notebook = read_notebook(path)
    if notebook is None:
        raise SettingError(f"{path} is no notebook")
    for number, cell in enumerate(notebook["cells"], start=1):
        _check_cell(f"{path.name}, cell {number}", cell)
    unit = Unit(path.stem, notebook)
    _ = unit.sections  # each has its minutes
    return unit


def _check_cell(place: str, cell: Cell) -> None:
    for tag in _tags(cell):
        if tag not in TAGS and not _MINUTES.fullmatch(tag):
            raise SettingError(
                f"{place}: tag {tag!r} is not known: {choices(tag, TAGS)}, minutes-N"
            )
    marked = _MARK.search(source_of(cell)) is not None
    whole = len(_SOLUTION.findall(source_of(cell))) == len(_MARK.findall(source_of(cell))) / 2 > 0
    if marked != has_tag(cell, ["solution"]) or (marked and not whole):
        raise SettingError(
            f"{place}: a cell tagged solution, and no other, holds '### BEGIN SOLUTION: what to "
            "write' and '### END SOLUTION'"
        )


def for_students(unit: Unit, address: str) -> Notebook:
    """The notebook with stubs in the place of solutions; ``address`` is the repository's."""
    cells = [cell for cell in unit.notebook["cells"] if not has_tag(cell, ["instructor"])]
    return _notebook(unit, [stub(cell) for cell in cells], address)


def for_instructors(unit: Unit, address: str) -> Notebook:
    """The notebook with solutions, notes and the minutes of each section."""
    cells = [_timed(_named(_unmarked(cell))) for cell in unit.notebook["cells"]]
    return _notebook(unit, cells, address)


def stub(cell: Cell) -> Cell:
    """The cell with ``raise NotImplementedError`` in the place of its solution."""
    text, name = source_of(cell), _NAME.search(source_of(cell))
    called = f"{name[1]}: " if name else ""

    def emptied(match: re.Match[str]) -> str:
        said = json.dumps(f"{called}{match[2]}", ensure_ascii=False)
        return f"{match[1]}raise NotImplementedError({said})\n"

    return _with_text(cell, _SOLUTION.sub(emptied, text).rstrip("\n"))


def _unmarked(cell: Cell) -> Cell:
    return _with_text(cell, _MARK.sub("", source_of(cell)).rstrip("\n"))


def _named(cell: Cell) -> Cell:
    """A note says that it is one."""
    if not has_tag(cell, ["instructor"]) or cell["cell_type"] != "markdown":
        return cell
    return _with_text(cell, f"*For you:* {source_of(cell)}")


def _timed(cell: Cell) -> Cell:
    if not _is_heading(cell):
        return cell
    minutes = next(tag for tag in _tags(cell) if _MINUTES.fullmatch(tag)).removeprefix("minutes-")
    only = ", half a day only" if has_tag(cell, ["longer"]) else ""
    heading, line, rest = source_of(cell).partition("\n")
    return _with_text(cell, f"{heading} (about {minutes} minutes{only}){line}{rest}")


def _notebook(unit: Unit, cells: Sequence[Cell], address: str) -> Notebook:
    content = deepcopy({**unit.notebook, "cells": list(cells)})
    content["cells"].insert(1, colab_cell(address))
    return content


def _is_heading(cell: Cell) -> bool:
    return cell["cell_type"] == "markdown" and source_of(cell).startswith("## ")


def _tags(cell: Cell) -> list[str]:
    return cell.get("metadata", {}).get("tags", [])


def source_of(cell: Mapping[str, Any]) -> str:
    """The text of a cell."""
    return "".join(cell["source"])


def _with_text(cell: Cell, text: str) -> Cell:
    return {**cell, "source": text.splitlines(keepends=True)}
