"""Puts runs on the shelf."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import save as save_arrays

from kdbook.shelf.part import FORMAT, HISTORY, MULTIPLIERS, SUFFIXES, TRAIN
from kdbook.tables import training_logits
from kdlib.errors import StoreError
from kdlib.files import sha256_of, write_atomically
from kdlib.runs import RunResult
from kdlib.runs.result import EVALUATED_SPLITS

_PER_RUN = ("started", "seconds", "splits")
_NOT_KEPT = ("process",)
LARGEST_CODE = 2**15 - 2
"""One below the largest of 16 bits, so that the highest logit of a row can go up by one."""
Arrays = dict[str, np.ndarray]


def write_part(folder: Path, name: str, results: Sequence[RunResult]) -> Path:
    """Write the three files of a part; returns the JSON's path.

    Args:
        folder: of the shelf.
        name: of the part.
        results: runs with their weights, each once.

    Raises:
        StoreError: a logit is not finite.
    """
    ordered = sorted(results, key=lambda result: result.spec.id)
    path = folder / f"{name}.json"
    arrays: Arrays = {}
    for result in ordered:
        arrays |= _arrays(result)
    write_atomically(path.with_suffix(".safetensors"), save_arrays(arrays))
    write_atomically(path.with_suffix(".csv"), _by_class(ordered).encode())
    about = _about(ordered)
    about["sha256"] = {suffix: sha256_of(path.with_suffix(suffix)) for suffix in SUFFIXES}
    write_atomically(path, (json.dumps(about, indent=1, sort_keys=True) + "\n").encode())
    return path


def _about(results: Sequence[RunResult]) -> dict[str, Any]:
    machines: list[dict[str, Any]] = []
    runs: dict[str, Any] = {}
    for result in results:
        machine = _without(result.environment, (*_PER_RUN, *_NOT_KEPT))
        if machine not in machines:
            machines.append(machine)
        runs[result.spec.id] = {
            "environment": machines.index(machine),
            "status": result.status,
            "diverged_step": result.diverged_step,
            **{key: result.environment[key] for key in _PER_RUN},
        }
    return {"format": FORMAT, "environments": machines, "runs": runs}


def _without(values: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in names}


def _by_class(results: Sequence[RunResult]) -> str:
    tables = [result.per_class.assign(run=result.spec.id) for result in results]
    table = pd.concat(tables).set_index("run").reset_index()
    buffer = io.StringIO()
    table.to_csv(buffer, index=False, lineterminator="\n", float_format="%.6g")
    return buffer.getvalue()


def _arrays(result: RunResult) -> Arrays:
    """All arrays of a run; labels and indices under the digest of their split, for all alike."""
    own = {"history": result.history[list(HISTORY)].to_numpy(np.float32)}
    own |= {name: (result.multipliers or {})[name] for name in MULTIPLIERS if result.multipliers}
    shared: Arrays = {}
    if result.status != "diverged":
        own |= _coded(f"{TRAIN}.logits", training_logits(result)[0].numpy())
        for split in EVALUATED_SPLITS:
            own |= _coded(f"{split}.logits", result.logits(split))
            digest = result.environment["splits"][split]
            shared[f"{digest}.labels"] = result.labels(split).astype(np.int16)
            shared[f"{digest}.index"] = result.index(split).astype(np.int32)
    return {f"{result.spec.id}.{key}": np.ascontiguousarray(a) for key, a in own.items()} | shared


def _coded(name: str, logits: np.ndarray) -> Arrays:
    codes, step = coded(logits)
    return {name: codes, f"{name}.step": np.array([step])}


def coded(logits: np.ndarray) -> tuple[np.ndarray, float]:
    """Logits ``[N, L]`` in 16 bits: codes, and the step that they count.

    Each is off by half a step at most, the 65,532nd part of the largest one, and the highest of a
    row is still the highest.

    Raises:
        StoreError: a logit is not finite.
    """
    if not np.isfinite(logits).all():
        raise StoreError("a logit is not finite: it cannot be kept")
    step = float(np.abs(logits).max(initial=0.0)) / LARGEST_CODE or 1.0
    codes = np.rint(logits.astype(float) / step).astype(np.int16)
    rows, best = np.arange(len(logits)), logits.argmax(axis=1)
    codes[rows, best] += codes.argmax(axis=1) != best  # another was rounded to the same
    return codes, step
