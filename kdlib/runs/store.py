"""The store: one folder a run, named by the run's id, believed only when its hashes agree.

A folder holds ``spec.json``, ``history.csv``, ``per_class.csv``, ``timing.csv``,
``environment.json``, ``outcome.json``, ``weights.safetensors``, ``logits.safetensors`` and, written
last, ``done`` with the SHA-256 of each. A folder without ``done`` is a training under way.
"""

from __future__ import annotations

import io
import json
import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from filelock import FileLock
from safetensors import safe_open
from safetensors.numpy import save as save_arrays

from kdlib.errors import StoreError
from kdlib.files import UNFINISHED, sha256_of, write_atomically
from kdlib.runs.official_test import (
    HALVES,
    OFFICIAL_TEST,
    in_official_order,
    put_together,
    refuse_official_test,
)
from kdlib.runs.spec import ID_DIGITS, RunSpec

if TYPE_CHECKING:
    from torch import nn

DONE = "done"
CHECKPOINT = "checkpoint.safetensors"
ALWAYS_WRITTEN = (
    "environment.json", "history.csv", "outcome.json", "per_class.csv", "spec.json", "timing.csv",
)  # fmt: skip
WRITTEN_IF_COMPLETED = ("logits.safetensors", "weights.safetensors")
MULTIPLIERS = "multipliers.safetensors"
EVALUATED_SPLITS = ("dev", "validation", "test")


class DamagedRunWarning(UserWarning):
    """A finished run's files no longer match their hashes; it was set aside."""


@dataclass(frozen=True, eq=False)
class RunResult:
    """What one finished run left behind. Arrays are read from disk when asked for."""

    spec: RunSpec
    folder: Path

    @cached_property
    def _outcome(self) -> dict[str, Any]:
        return json.loads((self.folder / "outcome.json").read_text())

    @property
    def status(self) -> str:
        """``completed`` or ``diverged``."""
        return self._outcome["status"]

    @property
    def diverged_step(self) -> int | None:
        """The step at which the loss stopped being finite; ``None`` if it never did.

        It is also ``None`` for a run that diverged because a run that it builds on did.
        """
        return self._outcome["diverged_step"]

    @cached_property
    def history(self) -> pd.DataFrame:
        """One row an epoch: epoch, loss, accuracy, rate."""
        return pd.read_csv(self.folder / "history.csv")

    @cached_property
    def timing(self) -> pd.DataFrame:
        """One row an epoch: epoch, seconds, images per second, as measured."""
        return pd.read_csv(self.folder / "timing.csv")

    @cached_property
    def per_class(self) -> pd.DataFrame:
        """One row a split and class: split, label, count, accuracy, log_loss, margin.

        Accuracy in [0, 1], log-loss in nats. NaN where a class is empty or the run diverged.
        """
        return pd.read_csv(self.folder / "per_class.csv")

    @cached_property
    def environment(self) -> dict[str, Any]:
        """Versions, device, threads, commit, data digests, start and seconds of the training.

        And how a step was taken: ``step`` is eager, captured or compiled, or null where nothing
        was trained; ``together`` students and ``processes`` shared it. Older runs lack some of it.
        """
        return json.loads((self.folder / "environment.json").read_text())

    @property
    def together(self) -> int:
        """How many students shared each step of the training; 1 where it was trained alone."""
        return int(self.environment.get("together", 1))  # older runs do not say it: all alone

    @property
    def saw_validation(self) -> bool:
        """Whether validation images had a say in it, so that they cannot test it."""
        return self.spec.saw_validation

    def class_rows(self, split: str = "test") -> pd.DataFrame:
        """The rows of ``per_class`` on one split by label, without its name.

        Args:
            split: ``dev``, ``validation``, ``test``, or ``official_test``: both of the last two,
                which are halves of the official test set.

        Raises:
            StoreError: no such split, or an official test set that this run may not be tested on
                (``kdlib.runs.official_test``).
        """
        rows = self.per_class[self.per_class["split"].isin(self._parts(split))]
        if split == OFFICIAL_TEST:
            return put_together(rows)
        return rows.drop(columns="split").sort_values("label").reset_index(drop=True)

    def accuracy(self, split: str = "test") -> np.ndarray:
        """Accuracy by class ``[L]`` in [0, 1] on a split, as ``class_rows`` names them."""
        return self.class_rows(split)["accuracy"].to_numpy()

    def logits(self, split: str) -> np.ndarray:
        """Raw logits ``[N, L]`` on a split, as ``class_rows`` names them."""
        return self._stored(split, "logits")

    def labels(self, split: str) -> np.ndarray:
        """Labels ``[N]`` in the order of ``logits(split)``."""
        return self._stored(split, "labels")

    def index(self, split: str) -> np.ndarray:
        """Rows ``[N]`` of the source data set in the order of ``logits(split)``."""
        return self._stored(split, "index")

    @cached_property
    def multipliers(self) -> dict[str, np.ndarray] | None:
        """The path of the class multipliers, or None for a run that has none.

        ``steps`` ``[K]``, ``errors`` ``[K, L]`` in [0, 1] for the 0-1 error, and
        ``log_multipliers`` ``[K, L]`` after each of K moves.
        """
        path = self.folder / MULTIPLIERS
        if not path.exists():
            return None
        with safe_open(path, framework="np") as arrays:
            return {name: arrays.get_tensor(name) for name in arrays.keys()}  # noqa: SIM118

    def model(self) -> nn.Module:
        """The trained network with its final weights, in evaluation mode, on the CPU."""
        from safetensors.torch import load_file

        from kdlib.runs.build import model_for

        model = model_for(self.spec)
        model.load_state_dict(load_file(self.folder / "weights.safetensors"))
        return model.eval()

    def _parts(self, split: str) -> tuple[str, ...]:
        """The evaluated splits that make up ``split``."""
        if split in EVALUATED_SPLITS:
            return (split,)
        if split != OFFICIAL_TEST:
            known = ", ".join((*EVALUATED_SPLITS, OFFICIAL_TEST))
            raise StoreError(f"split = {split!r} is not known: {known}")
        refuse_official_test(self.spec.data.name, self.saw_validation)
        return HALVES

    def _stored(self, split: str, kind: str) -> np.ndarray:
        parts = self._parts(split)
        arrays = [self._array(f"{part}.{kind}") for part in parts]
        if len(parts) == 1:
            return arrays[0]
        return in_official_order(arrays, [self._array(f"{part}.index") for part in parts])

    def _array(self, name: str) -> np.ndarray:
        if self.status == "diverged":
            raise StoreError(f"run {self.spec.id} diverged: it holds no {name}")
        with safe_open(self.folder / "logits.safetensors", framework="np") as arrays:
            return arrays.get_tensor(name)


