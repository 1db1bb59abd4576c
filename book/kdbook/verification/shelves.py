"""The stores that recorded runs may lie in, looked at and not touched."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from kdlib.runs import RunResult, RunSpec
from kdlib.runs.recomputed import ReadOnlyStore, Recomputed
from kdlib.runs.store import default_root


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
