"""What a store holds, how much room it takes, and how to delete some of it safely.

Only names that the store gives are looked at, so that a folder named by mistake loses nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kdlib.locks import held_if_free, is_held
from kdlib.runs import forests, teacher_tables
from kdlib.runs.run_files import is_finished, is_id, readable_spec
from kdlib.runs.spec import ID_DIGITS, RunSpec
from kdlib.runs.store import DAMAGED, LOCKS, Store

Kind = Literal["finished", "unfinished", "damaged", "views", "forests", "temporary", "locks"]
LEFTOVERS: tuple[Kind, ...] = ("unfinished", "damaged", "temporary", "locks")
"""What nobody misses: no result is among it."""
_ID = f"[0-9a-f]{{{ID_DIGITS}}}"
_TABLE = re.compile(rf"({_ID})\.safetensors")
_HALF_WRITTEN = re.compile(rf"\.({_ID})\.safetensors\.\d+")
_SET_ASIDE = re.compile(rf"({_ID})-\w+(\.safetensors)?")
_LOCK = re.compile(rf"({_ID})\.lock")
_DELETED = re.compile(rf"\.deleted-({_ID})-\d+")
IMPORTING = ".importing-"
"""How the folder is named, before the importer's number, that holds runs until all are checked."""
IMPORTER_LOCK = "lock"
"""Of such a folder: who imports holds it."""


@dataclass(frozen=True)
class Item:
    """One thing in the store.

    Attributes:
        kind: a finished run, an unfinished training, one set aside as damaged (or a file in the
            place of a run), a teacher cache, a forest, a file left half written, a
            lock's file.
        id: of the run, cache or forest.
        path: where it lies.
        size: bytes in its files.
        changed: when a file of it last changed, in seconds since 1970.
        lock: whose holder uses it; ``None`` where nobody can.
    """

    kind: Kind
    id: str
    path: Path
    size: int
    changed: float
    lock: Path | None

    def age(self) -> float:
        """Days since it last changed."""
        return (time.time() - self.changed) / 86400


def contents(store: Store) -> list[Item]:
    """All that the store holds, by kind and name. Changes nothing."""
    return [*_runs(store), *_others(store)]


def _runs(store: Store) -> Iterator[Item]:
    for path in _below(store.root):
        lock = store.lock_file(path.name)
        if is_id(path.name) and not path.is_dir():
            yield _item("damaged", path.name, path, lock)
        elif is_id(path.name):
            kind: Kind = "finished" if is_finished(path) else "unfinished"
            yield _item(kind, path.name, path, lock)
        elif match := _DELETED.fullmatch(path.name):
            yield _item("temporary", match[1], path, None)
        elif re.fullmatch(rf"{re.escape(IMPORTING)}\d+", path.name):
            yield _item("temporary", path.name, path, path / IMPORTER_LOCK)


def _others(store: Store) -> Iterator[Item]:
    views, kept = store.root / teacher_tables.FOLDER, store.root / forests.FOLDER
    places: list[tuple[Path, re.Pattern[str], Kind, Path | None]] = [
        (views, _TABLE, "views", views),
        (kept, _TABLE, "forests", store.root / LOCKS),
        (views, _HALF_WRITTEN, "temporary", views),
        (kept, _HALF_WRITTEN, "temporary", store.root / LOCKS),
        (store.root / DAMAGED, _SET_ASIDE, "damaged", None),
        (store.root / LOCKS, _LOCK, "locks", store.root / LOCKS),
        (views, _LOCK, "locks", views),
    ]
    for folder, pattern, kind, locks in places:
        for path in _below(folder):
            if match := pattern.fullmatch(path.name):
                lock = locks / f"{match[1]}.lock" if locks else None
                yield _item(kind, match[1], path, lock)


def _below(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _item(kind: Kind, name: str, path: Path, lock: Path | None) -> Item:
    found = [about for file in _files(path) if (about := _about(file)) is not None]
    size, own = sum(about.st_size for about in found), _about(path)
    changed = [about.st_mtime for about in (own, *found) if about is not None]
    return Item(kind, name, path, size, max(changed, default=0.0), lock)


def _files(path: Path) -> list[Path]:
    if path.is_symlink() or not path.is_dir():
        return [path]
    return [Path(folder, name) for folder, _, names in os.walk(path) for name in names]


def _about(file: Path) -> os.stat_result | None:
    try:
        return file.lstat()
    except OSError:  # gone meanwhile
        return None


def in_use(store: Store, items: Iterable[Item]) -> set[str]:
    """Ids whose lock somebody holds, and those of the runs that a training under way builds on."""
    locks = {item.id: item.lock for item in items if item.lock is not None}
    held = {name for name, lock in locks.items() if is_held(lock)}
    specs = [readable_spec(store.root / name) for name in held if _has_spec(store.root / name)]
    return held | {one.id for spec in specs if spec is not None for one in _ancestors(spec)}


def _has_spec(folder: Path) -> bool:
    return (folder / "spec.json").is_file()


def _ancestors(spec: RunSpec) -> list[RunSpec]:
    return [one for parent in spec.parents() for one in (parent, *_ancestors(parent))]


def delete(item: Item) -> bool:
    """Delete it and its lock's file unless somebody holds that lock; whether it was deleted.

    A run leaves its place in one step, so that nobody sees half of it.

    Raises:
        OSError: it cannot be deleted.
    """
    if item.lock is None:
        remove(item.path)
        return True
    item.lock.parent.mkdir(parents=True, exist_ok=True)
    with held_if_free(item.lock) as free:
        if free:
            remove(item.path)
            item.lock.unlink(missing_ok=True)  # while it is held: whoever waits opens it anew
    return free


def remove(path: Path) -> None:
    """Delete a file, a link or a folder. A run leaves its place in one step."""
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    leaving = path
    if is_id(path.name):
        leaving = path.with_name(f".deleted-{path.name}-{os.getpid()}")
        os.replace(path, leaving)
    shutil.rmtree(leaving)
