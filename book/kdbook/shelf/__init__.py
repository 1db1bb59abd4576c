"""Runs that the book keeps: what its pages show where nothing was trained."""

from kdbook.shelf.part import RecordedResult, ShelfError
from kdbook.shelf.shelf import (
    RECORDED,
    BookStore,
    Shelf,
    lacking,
    results,
    shows_recorded,
    store_of,
)

__all__ = [
    "RECORDED",
    "BookStore",
    "RecordedResult",
    "Shelf",
    "ShelfError",
    "lacking",
    "results",
    "shows_recorded",
    "store_of",
]
