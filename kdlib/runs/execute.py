"""Make sure that runs are in the store: each once, teachers first, side by side where it pays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import torch

from kdlib.data.cores import cores
from kdlib.errors import KdlibError, SettingError
from kdlib.runs.machine import warn_of_mixed_machines
from kdlib.runs.result import RunResult
from kdlib.runs.side_by_side import in_processes
from kdlib.runs.spec import RESULTS_VERSION, RunSpec
from kdlib.runs.store import Store
from kdlib.runs.teacher_tables import build_shared_table, by_teacher, takes_fused_steps
from kdlib.runs.train_one import torch_threads, train_one
from kdlib.runs.train_together import in_stacks, train_together
from kdlib.training import processes
from kdlib.training.progress import progress as bar_over

_TINY_DATASETS = ("digits",)


def execute(
    specs: Iterable[RunSpec],
    *,
    store: Store | None = None,
    jobs: int | None = None,
    device: str | None = None,
    progress: bool = True,
    together: int = 1,
) -> list[RunResult]:
    """Return the result of every spec, in the order given; train those that are missing.

    Safe to kill and to call from several processes at once: finished runs are kept, a training
    goes on from its last checkpoint, and no run is trained twice.

    Under ``torchrun`` all processes call this alike and train each run together, one after the
    other. They must see one store; the first of them alone writes there.

    Args:
        specs: the wanted runs. Their teachers are trained too, first.
        store: where runs are kept; by default ``Store()``.
        jobs: trainings at once, in worker processes; by default one per core for tiny images, else
            one. A GPU trains one after the other, whatever is asked: on one H200 neither twelve
            processes nor eight threads with a stream each trained faster.
        device: ``cpu`` or ``cuda``; by default ``cuda`` where there is one.
        progress: show a progress bar; where no terminal is, a line every 30 s.
        together: students per batch of networks at most, at least 1. With more than 1 tiny networks
            train in less time, to the weights of 1 up to rounding only (``kdlib.training.many``),
            so that runs made with it and without it are not equal in their bits. Their ids are.

    Raises:
        SettingError: a spec of another results version, a device that is not there, or several
            jobs or students at once under ``torchrun``.
        KdlibError: a worker process was killed; what is finished is kept.
    """
    wanted, store, device = list(specs), store or Store(), chosen_device(device)
    refuse_other_versions(wanted)
    processes.join(device)
    _check_together(together)
    generations = processes.from_first(lambda: missing_runs(wanted, store))
    progress = progress and processes.is_first()
    total = sum(map(len, generations))
    with bar_over("training", "run", total=total, shown=progress and total > 1) as bar:
        for generation in generations:
            workers = workers_for(generation, device, jobs)
            build_shared_tables(generation, store, device, together)
            stacks = in_stacks(generation, together, workers)
            for trained in _train_side_by_side(stacks, store, device, workers, progress):
                bar.update(trained)
    results = [store.finished(spec) for spec in wanted]
    warn_of_mixed_machines(results)
    return results


def missing_runs(specs: Iterable[RunSpec], store: Store) -> list[list[RunSpec]]:
    """What must be trained, in generations: each needs earlier generations and the store only."""
    depth: dict[RunSpec, int] = {}
    for spec in specs:
        _place(spec, store, depth)
    deepest = max(depth.values(), default=-1)
    return [[s for s, d in depth.items() if d == level] for level in range(deepest + 1)]


def planned_stacks(
    generations: Iterable[Sequence[RunSpec]], *, device: str, jobs: int | None, together: int
) -> list[list[list[RunSpec]]]:
    """The groups in which ``execute`` would train each generation: alone, or together."""
    return [
        in_stacks(generation, together, workers_for(generation, device, jobs))
        for generation in generations
    ]


def _place(spec: RunSpec, store: Store, depth: dict[RunSpec, int]) -> int:
    """The generation of ``spec``: -1 if it is in the store, else one more than its parents'."""
    if spec in depth:
        return depth[spec]
    if store.get(spec) is not None:
        return -1
    depth[spec] = 1 + max((_place(p, store, depth) for p in spec.parents()), default=-1)
    return depth[spec]


