"""What a batch comes to before anything runs: runs, hours and room."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kdbook.batches.items import Item
from kdlib.runs import RunSpec, Store, missing_runs
from kdlib.runs.execute import workers_for
from kdlib.runs.plan import Estimate, estimate, room


@dataclass(frozen=True)
class Plan:
    """What is to do.

    Attributes:
        items: chapters and studies, each at its point of the grid.
        runs: that these ask for, each once.
        generations: of the runs that the store lacks, and of their teachers.
        store: where runs lie.
        time: of the trainings; ``None`` where there are none.
        bytes: that their runs will take.
        how: on which device, and how many trainings side by side, in words.
    """

    items: Sequence[Item]
    runs: Sequence[RunSpec]
    generations: Sequence[Sequence[RunSpec]]
    store: Store
    time: Estimate | None
    bytes: int
    how: str

    @property
    def missing(self) -> list[RunSpec]:
        """The runs that must be trained."""
        return [spec for generation in self.generations for spec in generation]

    def lines(self) -> list[str]:
        """What a person wants to know before saying yes."""
        pages = [item for item in self.items if item.page is not None]
        there = len({*self.runs} - {*self.missing})
        lines = [
            f"{len(pages)} notebooks and {len(self.items) - len(pages)} studies to run",
            f"{len(self.runs)} runs needed, {there} in {self.store.root}, "
            f"{len(self.missing)} to train (teachers included)",
        ]
        if self.time is None:
            return lines
        free = _free(self.store.root)
        short = ": TOO LITTLE" if free < self.bytes else ""
        return [
            *lines,
            f"trainings: {self.time} {self.how}; the notebooks come on top",
            f"disk: about {_words(self.bytes)} in the store, {_words(free)} are free{short}",
        ]


def make_plan(
    items: Sequence[Item], store: Store, *, device: str, jobs: int | None, timed: bool = True
) -> Plan:
    """The plan of these items; short trainings are timed where any run is missing and ``timed``."""
    runs = list(dict.fromkeys(spec for item in items for spec in item.runs))
    generations = missing_runs(runs, store)
    missing = [spec for generation in generations for spec in generation]
    workers = workers_for(missing, device, jobs)
    time = None
    if missing and timed:
        stacks = [[[spec] for spec in generation] for generation in generations]
        time = estimate(stacks, device=device, jobs=workers)
    how = f"on {device} with {workers} at a time"
    return Plan(items, runs, generations, store, time, room(missing), how)


def _free(folder: Path) -> int:
    """Bytes free on the disk that ``folder`` lies on, or would lie on."""
    there = next(place for place in (folder, *folder.parents) if place.is_dir())
    return shutil.disk_usage(there).free


def _words(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
