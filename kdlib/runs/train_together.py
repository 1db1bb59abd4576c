"""Batched training: several specs in one step, each into the store as a run of its own.

The weights are those of ``train_one`` up to rounding (``kdlib.training.many``), so that this is a
choice of the caller, and ``environment.json`` says how many were together.
"""

from __future__ import annotations

import logging
import math
import warnings
from collections.abc import Iterable, Sequence
from contextlib import ExitStack

from kdlib.errors import StoreError
from kdlib.models import ModelSpec
from kdlib.runs import run_files as files
from kdlib.runs.build import training_split
from kdlib.runs.spec import RobustCost, RunSpec
from kdlib.runs.store import Store
from kdlib.runs.teacher_tables import teacher_signal
from kdlib.runs.train_one import (
    Begun,
    begin,
    builds_on_a_diverged_run,
    code_digest,
    keep,
    torch_threads,
    train_into,
)
from kdlib.runs.vectors import loss_vectors
from kdlib.training import CheckpointError, Outcome, Student, train_many

log = logging.getLogger("kdlib.runs")


def in_stacks(specs: Iterable[RunSpec], together: int, jobs: int) -> list[list[RunSpec]]:
    """The specs in groups of at most ``together`` that can be trained together; others alone.

    Robust runs are alone, since their class multipliers move with their own steps, and so are
    ImageNet ResNets. ``jobs`` processes get something to do each, where there is enough.
    """
    specs = list(specs)
    kinds: dict[tuple[object, ...], list[RunSpec]] = {}
    for spec in specs:
        kinds.setdefault(_kind(spec), []).append(spec)
    most = min(together, math.ceil(len(specs) / jobs))
    stacks: list[list[RunSpec]] = []
    for alike in kinds.values():
        stacks += _even_parts(alike, most if _stacks(alike[0]) else 1)
    return stacks


def _even_parts(specs: list[RunSpec], most: int) -> list[list[RunSpec]]:
    """Parts of at most ``most``, as equal as they can be, whatever order the specs come in."""
    if most <= 1:
        return [[spec] for spec in specs]
    size = math.ceil(len(specs) / math.ceil(len(specs) / most))
    ordered = sorted(specs, key=lambda spec: spec.id)
    return [ordered[at : at + size] for at in range(0, len(ordered), size)]


def _stacks(spec: RunSpec) -> bool:
    robust = isinstance(spec.objective.log_cost, RobustCost)
    return isinstance(spec.model, ModelSpec) and not robust


def _kind(spec: RunSpec) -> tuple[object, ...]:
    """What students of one step must agree in."""
    data = spec.data.model_copy(update={"subset_seed": 0})
    weighted = spec.objective.weighted_soft_labels
    return _stacks(spec), data, spec.model, spec.recipe, weighted


def train_together(specs: Sequence[RunSpec], store: Store, *, device: str, threads: int) -> None:
    """Train those of the specs that are not in the store, as ``in_stacks`` grouped them.

    Holds all their locks, taken in the order of ids, so that two such calls cannot wait for each
    other. A stack that was killed goes on from its checkpoints if the same students share it.

    Raises:
        StoreError: as for ``train_one``.
    """
    try:
        with ExitStack() as held, torch_threads(threads):
            for spec in sorted(specs, key=lambda spec: spec.id):
                held.enter_context(store.lock(spec))
            missing = [spec for spec in specs if store.get_locked(spec) is None]
            for stack in _trainable(missing, store, device):
                _train_stack(stack, store, device)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"runs cannot be kept in {store.root}: {reason}") from error


def _trainable(specs: Iterable[RunSpec], store: Store, device: str) -> list[list[Begun]]:
    """Groups with splits of one size; who is left alone or has nothing to learn is done here."""
    sizes: dict[int, list[Begun]] = {}
    for spec in specs:
        if builds_on_a_diverged_run(spec, store):
            train_into(spec, store, device=device)
            continue
        begun = begin(spec, store)
        sizes.setdefault(len(training_split(spec, begun.dataset)), []).append(begun)
    for group in sizes.values():
        if len(group) == 1:
            train_into(group[0].spec, store, device=device)
    return [group for group in sizes.values() if len(group) > 1]


def _train_stack(stack: Sequence[Begun], store: Store, device: str) -> None:
    for begun in stack:
        log.info("training %s beside others: %s", begun.spec.id, begun.spec.label())
    students = [_student(begun, store, device) for begun in stack]
    outcomes = _resumed(stack, students, device)
    for begun, outcome in zip(stack, outcomes, strict=True):
        keep(begun, outcome, device, together=len(stack))


def _student(begun: Begun, store: Store, device: str) -> Student:
    spec = begun.spec
    vectors = loss_vectors(spec, begun.dataset, store)
    split = training_split(spec, begun.dataset)
    return Student(
        model=begun.model,
        split=split,
        vectors=vectors,
        seed=spec.seed,
        teacher=teacher_signal(spec, split, store, device) if vectors.needs_teacher else None,
        checkpoint=begun.folder / files.CHECKPOINT,
        fingerprint=f"{spec.id} {code_digest()}",
    )


def _resumed(stack: Sequence[Begun], students: Sequence[Student], device: str) -> list[Outcome]:
    """Train, from the last checkpoints if they fit; else they are dropped with a warning."""
    spec = stack[0].spec

    def train() -> list[Outcome]:
        name = spec.data.name
        return train_many(students, spec.recipe, device=device, dataset_name=name, bar=False)

    try:
        return train()
    except CheckpointError as error:
        warnings.warn(f"{len(students)} runs start again: {error}", stacklevel=2)
        for begun in stack:
            (begun.folder / files.CHECKPOINT).unlink(missing_ok=True)
        return train()
