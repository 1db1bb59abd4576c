"""Teacher caches: precomputed logits, kept in the store and shared by students.

Of all views of the images where the students of a teacher ask for as many; else, where several of
one seed have the same teacher, of the views that this seed visits.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from kdlib.data import Split
from kdlib.data.image_folders import PUBLISHED
from kdlib.files import write_atomically
from kdlib.locks import held
from kdlib.runs.build import dataset_for, model_for, training_split
from kdlib.runs.spec import RunSpec
from kdlib.runs.store import Store
from kdlib.training import Recipe, TeacherSignal
from kdlib.training.steps import fuses
from kdlib.training.teacher_views import (
    BYTES_A_LOGIT,
    TeacherTable,
    VisitedViews,
    every_view,
    logits_on,
    table_bytes,
    table_pays,
    table_shape,
    visits,
    visits_bytes,
)

log = logging.getLogger("kdlib.runs")

FOLDER = "views"
LARGEST_TABLE = 4 * 2**30
"""Bytes; a larger table is not built, and the teacher answers by forward passes."""


def teacher_signal(
    spec: RunSpec, split: Split, store: Store, device: str, *, fused: bool = False
) -> nn.Module | TeacherSignal | None:
    """What answers for the spec's teacher: a cache where it is there or pays, else the network.

    In fp32 on a CPU both give the same bits, so results do not depend on what is in the store.

    Args:
        spec: of the student.
        split: that trains it.
        store: with its teacher.
        device: where it trains.
        fused: whether by fused steps (``takes_fused_steps``).
    """
    if spec.teacher is None:
        return None
    if isinstance(split.images, Tensor):
        path = table_path(spec, split, store, fused)
        if _fits(spec, split) and (path.exists() or table_pays(spec.recipe)):
            return TeacherTable(_table(spec, split, store, device, fused), device)
        if same_bits(spec, device) and visits_path(spec, split, store, fused).exists():
            return _visited(spec, split, store, device, fused)
    return store.finished(spec.teacher).model()


def takes_fused_steps(spec: RunSpec, device: str) -> bool:
    """Whether a training of the spec by itself takes fused steps, as the environment asks."""
    return fuses(device, spec.recipe, lambda: model_for(spec, dataset_for(spec)))


def by_teacher(specs: Sequence[RunSpec]) -> list[list[RunSpec]]:
    """Groups of students that share teacher, data and recipe, and so a table."""
    groups: dict[tuple[object, ...], list[RunSpec]] = {}
    for spec in specs:
        if spec.teacher is not None:
            groups.setdefault((spec.teacher, spec.data, spec.recipe), []).append(spec)
    return list(groups.values())


def same_bits(spec: RunSpec, device: str) -> bool:
    """Whether its results are the same with a table and without one: in fp32 on a CPU."""
    return device == "cpu" and spec.recipe.precision == "fp32"


def build_shared_table(
    students: Sequence[RunSpec], store: Store, device: str, *, fused: bool = False
) -> None:
    """Build what these students' teacher answers with, where that pays for them together.

    A table of all views, where as many seeds ask for them; else, for each seed that several of them
    have, the logits on the views that it visits. Only for fp32 on a CPU, where results are the same
    with a cache and without one: a run must not depend on what was asked for beside it.

    Args:
        students: a group of ``by_teacher``; their teacher is in the store.
        store: where the table is kept.
        device: where the students will train.
        fused: whether by fused steps.
    """
    spec = students[0]
    assert spec.teacher is not None
    if not same_bits(spec, device) or spec.data.name in PUBLISHED:
        return
    if store.finished(spec.teacher).status == "diverged":
        return
    split = training_split(spec, dataset_for(spec))
    if table_path(spec, split, store, fused).exists():
        return
    if table_pays(spec.recipe, len({student.seed for student in students})):
        if _fits(spec, split):
            _table(spec, split, store, device, fused)
        return
    for first in of_shared_seeds(students):
        missing = not visits_path(first, split, store, fused).exists()
        if missing and visits_bytes(*_size(first, split)) <= LARGEST_TABLE:
            _visited(first, split, store, device, fused)


def of_shared_seeds(students: Sequence[RunSpec]) -> list[RunSpec]:
    """The first student of each seed that several have; see ``by_teacher``."""
    seeds = Counter(spec.seed for spec in students)
    firsts = {spec.seed: spec for spec in reversed(students)}
    return [firsts[seed] for seed, count in seeds.items() if count > 1]


def table_path(spec: RunSpec, split: Split, store: Store, fused: bool = False) -> Path:
    """Where the table of all views lies: named by all that decides it, but for the device."""
    return _path(spec, split, store, fused)


def visits_path(spec: RunSpec, split: Split, store: Store, fused: bool = False) -> Path:
    """Where the logits on the views lie that the spec's seed visits; as ``table_path``."""
    return _path(spec, split, store, fused, "visits", spec.seed, spec.recipe.last_epoch)


