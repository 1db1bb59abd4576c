"""The file that carries runs between stores: a zip of what its manifest names, and nothing else."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated, Literal

from pydantic import Field, StringConstraints, ValidationError

from kdlib.errors import StoreError
from kdlib.runs.run_files import DONE, RESULTS
from kdlib.runs.spec import ID_DIGITS
from kdlib.validated import Frozen

MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 1 << 28
BUFFER = 1 << 20
_Id = Annotated[str, StringConstraints(pattern=f"^[0-9a-f]{{{ID_DIGITS}}}$")]
_Digest = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
# What zipfile raises of a file that was cut short, altered, or made to mislead.
_UNREADABLE = (
    zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError,
)  # fmt: skip


class Manifest(Frozen):
    """What an export holds.

    Attributes:
        kind: tells it from other files.
        format: of the file.
        kdlib: the version that wrote it.
        runs: for each run its files with their SHA-256, ``done`` among them.
    """

    kind: Literal["kdlib runs"] = "kdlib runs"
    format: Annotated[int, Field(ge=1, le=1)] = 1
    kdlib: str
    runs: dict[_Id, dict[Literal[(DONE, *RESULTS)], _Digest]]  # type: ignore[valid-type]

    @property
    def entries(self) -> dict[str, str]:
        """The SHA-256 of each file, by its name in the zip."""
        return {f"{run}/{name}": sha for run, own in self.runs.items() for name, sha in own.items()}


@contextmanager
def opened(path: Path) -> Iterator[tuple[zipfile.ZipFile, Manifest]]:
    """The zip file, whose entries are those that its manifest names, each once."""
    try:
        archive = zipfile.ZipFile(path)
    except _UNREADABLE as error:
        raise StoreError(f"{path} is damaged or no export of kdlib: {error}") from None
    with archive:
        manifest = _manifest(archive, path)
        _check_names(archive.namelist(), [MANIFEST, *manifest.entries], path)
        yield archive, manifest


def _manifest(archive: zipfile.ZipFile, path: Path) -> Manifest:
    try:
        check(archive.getinfo(MANIFEST).file_size <= _LARGEST_MANIFEST, path, "too long a manifest")
        return Manifest.model_validate_json(archive.read(MANIFEST))
    except KeyError:
        raise StoreError(f"{path} is no export of kdlib: it holds no {MANIFEST}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "no JSON"
        raise StoreError(f"{path}: {MANIFEST} is not as kdlib writes it ({where})") from None
    except _UNREADABLE as error:
        raise StoreError(f"{path}: {MANIFEST} is damaged: {error}") from None


def _check_names(found: Sequence[str], expected: Sequence[str], path: Path) -> None:
    for name in sorted(set(found) - set(expected)):
        raise StoreError(f"{path}: it holds {name!r}, which its {MANIFEST} does not name")
    for name in sorted(set(expected) - set(found)):
        raise StoreError(f"{path}: {name} is missing")
    check(len(found) == len(set(found)), path, "it holds a name twice")


def check_digests(archive: zipfile.ZipFile, manifest: Manifest, path: Path) -> None:
    """Refuse an export of which an entry is not what the manifest says."""
    for name, digest in manifest.entries.items():
        check(copied(archive, name, path) == digest, path, f"{name} was altered")


def copied(archive: zipfile.ZipFile, name: str, path: Path, target: IO[bytes] | None = None) -> str:
    """The SHA-256 of an entry, read to its end and written to ``target`` where there is one."""
    digest = hashlib.sha256()
    try:
        with archive.open(name) as stream:
            while piece := stream.read(BUFFER):
                digest.update(piece)
                if target is not None:
                    target.write(piece)
    except _UNREADABLE as error:
        raise StoreError(f"{path}: {name} is damaged: {error}") from None
    return digest.hexdigest()


def check(holds: bool, path: Path, otherwise: str) -> None:
    """Refuse the export in ``path`` unless something ``holds``, in one line that names it."""
    if not holds:
        raise StoreError(f"{path}: {otherwise}")
