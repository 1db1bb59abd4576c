"""The store: one folder per run, named by the run's id, believed only when its hashes agree.

A folder holds ``spec.json``, ``history.csv``, ``per_class.csv``, ``timing.csv``,
``environment.json``, ``outcome.json``, ``weights.safetensors``, ``logits.safetensors`` and, written
last, ``done`` with the SHA-256 of each. A folder without ``done`` is a training under way.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path

from kdlib.errors import StoreError
from kdlib.folders import absolute, user_folder
from kdlib.locks import held
from kdlib.runs.result import RunResult
from kdlib.runs.run_files import DONE, complaint, damage, is_finished, is_id, readable_spec
from kdlib.runs.spec import RunSpec

LOCKS, DAMAGED = "locks", "damaged"
"""Folders of the store, beside those of the runs."""


class DamagedRunWarning(UserWarning):
    """A finished run's files no longer match their hashes; it was set aside."""


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

    def look(self, spec: RunSpec) -> RunResult | None:
        """As ``get``, but it changes nothing: a damaged run stays where it is."""
        folder = self.folder(spec)
        if not is_finished(folder) or complaint(folder) is not None:
            return None
        return RunResult(spec, folder)

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
