"""Teacher caches: precomputed logits, kept in the store and shared by students.

Of all views of the images where the students of a teacher ask for as many; else, where several of
one seed have the same teacher, of the views that this seed visits.
"""

from __future__ import annotations

import hashlib
import json
import logging
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
from kdlib.runs.build import dataset_for, training_split
from kdlib.runs.spec import RunSpec
from kdlib.runs.store import Store
from kdlib.training import TeacherSignal
from kdlib.training.steps import fuses
from kdlib.training.teacher_views import (
    BYTES_A_LOGIT,
    TeacherTable,
    VisitedViews,
    logits_on,
    table_bytes,
    table_pays,
    table_shape,
    visits,
)

log = logging.getLogger("kdlib.runs")

FOLDER = "views"
LARGEST_TABLE = 4 * 2**30
"""Bytes; a larger table is not built, and the teacher answers by forward passes."""


def teacher_signal(
    spec: RunSpec, split: Split, store: Store, device: str
) -> nn.Module | TeacherSignal | None:
    """What answers for the spec's teacher: a table where it is there or pays, else the network.

    In fp32 on a CPU both give the same bits, so results do not depend on what is in the store.
    """
    if spec.teacher is None:
        return None
    if not isinstance(split.images, Tensor) or not _fits(spec, split):
        return store.finished(spec.teacher).model()
    path = table_path(spec, split, store)
    if path.exists() or table_pays(spec.recipe):
        return TeacherTable(_table(spec, split, store, path, device), device)
    path = visits_path(spec, split, store)
    if path.exists() and same_bits(spec, device):
        return _visited(spec, split, store, path, device)
    return store.finished(spec.teacher).model()


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


def build_shared_table(students: Sequence[RunSpec], store: Store, device: str) -> None:
    """Build the table of these students' teacher where it pays for them together, or of visits.

    Only for fp32 on a CPU, where results are the same with a table and without one: a run must not
    depend on what was asked for beside it.

    Args:
        students: a group of ``by_teacher``; their teacher is in the store.
        store: where the table is kept.
        device: where the students will train.
    """
    spec = students[0]
    assert spec.teacher is not None
    if not same_bits(spec, device) or spec.data.name in PUBLISHED:
        return
    if store.finished(spec.teacher).status == "diverged":
        return
    split = training_split(spec, dataset_for(spec))
    path = table_path(spec, split, store)
    if path.exists() or not _fits(spec, split):
        return
    if table_pays(spec.recipe, len(students)):
        _table(spec, split, store, path, device)
        return
    for first in of_shared_seeds(students):
        path = visits_path(first, split, store)
        if not path.exists():
            _visited(first, split, store, path, device)


def of_shared_seeds(students: Sequence[RunSpec]) -> list[RunSpec]:
    """The first student of each seed that several have; see ``by_teacher``."""
    seeds = Counter(spec.seed for spec in students)
    firsts = {spec.seed: spec for spec in reversed(students)}
    return [firsts[seed] for seed, count in seeds.items() if count > 1]


def table_path(spec: RunSpec, split: Split, store: Store) -> Path:
    """Where the table of all views lies: named by all that decides it."""
    return _path(spec, split, store)


def visits_path(spec: RunSpec, split: Split, store: Store) -> Path:
    """Where the logits on the views lie that the spec's seed visits; as ``table_path``."""
    return _path(spec, split, store, "visits", spec.seed, spec.recipe.last_epoch)


def _path(spec: RunSpec, split: Split, store: Store, *more: str | int) -> Path:
    assert spec.teacher is not None
    recipe = spec.recipe
    answers: str = "bf16, folded" if recipe.precision == "bf16" else recipe.precision
    if fuses("cpu", recipe):
        answers += ", fused"
    views = (recipe.crop_padding, recipe.flip, recipe.input_scaling, answers)
    key = json.dumps([spec.teacher.id, split.digest, *views, *more])
    return store.root / FOLDER / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.safetensors"


def _fits(spec: RunSpec, split: Split) -> bool:
    return table_bytes(spec.recipe, len(split), split.num_classes) <= LARGEST_TABLE


def _table(spec: RunSpec, split: Split, store: Store, path: Path, device: str) -> Tensor:
    """The table of all views ``[N, V, L]``; see ``_kept``."""
    shape = table_shape(spec.recipe, len(split), split.num_classes)
    every = torch.arange(shape[0] * shape[1])
    return _kept(every, spec, split, store, path, device).reshape(shape)


def _visited(spec: RunSpec, split: Split, store: Store, path: Path, device: str) -> VisitedViews:
    """What answers on the views that the spec's seed visits; see ``_kept``."""
    wanted = visits(spec.recipe, len(split), spec.seed)
    views = table_shape(spec.recipe, len(split), split.num_classes)[1]
    return VisitedViews(wanted, _kept(wanted, spec, split, store, path, device), views)


def _kept(
    wanted: Tensor, spec: RunSpec, split: Split, store: Store, path: Path, device: str
) -> Tensor:
    """Logits from the store; built first, by one process, if they are missing or damaged."""
    assert spec.teacher is not None
    with held(path.with_suffix(".lock"), f"the cache of teacher {spec.teacher.id}"):
        found = _read(path, (len(wanted), split.num_classes))
        if found is not None:
            return found
        size = BYTES_A_LOGIT * len(wanted) * split.num_classes / 2**20
        log.info("teacher %s: a cache of %.1f MiB of precomputed logits", spec.teacher.id, size)
        teacher, fused = store.finished(spec.teacher).model(), fuses(device, spec.recipe)
        logits = logits_on(
            wanted, teacher, split, spec.recipe,
            dataset_name=spec.data.name, device=device, fused=fused,
        )  # fmt: skip
        write_atomically(path, save({"logits": logits}, metadata={"sha256": _digest(logits)}))
    return logits


def _read(path: Path, shape: tuple[int, ...]) -> Tensor | None:
    """The table in ``path``; None where it is missing, damaged or of another shape."""
    try:
        with safe_open(path, framework="pt") as file:
            recorded = (file.metadata() or {}).get("sha256")
            table = file.get_tensor("logits")
    except (SafetensorError, OSError):
        return None
    if tuple(table.shape) != shape or _digest(table) != recorded:
        return None
    return table


def _digest(table: Tensor) -> str:
    return hashlib.sha256(table.reshape(-1).view(torch.uint8).numpy().data).hexdigest()
