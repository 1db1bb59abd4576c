"""The shelf, and the store that a page sees: recorded runs first, then those trained here."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from kdbook.places import RUNS, records_folder, shows_recorded
from kdbook.shelf.part import Part, RecordedResult
from kdlib.runs import RunResult, RunSpec, Store, execute

READ = "KDLIB_RUNS_READ"
"""A folder; where it is named, each process notes there which runs it was asked for."""


class Shelf:
    """The runs that the book keeps.

    Args:
        folder: with a JSON, a CSV and a safetensors file per chapter.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def _part_of(self) -> dict[str, Part]:
        parts = [Part(path) for path in sorted(self.folder.glob("*.json"))]
        return {run: part for part in parts for run in part.about["runs"]}

    def __len__(self) -> int:
        """How many runs it keeps."""
        return len(self._part_of)

    def get(self, spec: RunSpec) -> RecordedResult | None:
        """The recorded run, or None.

        Raises:
            ShelfError: a file of the shelf is missing, malformed, or was altered.
        """
        part = self._part_of.get(spec.id)
        return None if part is None else RecordedResult(spec, part.path.parent, part=part)


class BookStore(Store):
    """The reader's store, and before it the shelf: what a run is asked of to be shown.

    It is for reading. A recorded run has no weights, so who trains a student of its teacher hands
    the reader's own ``Store`` to ``execute``, which trains the teacher too: ``results`` does.
    """

    def get(self, spec: RunSpec) -> RunResult | None:
        """The recorded run, else the one that was trained here, or None."""
        _note(spec)
        recorded = _shelf(records_folder() / RUNS).get(spec) if shows_recorded() else None
        return recorded or super().get(spec)


def store_of(result: RunResult) -> Store:
    """The store that a result was read from; there lie the runs that it builds on."""
    return BookStore() if isinstance(result, RecordedResult) else Store(result.folder.parent)


@cache
def _shelf(folder: Path) -> Shelf:
    return Shelf(folder)


def lacking(specs: Iterable[RunSpec], store: Store | None = None) -> list[RunSpec]:
    """Those that are neither recorded nor in the store, each once."""
    store = store or BookStore()
    return [spec for spec in dict.fromkeys(specs) if store.get(spec) is None]


def results(specs: Sequence[RunSpec], **how: Any) -> list[RunResult]:
    """The result of every spec, in their order: recorded, or trained here.

    Args:
        specs: the wanted runs.
        how: as ``kdlib.runs.execute`` for those that must be trained.
    """
    store = BookStore()
    if missing := lacking(specs, store):
        execute(missing, store=Store(store.root), **how)
    return [store.finished(spec) for spec in specs]


def _note(spec: RunSpec) -> None:
    """Write down that a page asked for the run, where ``shelve`` wants to know."""
    if folder := os.environ.get(READ):
        with Path(folder, f"{os.getpid()}.jsonl").open("a", encoding="utf-8") as file:
            file.write(spec.canonical_json() + "\n")
