"""Files that are whole or absent: written beside their place, flushed, then renamed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

UNFINISHED = "."
"""How the names of files that are still being written begin."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``; a kill at any moment leaves the old file or the new one."""
    with written_atomically(path) as stream:
        stream.write(content)


@contextmanager
def written_atomically(path: Path) -> Iterator[BinaryIO]:
    """A stream whose content is in ``path`` once the block has ended well, and never in part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # The process's number keeps two writers apart; a plain open gives the rights that umask says,
    # so that a store can be shared.
    temporary = path.with_name(f"{UNFINISHED}{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
