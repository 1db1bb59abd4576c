"""Runs that the book keeps: what its pages show where nothing was trained."""

from kdbook.shelf.part import RecordedResult, ShelfError
from kdbook.shelf.shelf import (
    BookStore,
    Shelf,
    lacking,
    results,
    store_of,
)

__all__ = [
    "BookStore",
    "RecordedResult",
    "Shelf",
    "ShelfError",
    "lacking",
    "results",
    "store_of",
]
