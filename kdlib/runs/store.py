"""The store: one folder a run, named by the run's id, believed only when its hashes agree.

A folder holds ``spec.json``, ``history.csv``, ``per_class.csv``, ``timing.csv``,
``environment.json``, ``outcome.json``, ``weights.safetensors``, ``logits.safetensors`` and, written
last, ``done`` with the SHA-256 of each. A folder without ``done`` is a training under way.
"""

from __future__ import annotations

import json
import os
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from safetensors import safe_open

from kdlib.errors import StoreError
from kdlib.folders import absolute, user_folder
from kdlib.locks import held
from kdlib.names import choices
from kdlib.runs.official_test import (
    HALVES,
    OFFICIAL_TEST,
    in_official_order,
    put_together,
    refuse_official_test,
)
from kdlib.runs.run_files import (
    DONE,
    MULTIPLIERS,
    complaint,
    damage,
    is_finished,
    is_id,
    readable_spec,
)
from kdlib.runs.spec import RunSpec

if TYPE_CHECKING:
    from torch import nn

LOCKS, DAMAGED = "locks", "damaged"
"""Folders of the store, beside those of the runs."""
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
            known = choices(split, (*EVALUATED_SPLITS, OFFICIAL_TEST))
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
        root: the folder, made absolute; by default ``KDLIB_STORE``, else ``kdlib/runs`` in the
            user's cache.

    Raises:
        SettingError: no folder is named, and this user has no home.
    """

    def __init__(self, root: Path | str | None = None) -> None:
        self.root = absolute(root, "store") if root is not None else default_root()

    def folder(self, spec: RunSpec) -> Path:
        """Where the run lies, whether it is there or not."""
        return self.root / spec.id

    def lock(self, spec: RunSpec) -> AbstractContextManager[None]:
        """The run's lock, for a ``with``. A wait for it is said after some seconds."""
        return held(self.lock_file(spec.id), f"run {spec.id} ({spec.label()})")

    def lock_file(self, name: str) -> Path:
        """Where the lock of the run or the forest with that id lies."""
        return self.root / LOCKS / f"{name}.lock"

    def get(self, spec: RunSpec) -> RunResult | None:
        """The finished run, or ``None``. A damaged one is named, set aside, and ``None``."""
        folder = self.folder(spec)
        if not is_finished(folder):
            return None
        if damage(folder) is None:
            return RunResult(spec, folder)
        with self.lock(spec):
            return self.get_locked(spec)

    def get_locked(self, spec: RunSpec) -> RunResult | None:
        """As ``get``, for a caller that holds the run's lock; the lock cannot be taken twice."""
        folder = self.folder(spec)
        if not is_finished(folder):
            return None
        found = damage(folder)
        if found is None:
            return RunResult(spec, folder)
        self._set_aside(folder, found)
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
        for entry in self.entries():
            spec = None if complaint(entry) or not is_finished(entry) else readable_spec(entry)
            if spec is not None:
                yield RunResult(spec, entry)

    def complaints(self) -> Iterator[tuple[Path, str]]:
        """Each damaged entry, and what is wrong with it. Changes nothing; no error ends it."""
        for entry in self.entries():
            if (found := complaint(entry)) is not None:
                yield entry, found

    def entries(self) -> list[Path]:
        """All that has a run's name, or claims to be finished, sorted by name."""
        there = sorted(self.root.iterdir()) if self.root.is_dir() else []
        return [path for path in there if is_id(path.name) or os.path.lexists(path / DONE)]

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

    def _set_aside(self, folder: Path, found: str) -> None:
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        aside = self.root / DAMAGED / f"{folder.name}-{moment}"
        aside.parent.mkdir(parents=True, exist_ok=True)
        os.replace(folder, aside)
        warnings.warn(
            f"run {folder.name} is damaged ({found}): moved to {aside}, to be trained again",
            DamagedRunWarning,
            stacklevel=4,
        )


def default_root() -> Path:
    """``KDLIB_STORE`` if set, else ``kdlib/runs`` in the user's cache folder."""
    return user_folder("KDLIB_STORE", "runs")
