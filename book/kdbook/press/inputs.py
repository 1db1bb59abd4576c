"""The key of a chapter: a hash of everything that its outputs depend on."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import kdbook
import kdlib
from kdbook.places import records_folder, shows_recorded
from kdbook.press.toc import Page

Scalar = str | int | float | bool | None
Parameter = Scalar | list[Scalar]
"""What a chapter can be told."""

# The packages whose version can change a number or a chart.
_PACKAGES = (
    "torch", "torchvision", "numpy", "pandas", "scikit-learn", "scipy", "altair", "ipywidgets",
    "papermill", "ipykernel",
)  # fmt: skip


def input_key(page: Page, parameters: Mapping[str, Parameter]) -> str:
    """The key of one chapter (16 hex digits): equal inputs give equal keys.

    Args:
        page: The chapter. It runs in an empty folder, so no file beside it is an input; the
            records that lie with kdbook are.
        parameters: What papermill passes, the profile included.
    """
    inputs = {
        "notebook": notebook_digest(page.source),
        "kdlib": library_digest(),
        "records": folder_digest(records_folder()),
        "recorded": shows_recorded(),
        "parameters": dict(parameters),
        "versions": _versions(),
    }
    return _digest(json.dumps(inputs, sort_keys=True).encode())


def notebook_digest(notebook: Path) -> str:
    """A hash of a notebook's cells and metadata that ignores outputs and counts of runs."""
    content = json.loads(notebook.read_text(encoding="utf-8"))
    content["cells"] = [_without_outputs(cell) for cell in content["cells"]]
    return _digest(json.dumps(content, sort_keys=True).encode())


def _without_outputs(cell: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in cell.items() if key not in ("outputs", "execution_count")}
    return kept | {"source": "".join(cell["source"])}


@cache
def library_digest() -> str:
    """A hash of every source file of the kdlib and the kdbook that are imported now."""
    return _digest("".join(folder_digest(Path(p.__path__[0])) for p in (kdlib, kdbook)).encode())


def folder_digest(folder: Path) -> str:
    """A hash of every file in ``folder`` and below but those that Python compiled."""
    return tree_digest(folder, (path for path in folder.rglob("*") if path.suffix != ".pyc"))


def tree_digest(folder: Path, files: Iterable[Path]) -> str:
    """A hash of the names below ``folder`` and the contents of ``files``."""
    listing = sorted(
        (path.relative_to(folder).as_posix(), _digest(path.read_bytes()))
        for path in files
        if path.is_file()
    )
    return _digest(json.dumps(listing).encode())


@cache
def _versions() -> dict[str, str]:
    return {"python": platform.python_version()} | {name: _version(name) for name in _PACKAGES}


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "absent"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
