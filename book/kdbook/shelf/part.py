"""One part of the shelf: the runs of one chapter, in three files that hold no weights.

``NAME.json`` says how and where each run was trained, and holds the SHA-256 of the two others.
``NAME.csv`` has accuracy, log-loss and margin by class, rounded to six digits.
``NAME.safetensors`` has logits on all splits in 16 bits, the history and the multipliers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors import SafetensorError, safe_open

from kdlib.errors import KdlibError, StoreError
from kdlib.files import sha256_of
from kdlib.runs import RunResult

FORMAT = 1
TRAIN = "train"
"""The split that trained a run, as it is: neither cropped nor mirrored."""
HISTORY = ("loss", "accuracy", "rate")
MULTIPLIERS = ("steps", "errors", "log_multipliers")
SUFFIXES = (".csv", ".safetensors")


class ShelfError(KdlibError):
    """A file of recorded runs is missing, malformed or altered."""


class Part:
    """The runs of one chapter.

    Args:
        path: of its JSON.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    @cached_property
    def about(self) -> dict[str, Any]:
        """``runs`` by id, and ``environments``, the machines that they name.

        Raises:
            ShelfError: a file is missing, malformed, or not the one that was written.
        """
        try:
            about = json.loads(self.path.read_text(encoding="utf-8"))
            digests = {suffix: about["sha256"][suffix] for suffix in SUFFIXES}
            version, _ = about["format"], (about["runs"], about["environments"])
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise ShelfError(f"{self.path} cannot be read: {error}") from None
        if version != FORMAT:
            raise ShelfError(f"{self.path} has format {version!r}: this kdbook reads {FORMAT}")
        for suffix, digest in digests.items():
            self._check(self.path.with_suffix(suffix), digest)
        return about

    @staticmethod
    def _check(file: Path, digest: str) -> None:
        if not file.is_file():
            raise ShelfError(f"{file} is missing: `kdlib study shelve` writes it")
        if sha256_of(file) != digest:
            raise ShelfError(f"{file} is not the file that its JSON describes")

    @cached_property
    def by_class(self) -> dict[str, pd.DataFrame]:
        """``RunResult.per_class`` by run."""
        table = pd.read_csv(self.path.with_suffix(".csv"), dtype={"run": str})
        return {str(run): rows.drop(columns="run") for run, rows in table.groupby("run")}

    def array(self, name: str) -> np.ndarray | None:
        """An array of that name, or None.

        Raises:
            ShelfError: the file cannot be read.
        """
        file = self.path.with_suffix(".safetensors")
        try:
            with safe_open(file, framework="np") as arrays:
                return arrays.get_tensor(name) if name in self._names else None
        except (OSError, SafetensorError) as error:
            raise ShelfError(f"{file} cannot be read: {error}") from None

    @cached_property
    def _names(self) -> frozenset[str]:
        with safe_open(self.path.with_suffix(".safetensors"), framework="np") as arrays:
            return frozenset(arrays.keys())


@dataclass(frozen=True, eq=False)
class RecordedResult(RunResult):
    """What the book keeps of a run: all that a ``RunResult`` has but weights and timing.

    Logits are rounded to 16 bits (``kdbook.shelf.writing.coded``); which is the highest stays.
    """

    part: Part = field(kw_only=True)

    @cached_property
    def _kept(self) -> dict[str, Any]:
        return self.part.about["runs"][self.spec.id]

    @cached_property
    def _outcome(self) -> dict[str, Any]:
        return {key: self._kept[key] for key in ("status", "diverged_step")}

    @cached_property
    def environment(self) -> dict[str, Any]:
        """As a ``RunResult``'s."""
        machine = self.part.about["environments"][self._kept["environment"]]
        return machine | {key: self._kept[key] for key in ("started", "seconds", "splits")}

    @cached_property
    def history(self) -> pd.DataFrame:
        """As a ``RunResult``'s, in single precision."""
        found = self._array_of("history")
        table = pd.DataFrame(found.astype(float), columns=list(HISTORY))
        table.insert(0, "epoch", np.arange(1, len(table) + 1))
        return table

    @property
    def timing(self) -> pd.DataFrame:
        """Is not kept."""
        raise self._not_kept("timing")

    @cached_property
    def per_class(self) -> pd.DataFrame:
        """As a ``RunResult``'s, rounded to six digits."""
        return self.part.by_class[self.spec.id].reset_index(drop=True)

    @cached_property
    def multipliers(self) -> dict[str, np.ndarray] | None:
        """As a ``RunResult``'s."""
        found = {name: self.part.array(f"{self.spec.id}.{name}") for name in MULTIPLIERS}
        there = {name: array for name, array in found.items() if array is not None}
        return there or None

    def training_logits(self) -> np.ndarray:
        """Logits ``[N, L]`` on the images that trained the run, neither cropped nor mirrored."""
        return self._array(f"{TRAIN}.logits")

    def model(self) -> Any:
        """Is not kept.

        Raises:
            StoreError: always.
        """
        raise self._not_kept("weights")

    def _array(self, name: str) -> np.ndarray:
        if self.status == "diverged":
            raise StoreError(f"run {self.spec.id} diverged: it holds no {name}")
        split, _, kind = name.partition(".")
        if kind == "logits":
            return (self._array_of(name) * self._array_of(f"{name}.step")).astype(np.float32)
        shared = self.part.array(f"{self._kept['splits'][split]}.{kind}")
        if shared is None:
            raise self._not_kept(name)
        return shared.astype(np.int64)

    def _array_of(self, name: str) -> np.ndarray:
        found = self.part.array(f"{self.spec.id}.{name}")
        if found is None:
            raise self._not_kept(name)
        return found

    def _not_kept(self, what: str) -> StoreError:
        return StoreError(
            f"the book keeps no {what} of run {self.spec.id} ({self.spec.label()}): "
            "with KDLIB_RECORDED=0 it is trained here"
        )