def _path(spec: RunSpec, split: Split, store: Store, fused: bool, *more: str | int) -> Path:
    assert spec.teacher is not None
    recipe = spec.recipe
    answers = "bf16, folded" if recipe.precision == "bf16" else f"fp32{', fused' * fused}"
    views = (recipe.crop_padding, recipe.flip, recipe.input_scaling, answers)
    key = json.dumps([spec.teacher.id, split.digest, *views, *more])
    return store.root / FOLDER / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.safetensors"


def _size(spec: RunSpec, split: Split) -> tuple[Recipe, int, int]:
    return spec.recipe, len(split), split.num_classes


def _fits(spec: RunSpec, split: Split) -> bool:
    return table_bytes(*_size(spec, split)) <= LARGEST_TABLE


def _table(spec: RunSpec, split: Split, store: Store, device: str, fused: bool) -> Tensor:
    """The table of all views ``[N, V, L]``; see ``_kept``."""
    every, path = every_view(spec.recipe, len(split)), table_path(spec, split, store, fused)
    kept = _kept(every, path, spec, split, store, device, fused)
    return kept.reshape(table_shape(*_size(spec, split)))


def _visited(spec: RunSpec, split: Split, store: Store, device: str, fused: bool) -> VisitedViews:
    """What answers on the views that the spec's seed visits; see ``_kept``."""
    wanted = visits(spec.recipe, len(split), spec.seed)
    path = visits_path(spec, split, store, fused)
    logits = _kept(wanted, path, spec, split, store, device, fused)
    return VisitedViews(wanted, logits, table_shape(*_size(spec, split))[1])


def _kept(
    wanted: Tensor, path: Path, spec: RunSpec, split: Split, store: Store, device: str, fused: bool
) -> Tensor:
    """Logits from the store; built first, by one process, if they are missing or damaged."""
    assert spec.teacher is not None
    with held(path.with_suffix(".lock"), f"the cache of teacher {spec.teacher.id}"):
        found = _read(path, (len(wanted), split.num_classes))
        if found is not None:
            return found
        size = BYTES_A_LOGIT * len(wanted) * split.num_classes / 2**20
        log.info("teacher %s: a cache of %.1f MiB of precomputed logits", spec.teacher.id, size)
        logits = logits_on(
            wanted, store.finished(spec.teacher).model(), split, spec.recipe,
            dataset_name=spec.data.name, device=device, fused=fused,
        )  # fmt: skip
        write_atomically(path, save({"logits": logits}, metadata={"sha256": _digest(logits)}))
    return logits


def _read(path: Path, shape: tuple[int, int]) -> Tensor | None:
    """The logits in ``path``; None where they are missing, damaged or of another shape."""
    try:
        with safe_open(path, framework="pt") as file:
            recorded = (file.metadata() or {}).get("sha256")
            table = file.get_tensor("logits")
    except (SafetensorError, OSError):
        return None
    if table.numel() != math.prod(shape) or _digest(table) != recorded:
        return None
    return table.reshape(shape)


def _digest(table: Tensor) -> str:
    return hashlib.sha256(table.reshape(-1).view(torch.uint8).numpy().data).hexdigest()
