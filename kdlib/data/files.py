"""The official files: where they may lie, and proof that they are the published bytes."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path

from kdlib.errors import DataError
from kdlib.folders import absolute, user_folder


@dataclass(frozen=True)
class OfficialFile:
    """One published file.

    Attributes:
        folder: where torchvision puts it below the data folder.
        name: file name; a copy packed with gzip has ``.gz`` after it.
        size: bytes, unpacked.
        md5: hex digest of the unpacked bytes. The published one: MD5 guards against damage and
            other versions, and nobody knows how to make a second file to a given MD5.
        packed: whether copies packed with gzip and copies outside ``folder`` are accepted.
    """

    folder: str
    name: str
    size: int
    md5: str
    packed: bool = False

    @property
    def places(self) -> tuple[str, ...]:
        """Accepted paths below the data folder, the usual one first."""
        usual = f"{self.folder}/{self.name}"
        return (usual, f"{usual}.gz", self.name, f"{self.name}.gz") if self.packed else (usual,)


CIFAR10_FILES = tuple(
    OfficialFile("cifar-10-batches-py", name, size, md5)
    for name, size, md5 in (
        ("data_batch_1", 31035704, "c99cafc152244af753f735de768cd75f"),
        ("data_batch_2", 31035320, "d4bba439e000b95fd0a9bffe97cbabec"),
        ("data_batch_3", 31035999, "54ebc095f3ab1f0389bbae665268c751"),
        ("data_batch_4", 31035696, "634d18415352ddfa80567beed471001a"),
        ("data_batch_5", 31035623, "482c414d41f54cd18b22e5b47cb7c3cb"),
        ("test_batch", 31035526, "40351d587109b95175f43aff81a1287e"),
        ("batches.meta", 158, "5ff9c542aee3614f3951f8cda6e48888"),
    )
)
CIFAR100_FILES = tuple(
    OfficialFile("cifar-100-python", name, size, md5)
    for name, size, md5 in (
        ("train", 155249918, "16019d7e3df5f24257cddd939b257f8d"),
        ("test", 31049707, "f0ef6b0ae62326f3e7ffdfab6717acfc"),
        ("meta", 1473, "7973b15100ade9c7d40fb424638fde48"),
    )
)
FASHION_MNIST_FILES = tuple(
    OfficialFile("FashionMNIST/raw", name, size, md5, packed=True)
    for name, size, md5 in (
        ("train-images-idx3-ubyte", 47040016, "f4a8712d7a061bf5bd6d2ca38dc4d50a"),
        ("train-labels-idx1-ubyte", 60008, "9018921c3c673c538a1fc5bad174d6f9"),
        ("t10k-images-idx3-ubyte", 7840016, "8181f5470baa50b63fa0f6fddb340f0a"),
        ("t10k-labels-idx1-ubyte", 10008, "15d484375f8d13e6eb1aabb0c3f46965"),
    )
)


def data_root(root: Path | str | None = None) -> Path:
    """The data folder: ``root``, else ``KDLIB_DATA``, else the user's cache folder."""
    return absolute(root, "root") if root else user_folder("KDLIB_DATA", "data")


def find(file: OfficialFile, root: Path) -> Path | None:
    """The first accepted place below ``root`` where ``file`` lies, whole or not."""
    return next((root / place for place in file.places if (root / place).is_file()), None)


def read_verified(file: OfficialFile, root: Path) -> bytes:
    """The published bytes of ``file``.

    What is returned is what was checked: nothing is read a second time, so a caller may unpickle
    it without trusting the folder.

    Raises:
        DataError: when the file is missing, truncated or altered.
    """
    path = find(file, root)
    if path is None:
        raise DataError(f"{root / file.places[0]} is missing: expected {_expected(file)}; {_CURE}")
    try:
        content = _read(path, file.size + 1)  # a byte more shows that a file is too long
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path, file, f"cannot be read ({_first_line(error)})") from error
    if len(content) > file.size:
        raise _damaged(path, file, f"is altered (more than {file.size:,} bytes)")
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != file.md5:
        kind = "truncated" if len(content) < file.size else "altered"
        raise _damaged(path, file, f"is {kind} ({len(content):,} bytes with MD5 {found})")
    return content


_CURE = "load it with download=True, or put the official file there"


def _read(path: Path, limit: int) -> bytes:
    with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
        return stream.read(limit)


def _damaged(path: Path, file: OfficialFile, state: str) -> DataError:
    return DataError(f"{path} {state}: expected {_expected(file)}; delete it, then {_CURE}")


def _expected(file: OfficialFile) -> str:
    unpacked = "unpacked " if file.packed else ""
    return f"{unpacked}{file.size:,} bytes with MD5 {file.md5}"


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
