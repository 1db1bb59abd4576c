"""Where the book's records lie: in the checkout that kdbook runs from, or else installed with it.

The current folder decides nothing, so a chapter finds them wherever it runs.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import kdbook
from kdlib.errors import DataError, SettingError

RUNS = "runs"
"""The folder of recorded runs, in that of the records."""
RECORDED = "KDLIB_RECORDED"
"""Whether pages show recorded runs: 1 (as without it) or 0, to train everything here."""
_PACKAGE = Path(kdbook.__path__[0])


def records_folder(folder: Path | None = None) -> Path:
    """The folder that records are read from.

    Args:
        folder: names another one than the book's own.

    Raises:
        DataError: there is no such folder.
    """
    places = [folder] if folder else [*_of_checkout(), _PACKAGE / "results"]
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        raise DataError(f"no folder of records: looked for {', '.join(map(str, places))}")
    return found


def shows_recorded() -> bool:
    """Whether pages show recorded runs, by ``KDLIB_RECORDED``.

    Raises:
        SettingError: it is neither 0 nor 1.
    """
    value = os.environ.get(RECORDED) or "1"
    if value not in ("0", "1"):
        raise SettingError(f"{RECORDED} = {value!r} is not allowed: 0 (train all here) or 1")
    with suppress(DataError):
        return value == "1" and (records_folder() / RUNS).is_dir()
    return False


def folder_to_record(folder: Path | None = None) -> Path:
    """The folder that records are written to; never one inside an installed package.

    Args:
        folder: names another one than that of the checkout.

    Raises:
        SettingError: none is named, and kdbook runs from no checkout.
    """
    places = [folder] if folder else _of_checkout()
    if not places:
        raise SettingError("kdbook runs from no checkout: name the folder of records with --into")
    return places[0]


def _of_checkout() -> list[Path]:
    """``book/results`` beside the package, where the package lies in a checkout."""
    book = _PACKAGE.parent
    return [book / "results"] if (book.parent / "pyproject.toml").is_file() else []
