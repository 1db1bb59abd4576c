"""Moves finished runs between stores: one zip file with a manifest of all that it holds.

Its entries are JSON, CSV and safetensors, so that nothing in it can run when it is read. They are
sorted and carry one date: the same runs give the same bytes.
"""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open

from kdlib import __version__
from kdlib.errors import StoreError
from kdlib.files import sha256_of, written_atomically
from kdlib.locks import held
from kdlib.runs.contents import IMPORTER_LOCK, IMPORTING, remove
from kdlib.runs.exchange_file import (
    BUFFER,
    MANIFEST,
    Manifest,
    check,
    check_digests,
    copied,
    opened,
)
from kdlib.runs.result import RunResult
from kdlib.runs.run_files import DONE, RESULTS, complaint, readable_spec
from kdlib.runs.spec import RunSpec
from kdlib.runs.store import Store

_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Imported:
    """What an import did.

    Attributes:
        new: ids of the runs that the store lacked.
        there: ids of those that it held already; they stay as they were.
    """

    new: tuple[str, ...]
    there: tuple[str, ...]


def export_runs(results: Iterable[RunResult], path: Path) -> Manifest:
    """Write finished runs into the zip file ``path``, which is there whole or not at all.

    Args:
        results: undamaged runs of a store; each is written once.
        path: may hold the same export already, which then stays.

    Raises:
        StoreError: ``path`` holds anything else.
    """
    folders = {result.spec.id: result.folder for result in results}
    runs = {name: _hashes(folders[name]) for name in sorted(folders)}
    manifest = Manifest(kdlib=__version__, runs=runs)
    if os.path.lexists(path):
        _refuse_another(path, manifest)
        return manifest
    with written_atomically(path) as stream, zipfile.ZipFile(stream, "w") as archive:
        _write_entry(archive, MANIFEST, manifest.model_dump_json(indent=1).encode())
        for name in manifest.entries:
            _copy_entry(archive, name, folders[name.partition("/")[0]])
    return manifest


def _hashes(folder: Path) -> dict[str, str]:
    there = sorted(name for name in (DONE, *RESULTS) if (folder / name).is_file())
    return {name: sha256_of(folder / name) for name in there}


def _refuse_another(path: Path, manifest: Manifest) -> None:
    try:
        with opened(path) as (archive, found):
            check_digests(archive, found, path)
    except StoreError as error:
        raise StoreError(f"{error}: name another file to export to") from None
    if found.runs != manifest.runs:
        raise StoreError(f"{path} is there already and holds other runs: name another file")


def _write_entry(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    archive.writestr(zipfile.ZipInfo(name, _DATE), content)


def _copy_entry(archive: zipfile.ZipFile, name: str, folder: Path) -> None:
    source = folder / name.partition("/")[2]
    entry = zipfile.ZipInfo(name, _DATE)
    entry.file_size = source.stat().st_size  # decides whether the entry is one of the large ones
    with source.open("rb") as content, archive.open(entry, "w") as target:
        shutil.copyfileobj(content, target, BUFFER)


def import_runs(path: Path, store: Store) -> Imported:
    """Put the runs of an export into the store. All are checked before the first one goes in.

    A run that the store holds whole stays as it is. Each comes in one step, so that a kill leaves
    whole runs only, and the same call goes on.

    Raises:
        StoreError: ``path`` is damaged or no export, or a run in it is; the line names the file.
    """
    staging = store.root / f"{IMPORTING}{os.getpid()}"
    staging.mkdir(parents=True, exist_ok=True)
    try:
        with held(staging / IMPORTER_LOCK, f"the import in {staging}"):
            specs = _unpacked(path, staging)
            new = [spec.id for spec in specs if _install(spec, staging / spec.id, store)]
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    return Imported(tuple(new), tuple(spec.id for spec in specs if spec.id not in new))


def _unpacked(path: Path, staging: Path) -> list[RunSpec]:
    """The runs of the export, each in a folder below ``staging`` and whole."""
    with opened(path) as (archive, manifest):
        for name, digest in manifest.entries.items():
            target = staging / name
            target.parent.mkdir(exist_ok=True)
            with target.open("wb") as stream:
                check(copied(archive, name, path, stream) == digest, path, f"{name} was altered")
    return [_checked_run(staging / run, path) for run in manifest.runs]


def _checked_run(folder: Path, path: Path) -> RunSpec:
    wrong = complaint(folder)
    check((folder / DONE).is_file(), path, f"run {folder.name} is not finished")
    check(wrong is None, path, f"run {folder.name} is damaged ({wrong})")
    for file in folder.glob("*.safetensors"):
        check(_is_safetensors(file), path, f"{folder.name}/{file.name} holds no safetensors")
    spec = readable_spec(folder)
    if spec is None:
        raise StoreError(f"{path}: this kdlib cannot read {folder.name}/spec.json")
    return spec


def _is_safetensors(file: Path) -> bool:
    try:
        with safe_open(file, framework="np"):
            return True
    except SafetensorError:
        return False


def _install(spec: RunSpec, folder: Path, store: Store) -> bool:
    """Move a checked run into its place, unless it is there; whether it was moved."""
    with store.lock(spec):
        if store.get_locked(spec) is not None:
            return False
        place = store.folder(spec)
        if os.path.lexists(place):  # a training that was killed
            remove(place)
        os.replace(folder, place)
    return True
