"""The stores that recorded runs may lie in, looked at and not touched; runs read from logits."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path

import pandas as pd

from kdlib.errors import StoreError
from kdlib.runs import RunResult, RunSpec, Store
from kdlib.runs.result import EVALUATED_SPLITS
from kdlib.runs.store import default_root
from kdlib.runs.train_one import per_class_table


class Recomputed(RunResult):
    """A finished run whose numbers by class come from its stored logits, not from its table."""

    @cached_property
    def per_class(self) -> pd.DataFrame:
        """As ``RunResult.per_class``; a run that diverged has no logits, so its table stands."""
        if self.status == "diverged":
            return super().per_class
        tables = [self._table(split) for split in EVALUATED_SPLITS]
        return pd.concat(tables, ignore_index=True)

    def _table(self, split: str) -> pd.DataFrame:
        logits = self.logits(split)
        return per_class_table(split, logits, self.labels(split), logits.shape[1])


class ReadOnlyStore(Store):
    """A store in which nothing is trained, fitted or set aside: what it lacks is an error."""

    def get(self, spec: RunSpec) -> RunResult | None:
        """The finished run, if it is there and whole. Changes nothing."""
        return self.look(spec)

    def lock(self, spec: RunSpec) -> AbstractContextManager[None]:
        """Refuse: who takes a lock means to write.

        Raises:
            StoreError: always.
        """
        raise StoreError(f"run {spec.id} ({spec.label()}) is not in {self.root}")

    def lock_file(self, name: str) -> Path:
        """As ``lock``, for a run or a forest of that id."""
        raise StoreError(f"{name} is not in {self.root}")


class Shelves:
    """Several stores read as one.

    Args:
        roots: their folders; by default that of ``KDLIB_STORE``, or else those of studies and of
            evidence in the user's cache.
    """

    def __init__(self, roots: Sequence[Path] = ()) -> None:
        self.stores = [ReadOnlyStore(root) for root in roots or _default_roots()]
        self._known: dict[str, RunResult | None] = {}

    def get(self, spec: RunSpec) -> RunResult | None:
        """The run, with its numbers from the logits; ``None`` where no store has it whole."""
        if spec.id not in self._known:
            found = next(filter(None, (store.look(spec) for store in self.stores)), None)
            self._known[spec.id] = Recomputed(found.spec, found.folder) if found else None
        return self._known[spec.id]

    def __str__(self) -> str:
        return " and ".join(str(store.root) for store in self.stores)


def _default_roots() -> list[Path]:
    root = default_root()
    return [root] if os.environ.get("KDLIB_STORE") else [root, root.parent / "evidence"]
