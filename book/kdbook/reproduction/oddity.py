"""A contradiction in print, or a doubt about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Oddity:
    """A contradiction or a doubt.

    Attributes:
        tables: that it concerns.
        text: in one or two sentences; the numbers in it are printed in those tables.
        paper: whose tables they are, as in the published numbers.
    """

    tables: tuple[str, ...]
    text: str
    paper: str = "teachers_pet"
