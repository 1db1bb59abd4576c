"""The files of a run's folder: how they are written, and whether they are as they were written."""

from __future__ import annotations

import io
import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import save as save_arrays

from kdlib.errors import StoreError
from kdlib.files import UNFINISHED, sha256_of, write_atomically
from kdlib.runs.spec import ID_DIGITS, RunSpec

DONE = "done"
CHECKPOINT = "checkpoint.safetensors"
ALWAYS_WRITTEN = (
    "environment.json", "history.csv", "outcome.json", "per_class.csv", "spec.json", "timing.csv",
)  # fmt: skip
WRITTEN_IF_COMPLETED = ("logits.safetensors", "weights.safetensors")
MULTIPLIERS = "multipliers.safetensors"
RESULTS = (*ALWAYS_WRITTEN, *WRITTEN_IF_COMPLETED, MULTIPLIERS)
"""All that a finished run may hold beside ``done``."""
# A RecursionError comes of JSON that is nested too deeply.
_NOT_AS_WRITTEN = (
    IsADirectoryError, ValueError, LookupError, TypeError, AttributeError, RecursionError,
)  # fmt: skip


def is_id(name: str) -> bool:
    """Whether a file's name is that of a run's folder."""
    return re.fullmatch(f"[0-9a-f]{{{ID_DIGITS}}}", name) is not None


def is_finished(folder: Path) -> bool:
    """Whether a run's folder claims to be finished; what it holds may be damaged still.

    One that cannot be looked into may be finished, so it counts: ``damage`` says what is wrong.
    """
    try:
        os.lstat(folder / DONE)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True


def complaint(entry: Path) -> str | None:
    """What is wrong with an entry of the store that has a run's name, in a few words.

    ``None`` for a whole run, and for one that is not finished. No error stops it: what cannot be
    read is a complaint, too.
    """
    try:
        if not entry.is_dir():
            return "is a file, not a folder" if entry.exists() else "is a link to nothing"
        return _damage(entry) if is_finished(entry) else None
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def damage(folder: Path) -> str | None:
    """What is wrong with a finished run's folder, in a few words, or ``None``.

    Raises:
        StoreError: a file cannot be read, which is not the run's fault.
    """
    try:
        return _damage(folder)
    except OSError as error:  # rights, too many open files, a failing disk
        raise StoreError(f"run {folder.name} in {folder.parent}: {error.strerror}") from error


def _damage(folder: Path) -> str | None:
    pipes = [path.name for path in folder.iterdir() if path.is_fifo()]
    if pipes:  # reading it would wait for a writer for ever
        return f"{pipes[0]} is a pipe"
    try:
        hashes = json.loads((folder / DONE).read_text())["sha256"]
        changed = [name for name, digest in hashes.items() if sha256_of(folder / name) != digest]
        if changed:
            return f"{changed[0]} was altered"
        if sha256_of(folder / "spec.json")[:ID_DIGITS] != folder.name:
            return "spec.json belongs to another run"
        outcome = json.loads((folder / "outcome.json").read_text())
        unlisted = sorted(_expected(outcome["status"]) - hashes.keys())
        return f"done does not list {unlisted[0]}" if unlisted else None
    except FileNotFoundError as error:
        return f"{Path(error.filename).name} is missing"
    except _NOT_AS_WRITTEN as error:
        return f"unreadable: {type(error).__name__}"


def _expected(status: str) -> set[str]:
    """The files that a finished run has."""
    return {*ALWAYS_WRITTEN, *(() if status == "diverged" else WRITTEN_IF_COMPLETED)}


def readable_spec(folder: Path) -> RunSpec | None:
    """The spec that a run's folder holds; ``None`` where another kdlib wrote other fields."""
    try:
        return RunSpec.model_validate_json((folder / "spec.json").read_bytes())
    except ValueError:
        return None


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
    kept = sorted(path for path in folder.iterdir() if path.name in RESULTS)
    write_json(folder / DONE, {"sha256": {path.name: sha256_of(path) for path in kept}})
    for path in folder.iterdir():
        if path.name == CHECKPOINT or path.name.startswith(UNFINISHED):
            path.unlink()
