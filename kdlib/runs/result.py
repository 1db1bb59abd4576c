"""What a finished run left behind, read from its folder when asked for."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from safetensors import safe_open

from kdlib.errors import StoreError
from kdlib.names import choices
from kdlib.runs.official_test import (
    HALVES,
    OFFICIAL_TEST,
    in_official_order,
    put_together,
    refuse_official_test,
)
from kdlib.runs.run_files import MULTIPLIERS
from kdlib.runs.spec import RunSpec

if TYPE_CHECKING:
    from torch import nn

EVALUATED_SPLITS = ("dev", "validation", "test")


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
        """One row per epoch: epoch, loss, accuracy, rate."""
        return pd.read_csv(self.folder / "history.csv")

    @cached_property
    def timing(self) -> pd.DataFrame:
        """One row per epoch: epoch, seconds, images per second, as measured."""
        return pd.read_csv(self.folder / "timing.csv")

    @cached_property
    def per_class(self) -> pd.DataFrame:
        """One row per split and class: split, label, count, accuracy, log_loss, margin.

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
