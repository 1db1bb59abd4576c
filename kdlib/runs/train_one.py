"""Train one spec into the store: what a worker process does."""

from __future__ import annotations

import hashlib
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import save
from torch import nn

from kdlib import metrics
from kdlib.data import Dataset, Split
from kdlib.errors import StoreError
from kdlib.files import write_atomically
from kdlib.runs import run_files as files
from kdlib.runs.build import dataset_for, model_for, training_split
from kdlib.runs.machine import environment
from kdlib.runs.result import EVALUATED_SPLITS, RunResult
from kdlib.runs.spec import RunSpec
from kdlib.runs.store import Store
from kdlib.runs.teacher_tables import takes_fused_steps, teacher_signal
from kdlib.runs.vectors import loss_vectors, multipliers_for
from kdlib.training import CheckpointError, Outcome, predict_logits, processes, train

log = logging.getLogger("kdlib.runs")

_RESULT_COLUMNS = ["epoch", "loss", "accuracy", "rate"]
_TIMING_COLUMNS = ["epoch", "seconds", "images_per_second"]


def train_one(
    spec: RunSpec, store: Store, *, device: str, threads: int, bar: bool = False
) -> RunResult:
    """Return the run from the store; train it first if it is not there.

    Holds the run's lock, so a second process that wants the same run waits and then reads. A
    training that was killed goes on from its last checkpoint.

    Raises:
        StoreError: the store cannot be read or written, e.g. because the disk is full. What is
            finished is kept.
    """
    try:
        return _train_locked(spec, store, device=device, threads=threads, bar=bar)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"run {spec.id} cannot be kept in {store.root}: {reason}") from error


