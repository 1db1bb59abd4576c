"""Arrays in ``.npy``, ``.npz`` and safetensors files: mapped where they can be, never unpickled."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from kdlib.audit.rows import Rows
from kdlib.errors import DataError
from kdlib.names import first_twice, shown

_PIECE = 1 << 24
_LONGEST = 200
_PICKLE = b"\x80"
"""The first byte of a pickle of protocol 2 or later."""
_PICKLED = "holds Python objects (pickled), which are never loaded: save plain numbers or text"


@contextmanager
def reading(path: Path, kind: str) -> Iterator[None]:
    """One line for whatever a parser says of a file that it cannot read."""
    try:
        yield
    except DataError:
        raise
    except MemoryError:
        raise DataError(f"{path} does not fit into memory: save it uncompressed") from None
    except Exception as error:  # parsers raise anything on a damaged file
        said = str(error).strip().splitlines()
        reason = shown(said[0])[:_LONGEST] if said else type(error).__name__
        is_pickled = "allow_pickle" in reason or "Python objects" in reason
        reason = _PICKLED if is_pickled else f"is no readable {kind} file: {reason}"
        raise DataError(f"{path} {reason}") from None


def read_npy(path: Path) -> NDArray[Any]:
    """The file's array, mapped into memory."""
    with reading(path, ".npy"):
        _check_start(path, b"\x93NUMPY", ".npy")
        return np.asanyarray(np.load(path, mmap_mode="r", allow_pickle=False))


def read_npz(path: Path) -> dict[str, Rows]:
    """The file's arrays by name, mapped where they are uncompressed, as ``np.savez`` has them."""
    with reading(path, ".npz"), zipfile.ZipFile(path) as whole:
        _check_start(path, b"PK\x03\x04", ".npz")
        members = whole.infolist()
        _check_names(path, [info.filename for info in members])
        return {info.filename.removesuffix(".npy"): _member(path, whole, info) for info in members}


def _check_names(path: Path, names: list[str]) -> None:
    others = [name for name in names if not name.endswith(".npy")]
    if others:
        raise DataError(f"{path} holds {shown(others[0])}: expected .npy, as np.savez has them")
    twice = first_twice(names)
    if twice is not None:
        raise DataError(f"{path} holds {shown(twice)} more than once")


def _check_start(path: Path, expected: bytes, kind: str) -> None:
    """A zip file may begin with anything, and NumPy takes all else that it reads for a pickle."""
    with path.open("rb") as stream:
        start = stream.read(len(expected))
    if start[:1] == _PICKLE:
        raise DataError(f"{path} {_PICKLED}")
    if start != expected:
        raise DataError(f"{path} is no {kind} file as NumPy writes it: it does not begin as one")


def _member(path: Path, whole: zipfile.ZipFile, info: zipfile.ZipInfo) -> NDArray[Any]:
    where = f"{path}, field {info.filename.removesuffix('.npy')}"
    with whole.open(info) as stream:
        shape, in_columns, dtype = _header(stream)
        start = stream.tell()
        if dtype.hasobject:
            raise DataError(f"{where} {_PICKLED}")
        size = int(np.prod(shape, dtype=object)) * dtype.itemsize
        if min(shape, default=0) < 0 or start + size != info.file_size:
            raise DataError(f"{where} is {info.file_size} bytes: its header says {start + size}")
    if info.compress_type != zipfile.ZIP_STORED or not size:
        with whole.open(info) as stream:
            return np.asarray(np.lib.format.read_array(stream, allow_pickle=False))
    _check_sum(whole, info)
    order = "F" if in_columns else "C"
    return np.memmap(path, dtype, "r", _data_start(path, info) + start, shape, order)  # type: ignore[call-overload]


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    read = {
        (1, 0): np.lib.format.read_array_header_1_0,
        (2, 0): np.lib.format.read_array_header_2_0,
    }
    if version not in read:
        raise DataError(f"an array has format {version}: save it with NumPy's defaults")
    return read[version](stream)


def _check_sum(whole: zipfile.ZipFile, info: zipfile.ZipInfo) -> None:
    """Read it once; the zip file's checksum then speaks for what is mapped."""
    found = 0
    with whole.open(info) as stream:
        while piece := stream.read(_PIECE):
            found = zlib.crc32(piece, found)
    if found != info.CRC:
        raise zipfile.BadZipFile(f"wrong checksum of {info.filename}")


def _data_start(path: Path, info: zipfile.ZipInfo) -> int:
    """Where a member's bytes begin: behind its local header, its name and its extra field."""
    with path.open("rb") as stream:
        stream.seek(info.header_offset + 26)
        name, extra = (int.from_bytes(stream.read(2), "little") for _ in range(2))
    return info.header_offset + 30 + name + extra


class _Tensor:
    """A tensor in a safetensors file, read a slice at a time."""

    def __init__(self, path: Path, name: str) -> None:
        from safetensors import safe_open

        self._file = safe_open(path, "pt")  # NumPy has no bfloat16
        self._slice = self._file.get_slice(name)
        self.shape = tuple(self._slice.get_shape())

    def __getitem__(self, place: Any, /) -> NDArray[Any]:
        part = self._slice[place]
        return (part.float() if "bfloat16" in str(part.dtype) else part).numpy()


def read_safetensors(path: Path) -> dict[str, Rows]:
    """The file's tensors by name, read a slice at a time."""
    from safetensors import safe_open

    with reading(path, "safetensors"), safe_open(path, "pt") as whole:
        return {name: _Tensor(path, name) for name in whole.keys()}  # noqa: SIM118
