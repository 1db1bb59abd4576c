"""Locks that say so when they keep someone waiting."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

log = logging.getLogger("kdlib")

PATIENCE = 3.0
"""Seconds after which a wait is announced."""


@contextmanager
def held(path: Path, what: str) -> Iterator[None]:
    """Hold the lock in ``path``. The system lets go of it when the process dies, however it dies.

    A wait of more than ``PATIENCE`` is said once: for what, where the lock is, who holds it.

    Args:
        path: the lock's file; its folder is made.
        what: is being waited for, e.g. ``run 0123 (digits one-hot s0)``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=PATIENCE)
    except Timeout:
        log.warning("waiting for %s: %s holds %s", what, holder(path) or "another process", path)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


@contextmanager
def held_if_free(path: Path) -> Iterator[bool]:
    """Hold the lock in ``path`` if nobody does, without waiting; gives whether it is held."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def is_held(path: Path) -> bool:
    """Whether some process holds the lock in ``path`` now; makes no file."""
    if not path.exists():
        return False
    with held_if_free(path) as free:
        return not free


def holder(path: Path) -> str | None:
    """The process that holds the lock, in words; None where the system does not say."""
    try:
        node = f":{path.stat().st_ino}"
        lines = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    except OSError:
        return None
    found = (w[4] for w in lines if len(w) > 5 and w[1] == "FLOCK" and w[5].endswith(node))
    number = next(found, "0")
    return f"process {number}" if int(number) > 0 else None
