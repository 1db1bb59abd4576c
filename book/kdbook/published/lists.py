"""What is listed beside the printed numbers: answers, claims, and what they do not agree on."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any


def listed(name: str) -> dict[str, Any]:
    """What one of the TOML files here holds, e.g. ``claims.toml``."""
    return tomllib.loads(files("kdbook.published").joinpath(name).read_text("utf-8"))


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
    return tuple(Oddity(tuple(o["tables"]), o["text"]) for o in listed("oddities.toml")[paper])