def chosen_device(device: str | None) -> str:
    """``device`` if it is there; by default ``cuda`` where there is one, else ``cpu``.

    Raises:
        SettingError: an unknown name, or ``cuda`` on a machine without one.
    """
    if device is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device not in ("cpu", "cuda"):
        raise SettingError(f"device = {device!r} is not allowed: cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise SettingError("device = 'cuda' is not there: this torch sees no GPU; use cpu")
    return device


def build_shared_tables(
    specs: Sequence[RunSpec], store: Store, device: str, together: int = 1
) -> None:
    """Caches of teachers that pay for several of ``specs``, though for none alone.

    For students that train by themselves; those of one batch take no fused steps.
    """
    if processes.count() > 1:
        return
    for students in by_teacher(specs):
        if len(students) > 1:
            with torch_threads(threads_for(students[0], 1)):
                fused = together == 1 and takes_fused_steps(students[0], device)
                build_shared_table(students, store, device, fused=fused)


def workers_for(specs: Sequence[RunSpec], device: str, jobs: int | None) -> int:
    """How many of ``specs`` ``execute`` trains at once where ``jobs`` are asked for.

    Raises:
        SettingError: ``jobs`` is below 1, or there are several under ``torchrun``.
    """
    if jobs is not None and jobs < 1:
        raise SettingError(f"jobs = {jobs} is not allowed: at least 1")
    if processes.count() > 1:
        if jobs not in (None, 1):
            raise SettingError(f"jobs = {jobs} is not allowed under torchrun: runs train in turn")
        return 1
    return 1 if device == "cuda" else jobs or _default_jobs(specs)


def _default_jobs(specs: Sequence[RunSpec]) -> int:
    """One process per core for tiny images, which cannot use two threads; else one process."""
    tiny = all(spec.data.name in _TINY_DATASETS for spec in specs)
    return min(len(specs), cores()) if tiny else 1


def threads_for(spec: RunSpec, jobs: int) -> int:
    """Threads of one training. Tiny images always get one, so that bits do not depend on jobs."""
    if spec.data.name in _TINY_DATASETS:
        return 1
    return max(1, cores() // jobs)


def refuse_other_versions(specs: Sequence[RunSpec]) -> None:
    """Refuse what this kdlib would train to something else.

    Raises:
        SettingError: a spec of another results version.
    """
    for spec in specs:
        if spec.version != RESULTS_VERSION:
            raise SettingError(
                f"run {spec.id} has results version {spec.version}: "
                f"this kdlib trains version {RESULTS_VERSION}"
            )


def _check_together(together: int) -> None:
    if together < 1:
        raise SettingError(f"together = {together} is not allowed: at least 1")
    if together > 1 and processes.count() > 1:
        raise SettingError(f"together = {together} is not allowed under torchrun: use 1")


def _train_side_by_side(
    stacks: Sequence[Sequence[RunSpec]], store: Store, device: str, jobs: int, progress: bool
) -> Iterator[int]:
    """Train the stacks; say of each that is done how many runs it has."""
    if jobs == 1 or len(stacks) == 1:
        for stack in stacks:
            _train(stack, store, device=device, threads=threads_for(stack[0], 1), bar=progress)
            yield len(stack)
        return
    yield from _in_processes(stacks, store, device, jobs)


def _train(
    stack: Sequence[RunSpec], store: Store, *, device: str, threads: int, bar: bool = False
) -> None:
    if len(stack) == 1:
        train_one(stack[0], store, device=device, threads=threads, bar=bar)
    else:
        train_together(stack, store, device=device, threads=threads)


def _in_processes(
    stacks: Sequence[Sequence[RunSpec]], store: Store, device: str, jobs: int
) -> Iterator[int]:
    tasks = [
        ([spec.canonical_json() for spec in stack], str(store.root), device,
         threads_for(stack[0], jobs))
        for stack in stacks
    ]  # fmt: skip
    for _, answer in in_processes(_in_worker, tasks, jobs):
        if isinstance(answer, str):
            raise KdlibError(answer)
        yield answer


def _in_worker(stack: Sequence[str], root: str, device: str, threads: int) -> int | str:
    """Train in a worker process; the number of runs, or a user's error as its one line."""
    try:
        specs = [RunSpec.model_validate_json(spec_json) for spec_json in stack]
        _train(specs, Store(root), device=device, threads=threads)
    except KdlibError as error:
        return str(error)
    return len(stack)
