"""What the press reads from notebooks: their parameters, and where they failed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kdbook.press.inputs import Parameter
from kdbook.press.toc import Page
from kdbook.quick_imports import skip_slow_imports
from kdlib.errors import SettingError
from kdlib.names import choices

Notebook = dict[str, Any]
_INSERTED = {"papermill-error-cell-tag", "injected-parameters"}
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LONGEST_MESSAGE = 400


@dataclass(frozen=True)
class CellFailure:
    """The cell at which a chapter stopped.

    Attributes:
        number: The cell's place in the source notebook, counted from 1.
        first_line: The first line of its code.
        message: The error's type and first line.
    """

    number: int
    first_line: str
    message: str

    def __str__(self) -> str:
        return f"cell {self.number} ({self.first_line}): {self.message}"


def read_notebook(path: Path) -> Notebook | None:
    """The notebook in ``path``, or None where there is none or it is damaged."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return notebook if isinstance(notebook, dict) and "cells" in notebook else None


def has_tag(cell: Mapping[str, Any], tags: Iterable[str]) -> bool:
    """Whether a cell carries one of ``tags``."""
    return not set(tags).isdisjoint(cell.get("metadata", {}).get("tags", []))


def passed_parameters(
    page: Page, asked: Mapping[str, Parameter], profile: str
) -> dict[str, Parameter]:
    """What papermill shall pass to a chapter: ``asked`` and the profile.

    A notebook without a cell tagged ``parameters`` is told no profile: it is the same at each.
    """
    content = read_notebook(page.source) or {"cells": []}
    takes_any = any(has_tag(cell, ["parameters"]) for cell in content["cells"])
    return dict(asked) | ({"profile": profile} if takes_any else {})


def check_parameters(page: Page, passed: Mapping[str, Parameter]) -> None:
    """Refuse a parameter that the chapter does not declare; papermill would only warn.

    Raises:
        SettingError: The chapter's ``parameters`` cell assigns no such name.
    """
    if not passed:
        return
    known = declared_parameters(page)
    unknown = sorted(set(passed) - set(known))
    if unknown:
        which = choices(unknown[0], known)
        raise SettingError(f"{page.name} has no parameter {unknown[0]!r}: {which}")


def declared_parameters(page: Page) -> list[str]:
    """The names that the chapter's ``parameters`` cell assigns."""
    skip_slow_imports()
    from papermill import inspect_notebook  # slow even so: only where a chapter must run

    return list(inspect_notebook(str(page.source)))


def failed(notebook: Notebook) -> bool:
    """Whether papermill noted an error in a notebook that it ran."""
    return bool(notebook.get("metadata", {}).get("papermill", {}).get("exception", True))


def find_failure(notebook: Notebook) -> CellFailure | None:
    """The first cell with an error, or None."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    broken = next((cell for cell in cells if _error(cell)), None)
    return None if broken is None else _describe(notebook, broken, _message(broken))


def last_started(notebook: Notebook, message: str) -> CellFailure | None:
    """The cell that was running when the kernel went away, with ``message``."""
    started = [cell for cell in notebook["cells"] if _papermill(cell).get("start_time")]
    return _describe(notebook, started[-1], message) if started else None


def _describe(notebook: Notebook, cell: Mapping[str, Any], message: str) -> CellFailure:
    own = [other for other in notebook["cells"] if other is cell or not has_tag(other, _INSERTED)]
    number = next(place for place, other in enumerate(own, start=1) if other is cell)
    lines = "".join(cell["source"]).strip().splitlines()
    return CellFailure(number, lines[0] if lines else "", message)


def _papermill(cell: Mapping[str, Any]) -> dict[str, Any]:
    return cell.get("metadata", {}).get("papermill", {})


def _error(cell: Mapping[str, Any]) -> dict[str, Any] | None:
    errors = (out for out in cell.get("outputs", []) if out["output_type"] == "error")
    noted = {"ename": "error", "evalue": ""} if _papermill(cell).get("exception") else None
    return next(errors, noted)


def _message(cell: Mapping[str, Any]) -> str:
    error = _error(cell) or {}
    text = _COLOUR.sub("", f"{error.get('ename')}: {error.get('evalue')}").strip()
    return (text.splitlines() or [""])[0][:_LONGEST_MESSAGE]