class Store:
    """Finished runs under one folder, and the locks that let processes share it.

    Args:
        root: the folder; by default ``KDLIB_STORE``, else ``kdlib/runs`` in the user's cache.
    """

    def __init__(self, root: Path | str | None = None) -> None:
        self.root = Path(root) if root is not None else default_root()

    def folder(self, spec: RunSpec) -> Path:
        """Where the run lies, whether it is there or not."""
        return self.root / spec.id

    def lock(self, spec: RunSpec) -> FileLock:
        """The run's lock. The system lets go of it when its process dies, however it dies."""
        folder = self.root / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        return FileLock(folder / f"{spec.id}.lock")

    def get(self, spec: RunSpec) -> RunResult | None:
        """The finished run, or ``None``. A damaged one is named, set aside, and ``None``."""
        folder = self.folder(spec)
        if not (folder / DONE).exists():
            return None
        if damage(folder) is None:
            return RunResult(spec, folder)
        with self.lock(spec):
            return self.get_locked(spec)

    def get_locked(self, spec: RunSpec) -> RunResult | None:
        """As ``get``, for a caller that holds the run's lock; the lock cannot be taken twice."""
        folder = self.folder(spec)
        if not (folder / DONE).exists():
            return None
        complaint = damage(folder)
        if complaint is None:
            return RunResult(spec, folder)
        self._set_aside(folder, complaint)
        return None

    def finished(self, spec: RunSpec) -> RunResult:
        """The finished run.

        Raises:
            StoreError: it is not trained yet.
        """
        result = self.get(spec)
        if result is None:
            raise StoreError(f"run {spec.id} ({spec.label()}) is not trained yet")
        return result

    def results(self) -> Iterator[RunResult]:
        """All finished, undamaged runs that this kdlib can read, sorted by id. Changes nothing."""
        for done in sorted(self.root.glob(f"*/{DONE}")):
            spec = None if damage(done.parent) else readable_spec(done.parent)
            if spec is not None:
                yield RunResult(spec, done.parent)

    def complaints(self) -> Iterator[tuple[Path, str]]:
        """Each damaged folder of a finished run, and what is wrong with it. Changes nothing."""
        for done in sorted(self.root.glob(f"*/{DONE}")):
            complaint = damage(done.parent)
            if complaint is not None:
                yield done.parent, complaint

    def find(self, prefix: str) -> RunResult:
        """The one finished run whose id begins with ``prefix``.

        Raises:
            StoreError: no such run, or more than one.
        """
        found = [result for result in self.results() if result.spec.id.startswith(prefix)]
        if len(found) != 1:
            held = "no run" if not found else f"{len(found)} runs"
            raise StoreError(f"{held} with an id that begins with {prefix!r} in {self.root}")
        return found[0]

    def _set_aside(self, folder: Path, complaint: str) -> None:
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        aside = self.root / "damaged" / f"{folder.name}-{moment}"
        aside.parent.mkdir(parents=True, exist_ok=True)
        os.replace(folder, aside)
        warnings.warn(
            f"run {folder.name} is damaged ({complaint}): moved to {aside}, to be trained again",
            DamagedRunWarning,
            stacklevel=4,
        )


