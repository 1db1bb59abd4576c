"""Executed chapters, kept by the hash of their inputs, so that none runs twice for nothing."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from kdbook.press.notebooks import Notebook, failed, has_tag, read_notebook
from kdlib.files import write_atomically


def tidy(notebook: Notebook, *, hide_parameters: bool) -> Notebook:
    """An executed notebook without what only this machine knows (paths, times).

    Args:
        notebook: What papermill wrote; it is changed in place.
        hide_parameters: Leave the cell that papermill injected out of the page.
    """
    for cell in notebook["cells"]:
        cell["metadata"].pop("papermill", None)
        if hide_parameters and has_tag(cell, ["injected-parameters"]):
            cell["metadata"]["tags"].append("remove-cell")
    notebook["metadata"]["papermill"] = {"exception": failed(notebook)}
    return notebook


def keep(folder: Path, key: str, notebook: Notebook) -> Path:
    """Store an executed chapter below its key; returns the file."""
    notebook["metadata"]["kdlib"] = {"key": key, "cells": _digest(notebook)}
    path = folder / f"{key}.ipynb"
    text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    write_atomically(path, text.encode())
    return path


def find(folder: Path, key: str) -> Path | None:
    """The executed chapter with this key, or None where it is missing, damaged or failed."""
    path = folder / f"{key}.ipynb"
    notebook = read_notebook(path)
    if notebook is None or failed(notebook):
        return None
    expected = {"key": key, "cells": _digest(notebook)}
    return path if notebook["metadata"].get("kdlib") == expected else None


def _digest(notebook: Notebook) -> str:
    return hashlib.sha256(json.dumps(notebook["cells"], sort_keys=True).encode()).hexdigest()