def _train_locked(
    spec: RunSpec, store: Store, *, device: str, threads: int, bar: bool
) -> RunResult:
    with store.lock(spec) if processes.is_first() else nullcontext():
        if processes.from_first(lambda: store.get_locked(spec) is None):
            log.info("training %s: %s", spec.id, spec.label())
            with torch_threads(threads):
                train_into(spec, store, device=device, bar=bar)
    return RunResult(spec, store.folder(spec))


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """Let torch use ``count`` threads inside the block, and as many as before after it."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@dataclass(frozen=True, eq=False)
class Begun:
    """A run whose training begins: its spec is in its folder."""

    spec: RunSpec
    folder: Path
    dataset: Dataset
    model: nn.Module
    started: datetime


def begin(spec: RunSpec, store: Store) -> Begun:
    """Write the spec down; load the data, and the network at its initial weights."""
    folder = store.folder(spec)
    processes.from_first(
        lambda: write_atomically(folder / "spec.json", spec.canonical_json().encode())
    )
    started = datetime.now(UTC)
    dataset = dataset_for(spec)
    return Begun(spec, folder, dataset, model_for(spec, dataset), started)


def train_into(spec: RunSpec, store: Store, *, device: str, bar: bool = False) -> None:
    """Train a run and keep it, for a caller that holds its lock."""
    begun = begin(spec, store)
    if processes.from_first(lambda: builds_on_a_diverged_run(spec, store)):
        outcome = Outcome("diverged")
    else:
        outcome = _resumed(begun, store, device=device, bar=bar)
    processes.from_first(lambda: keep(begun, outcome, device))


def keep(begun: Begun, outcome: Outcome, device: str, together: int = 1) -> None:
    """Write all that the training came to; ``together`` students shared each step."""
    _write_outcome(begun.folder, outcome)
    _write_evaluation(begun, outcome)
    told = environment(device, _splits(begun), begun.started, together)
    files.write_json(begun.folder / "environment.json", told | {"step": outcome.step})
    files.finish(begun.folder)


def _splits(begun: Begun) -> list[Split]:
    dataset = begun.dataset
    training = training_split(begun.spec, dataset)
    return [training, dataset.dev, dataset.validation, dataset.test]


def builds_on_a_diverged_run(spec: RunSpec, store: Store) -> bool:
    """Whether a teacher or an estimator of the run diverged; then there is nothing to train."""
    return any(store.finished(parent).status == "diverged" for parent in spec.parents())


def _resumed(begun: Begun, store: Store, *, device: str, bar: bool) -> Outcome:
    """Train, from the last checkpoint if it fits; one that does not fit is dropped with a warning.

    It fits only the code that wrote it: half a training under one version and half under another
    is neither.
    """
    spec, dataset, model = begun.spec, begun.dataset, begun.model
    settings: dict[str, Any] = {
        "seed": spec.seed,
        "device": device,
        "dataset_name": spec.data.name,
        "checkpoint": begun.folder / files.CHECKPOINT,
        "fingerprint": f"{spec.id} {code_digest()}",
        "bar": bar,
    }
    vectors = loss_vectors(spec, dataset, store)
    split = training_split(spec, dataset)
    if vectors.needs_teacher:
        settings["teacher"] = processes.first_before_others(
            lambda: teacher_signal(
                spec, split, store, device, fused=takes_fused_steps(spec, device)
            )
        )
    settings["multipliers"] = multipliers_for(spec, dataset, store, device)
    try:
        return train(model, split, vectors, spec.recipe, **settings)
    except CheckpointError as error:
        warnings.warn(f"run {spec.id} starts again: {error}", stacklevel=2)
        processes.from_first(settings["checkpoint"].unlink)
        return train(model, split, vectors, spec.recipe, **settings)


@cache
def code_digest() -> str:
    """A hash of the sources that decide what a training comes to."""
    text = b"".join(path.read_bytes() for path in sources())
    return hashlib.sha256(text).hexdigest()[:16]


def sources() -> list[Path]:
    """These sources, sorted; those in C++ too."""
    package = Path(__file__).parents[1]
    rooms = [package / room for room in ("data", "losses", "models", "training")]
    found = [path for room in rooms for kind in ("*.py", "*.cpp") for path in room.rglob(kind)]
    return sorted(
        [*found, *(package / name for name in ("seeds.py", "runs/build.py", "runs/vectors.py"))]
    )


def _write_outcome(folder: Path, outcome: Outcome) -> None:
    history = pd.DataFrame(outcome.history)
    files.write_table(folder / "history.csv", history.reindex(columns=_RESULT_COLUMNS))
    files.write_table(folder / "timing.csv", history.reindex(columns=_TIMING_COLUMNS))
    verdict = {"status": outcome.status, "diverged_step": outcome.diverged_step}
    files.write_json(folder / "outcome.json", verdict)
    if outcome.multipliers is not None:
        arrays = {name: tensor.numpy() for name, tensor in outcome.multipliers.items()}
        files.write_arrays(folder / files.MULTIPLIERS, arrays)


def _write_evaluation(begun: Begun, outcome: Outcome) -> None:
    folder, dataset = begun.folder, begun.dataset
    diverged = outcome.status == "diverged"
    arrays: dict[str, np.ndarray] = {}
    tables = []
    for name in EVALUATED_SPLITS:
        split: Split = getattr(dataset, name)
        if diverged:
            tables.append(_unknown(split))
            continue
        logits = _logits(begun.spec, begun.model, split, outcome)
        tables.append(per_class_table(name, logits, split.labels.numpy(), dataset.num_classes))
        arrays |= {f"{name}.logits": logits, f"{name}.labels": split.labels.numpy()}
        arrays[f"{name}.index"] = split.index.numpy()
    files.write_table(folder / "per_class.csv", pd.concat(tables, ignore_index=True))
    if not diverged:
        files.write_arrays(folder / "logits.safetensors", arrays)
        weights = {k: v.cpu().contiguous() for k, v in begun.model.state_dict().items()}
        write_atomically(folder / "weights.safetensors", save(weights))


def _logits(spec: RunSpec, model: nn.Module, split: Split, outcome: Outcome) -> np.ndarray:
    """Of the last network; of the averaged iterate where the run asks for it."""
    if outcome.averaged is not None:
        return outcome.averaged[split.name].numpy()
    scaling = spec.recipe.input_scaling
    logits = predict_logits(model, split.images, scaling=scaling, dataset_name=spec.data.name)
    return logits.numpy()


def per_class_table(
    split: str, logits: np.ndarray, labels: np.ndarray, num_classes: int
) -> pd.DataFrame:
    """One row per class: split, label, count, accuracy, mean log-loss, mean margin.

    A class without examples has count 0 and NaN: a class with one training image has no dev image.
    """
    values = np.stack(
        [
            (logits.argmax(axis=1) == labels).astype(float),
            metrics.log_loss(logits, labels),
            metrics.margin(logits, labels),
        ]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", metrics.EmptyGroupWarning)  # the column count says it
        accuracy, log_loss, margin = metrics.class_means(values, labels, num_classes)
    counts = np.bincount(labels, minlength=num_classes)
    table = pd.DataFrame({"split": split, "label": range(num_classes), "count": counts})
    return table.assign(accuracy=accuracy, log_loss=log_loss, margin=margin)


def _unknown(split: Split) -> pd.DataFrame:
    counts = split.class_counts.numpy()
    table = pd.DataFrame({"split": split.name, "label": range(len(counts)), "count": counts})
    return table.assign(accuracy=np.nan, log_loss=np.nan, margin=np.nan)