def default_root() -> Path:
    """``KDLIB_STORE`` if set, else ``kdlib/runs`` in the user's cache folder."""
    named = os.environ.get("KDLIB_STORE")
    if named:
        return Path(named).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("kdlib") / "runs"


def readable_spec(folder: Path) -> RunSpec | None:
    """The spec that a run's folder holds; ``None`` where another kdlib wrote other fields."""
    try:
        return RunSpec.model_validate_json((folder / "spec.json").read_bytes())
    except ValueError:
        return None


def damage(folder: Path) -> str | None:
    """What is wrong with a finished run's folder, in a few words, or ``None``."""
    try:
        hashes = json.loads((folder / DONE).read_text())["sha256"]
        changed = [name for name, digest in hashes.items() if sha256_of(folder / name) != digest]
        if changed:
            return f"{changed[0]} was altered"
        identity = sha256_of(folder / "spec.json")[:ID_DIGITS]
        if identity != folder.name:
            return "spec.json belongs to another run"
        outcome = json.loads((folder / "outcome.json").read_text())
        unlisted = sorted(_expected(outcome["status"]) - hashes.keys())
        return f"done does not list {unlisted[0]}" if unlisted else None
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except (IsADirectoryError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"unreadable: {type(error).__name__}"
    except OSError as error:  # rights, too many open files, a failing disk: not the run's fault
        raise StoreError(f"run {folder.name} in {folder.parent}: {error.strerror}") from error


def _expected(status: str) -> set[str]:
    """The files that a finished run has."""
    return {*ALWAYS_WRITTEN, *(() if status == "diverged" else WRITTEN_IF_COMPLETED)}


def write_table(path: Path, table: pd.DataFrame) -> None:
    """CSV with full float precision, so that reading it back gives the same numbers."""
    buffer = io.StringIO()
    table.to_csv(buffer, index=False, lineterminator="\n")
    write_atomically(path, buffer.getvalue().encode())


def write_json(path: Path, value: dict[str, Any]) -> None:
    """Sorted, indented JSON."""
    write_atomically(path, (json.dumps(value, indent=2, sort_keys=True) + "\n").encode())


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Named arrays as safetensors: nothing in it can run when it is read."""
    write_atomically(path, save_arrays({k: np.ascontiguousarray(v) for k, v in arrays.items()}))


def finish(folder: Path) -> None:
    """Write ``done`` with the hash of every result, then drop what the training left behind."""
    names = {*ALWAYS_WRITTEN, *WRITTEN_IF_COMPLETED, MULTIPLIERS}
    kept = sorted(path for path in folder.iterdir() if path.name in names)
    write_json(folder / DONE, {"sha256": {path.name: sha256_of(path) for path in kept}})
    for path in folder.iterdir():
        if path.name == CHECKPOINT or path.name.startswith(UNFINISHED):
            path.unlink()
