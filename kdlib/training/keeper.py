"""Keeping a training: a checkpoint every few epochs, and the way back from it."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, cast

from kdlib.errors import SettingError
from kdlib.training import processes
from kdlib.training.checkpoint import (
    Snapshot,
    capture,
    load_checkpoint,
    restore,
    save_checkpoint,
)
from kdlib.training.job import Job
from kdlib.training.progress import EpochRecord


class Keeper:
    """Saves a training every few epochs, and brings it back; does nothing without a path."""

    def __init__(self, job: Job, path: Path | None, every: int, fingerprint: str) -> None:
        if every < 1:
            raise SettingError(f"checkpoint_every = {every}: at least 1")
        self._job, self._path, self._every = job, path, every
        self._identity = _identity(job, fingerprint)

    def resume(self) -> list[EpochRecord]:
        """Restore the last checkpoint into the job, if any; return the epochs it covers."""
        snapshot = self.load()
        return [] if snapshot is None else self.restore(snapshot)

    def load(self) -> Snapshot | None:
        """The last checkpoint, if any; nothing is restored."""
        if self._path is None:
            return None
        path, model = self._path, self._job.model
        return processes.from_first(lambda: load_checkpoint(path, model, self._identity))

    def restore(self, snapshot: Snapshot) -> list[EpochRecord]:
        """Put ``load``'s checkpoint into the job; return the epochs it covers."""
        restore(snapshot, self._job.model, self._job.optimizer)
        if self._job.multipliers is not None:
            self._job.multipliers.load_state(snapshot.multipliers)
        return cast(list[EpochRecord], snapshot.history)

    def save(self, history: list[EpochRecord]) -> None:
        """Write a checkpoint, if one is due after as many epochs as ``history`` has."""
        if not processes.is_first():
            return
        if self._path is not None and len(history) % self._every == 0:
            plain = cast(list[dict[str, Any]], history)
            job = self._job
            path = None if job.multipliers is None else job.multipliers.state()
            snapshot = capture(job.model, job.optimizer, plain, self._identity, path)
            save_checkpoint(self._path, snapshot)


def _identity(job: Job, fingerprint: str) -> dict[str, str]:
    """What a checkpoint must agree in: all that decides the result, as far as it is cheap to tell.

    The teacher is named by the caller's ``fingerprint``.
    """
    return {
        "recipe": _hash(job.recipe.canonical_json().encode()),
        "seed": str(job.seed),
        "split": job.split.digest,
        "objective": job.vectors.digest,
        "multipliers": "none" if job.multipliers is None else job.multipliers.digest,
        "fused": str(job.step_kind == "fused"),  # rounds otherwise; the other kinds may take over
        "fingerprint": repr(fingerprint),
    }


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
