"""Finished runs read again from what their networks answered, and stores that are only read."""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cached_property
from pathlib import Path

import pandas as pd

from kdlib.errors import StoreError
from kdlib.runs.result import EVALUATED_SPLITS, RunResult
from kdlib.runs.spec import RunSpec
from kdlib.runs.store import Store
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
