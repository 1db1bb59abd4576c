"""Download the official files through torchvision, so that a half download never counts."""

from __future__ import annotations

import contextlib
import io
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from kdlib.data import torchvision_import
from kdlib.data.files import OfficialFile, find, read_verified
from kdlib.errors import DataError


def fetch_missing(
    dataset_class: str, files: Sequence[OfficialFile], root: Path, progress: bool
) -> None:
    """Download those of ``files`` that are not below ``root``; touch none that are.

    Everything goes to a temporary folder inside ``root``, is checked there, and only then moves to
    its place, each file in one step. So a download that stops half-way never counts as data.

    Args:
        dataset_class: name of the class in ``torchvision.datasets`` that knows the address.
        files: the official files of the data set.
        root: data folder, made where it does not exist.
        progress: show torchvision's progress bar.

    Raises:
        DataError: when the download fails or brings other bytes than the published ones.
    """
    if all(find(file, root) for file in files):
        return
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=root, prefix=".download-") as folder:
            _download(dataset_class, Path(folder), progress)
            _move(files, Path(folder), root)
    except Exception as error:  # network, disk, archive: torchvision lets many kinds through
        raise DataError(_message(files, root, error)) from error


def _download(dataset_class: str, folder: Path, progress: bool) -> None:
    with contextlib.nullcontext() if progress else _silence():
        getattr(torchvision_import.datasets(), dataset_class)(str(folder), download=True)


def _move(files: Sequence[OfficialFile], folder: Path, root: Path) -> None:
    for file in files:
        _check(file, folder)
    for file in files:
        source = find(file, folder)
        if source and find(file, root) is None:
            (root / file.folder).mkdir(parents=True, exist_ok=True)
            source.replace(root / source.relative_to(folder))


def _check(file: OfficialFile, folder: Path) -> None:
    try:
        read_verified(file, folder)
    except DataError as error:
        raise DataError(f"the {file.name} that came is not the published file") from error


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()):
        yield


def _message(files: Sequence[OfficialFile], root: Path, error: Exception) -> str:
    reason = " ".join(str(error).split()) or type(error).__name__
    names = ", ".join(file.name for file in files)
    return (
        f"cannot download into {root} ({reason}): put the official files into "
        f"{root / files[0].folder} ({names}), or set KDLIB_DATA to the folder that holds "
        f"{files[0].folder}"
    )
