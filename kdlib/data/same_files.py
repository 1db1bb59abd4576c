"""Which files are images at all, and which of them are one file under two names.

A file is what the file system says it is. So links are seen through, and so are spellings that
differ in upper and lower case where the file system does not tell them apart.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

Files = dict[tuple[int, int], str]
"""Names by what the file system knows the files by."""

_LEFT_BEHIND = ("__MACOSX", "@eaDir", "lost+found", "$RECYCLE.BIN")


def is_left_behind(name: str) -> bool:
    """Whether a path is of what archives, cameras and file managers leave behind.

    That is every hidden file or folder, such as macOS's ``._x.JPEG`` beside ``x.JPEG``, and the
    folder ``__MACOSX``.
    """
    parts = PurePosixPath(name).parts
    return any(part.startswith(".") or part in _LEFT_BEHIND for part in parts)


def files_of(names: Iterable[str], root: Path, place: Path, wrong: list[str]) -> Files:
    """The files of those names.

    Args:
        names: paths below ``root``, each given once.
        root: the folder.
        place: what names them, for messages.
        wrong: takes a line for each name without a file, and for two names that lead to one.
    """
    found: Files = {}
    for name in names:
        identity = _identity(name, root)
        if identity is None:
            wrong.append(f"{place} names {name}, which is not below {root}: put it there")
            continue
        other = found.setdefault(identity, name)
        if other != name and is_same(other, name, root):
            wrong.append(f"{place} names {other} more than once: {name} is the same file")
    return found


def is_same(one: str, other: str, root: Path) -> bool:
    """Whether two names lead to one file; asked again, since numbers of files may be used anew."""
    return os.path.samefile(f"{root}/{one}", f"{root}/{other}")


def _identity(name: str, root: Path) -> tuple[int, int] | None:
    try:
        found = os.stat(f"{root}/{name}")
    except (OSError, ValueError):
        return None
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None
