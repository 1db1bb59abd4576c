"""What the printed numbers of a paper do not agree on, as ``oddities.toml`` lists it."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Oddity:
    """A contradiction in print, or a doubt about it.

    Attributes:
        tables: that it concerns.
        text: in one or two sentences; the numbers in it are printed in those tables.
    """

    tables: tuple[str, ...]
    text: str


@cache
def oddities(paper: str) -> tuple[Oddity, ...]:
    """All of a paper, named as in the published numbers."""
    listed = tomllib.loads(files("kdbook.published").joinpath("oddities.toml").read_text("utf-8"))
    return tuple(Oddity(tuple(one["tables"]), one["text"]) for one in listed[paper])
