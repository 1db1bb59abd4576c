"""Train runs so that one that fails stops only what builds on it, and says why."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence

from kdlib.errors import KdlibError
from kdlib.runs.execute import (
    build_shared_tables,
    chosen_device,
    missing_runs,
    refuse_other_versions,
    threads_for,
    workers_for,
)
from kdlib.runs.side_by_side import WorkerKilledError, in_processes
from kdlib.runs.spec import RunSpec
from kdlib.runs.store import Store
from kdlib.runs.train_one import train_one
from kdlib.training.progress import progress as bar_over

log = logging.getLogger("kdlib.runs")

KILLED = "its process was killed twice, perhaps for want of memory: fewer jobs need less"
_POOLS = 2
Answer = tuple[RunSpec, str | None]
"""A run that was tried, and the reason why it is not finished."""


def train_each(
    specs: Iterable[RunSpec],
    *,
    store: Store | None = None,
    jobs: int | None = None,
    device: str | None = None,
    progress: bool = True,
) -> dict[RunSpec, str]:
    """Train what the store lacks, teachers first and each run once; go on where one fails.

    A training that diverges is finished, with that as its result. Arguments are those of
    ``kdlib.runs.execute``.

    Returns:
        Each run that is not finished, and the reason in one line; empty when all went well.

    Raises:
        SettingError: a spec of another results version, or a device that is not there.
    """
    wanted, store, device = list(specs), store or Store(), chosen_device(device)
    refuse_other_versions(wanted)
    generations, failures = missing_runs(wanted, store), dict[RunSpec, str]()
    total = sum(map(len, generations))
    with bar_over("training", "run", total=total, shown=progress and total > 0) as bar:
        for generation in generations:
            ready = [spec for spec in generation if not _blocked(spec, failures)]
            bar.update(len(generation) - len(ready))
            _prepare(ready, store, device)
            workers = workers_for(ready, device, jobs)
            for spec, reason in _tried(ready, store, device, workers):
                if reason is not None:
                    failures[spec] = reason
                bar.update()
    return failures


def _prepare(specs: Sequence[RunSpec], store: Store, device: str) -> None:
    """Build what several runs share. They can do without, and say themselves what is wrong."""
    try:
        build_shared_tables(specs, store, device)
    except Exception as error:
        log.warning("teacher caches are not built ahead: %s", error)


def _blocked(spec: RunSpec, failures: dict[RunSpec, str]) -> bool:
    """Whether the run builds on one that failed; then it is noted as failed, too."""
    reason = needs_failed(spec, failures)
    if reason is not None:
        failures[spec] = reason
    return reason is not None


def needs_failed(spec: RunSpec, failures: Mapping[RunSpec, str]) -> str | None:
    """Why a run cannot be trained for want of one that it builds on; ``None`` where it can."""
    for parent in spec.parents():
        if parent in failures:
            return f"it builds on run {parent.id} ({parent.label()}), which failed"
    return None


def attempt(spec: RunSpec, root: str, device: str, threads: int, bar: bool = False) -> str | None:
    """Train one run into the store in ``root``; the reason where that fails, in one line.

    Whatever goes wrong in one training is no reason to stop others, so no error passes.
    """
    try:
        train_one(spec, Store(root), device=device, threads=threads, bar=bar)
    except KdlibError as error:
        return str(error)
    except Exception as error:
        log.exception("run %s (%s) failed", spec.id, spec.label())
        first = (str(error).strip().splitlines() or [""])[0]
        return f"{type(error).__name__}: {first}"
    return None


def _tried(specs: Sequence[RunSpec], store: Store, device: str, jobs: int) -> Iterator[Answer]:
    if jobs == 1 or len(specs) < 2:
        for spec in specs:
            yield spec, attempt(spec, str(store.root), device, threads_for(spec, 1), bar=True)
        return
    waiting = dict.fromkeys(specs)
    for _ in range(_POOLS):  # a killed worker takes its pool along, so that all of it starts anew
        for spec, reason in _side_by_side(list(waiting), store, device, jobs):
            del waiting[spec]
            yield spec, reason
    for spec in waiting:
        yield spec, KILLED


def _side_by_side(
    specs: Sequence[RunSpec], store: Store, device: str, jobs: int
) -> Iterator[Answer]:
    """Try the specs in worker processes; ends early where one of these is killed."""
    tasks = [
        (spec.canonical_json(), str(store.root), device, threads_for(spec, jobs)) for spec in specs
    ]
    try:
        for place, reason in in_processes(_in_worker, tasks, jobs):
            yield specs[place], reason
    except WorkerKilledError:
        log.warning("a training process was killed: the runs that it held up are tried again")


def _in_worker(spec_json: str, root: str, device: str, threads: int) -> str | None:
    return attempt(RunSpec.model_validate_json(spec_json), root, device, threads)
