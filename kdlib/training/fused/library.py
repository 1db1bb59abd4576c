"""The compiled part of a fused step: built once by the system's C++ compiler, then kept."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import torch

from kdlib.files import write_atomically
from kdlib.folders import user_cache

SOURCE = Path(__file__).with_name("norm_relu.cpp")
COMPILERS = ("g++", "c++")
OPTIONS = ("-std=c++17", "-O3", "-march=native", "-ffp-contract=fast", "-fopenmp", "-fPIC")
_PATIENCE = 300.0
_DIGEST = 32

_POINTER, _LONG, _INT = ctypes.c_void_p, ctypes.c_int64, ctypes.c_int
_ARGUMENTS = {
    "norm_relu": [_POINTER] * 6 + [ctypes.c_double] * 2 + [_LONG] * 2 + [_INT] + [_POINTER] * 2,
    "norm_relu_gradient": [_POINTER] * 4 + [_LONG] * 2 + [_INT] + [_POINTER] * 4,
}


class CannotFuseError(Exception):
    """Why a fused step cannot be had here: a clause that fits after "since"."""


@cache
def library() -> ctypes.CDLL:
    """The functions of ``norm_relu.cpp``, compiled for this processor.

    The file is kept in the user's cache, under a name that says of what it was made.

    Raises:
        CannotFuseError: there is no compiler, its result cannot be kept or does not load, or this
            is not Linux.
    """
    if platform.system() != "Linux":
        raise CannotFuseError(f"fused steps are for Linux, and this is {platform.system()}")
    command = [*compiler(), *OPTIONS]
    kept = _folder() / f"norm_relu-{_fingerprint(command)}.so"
    if not _is_whole(kept):
        _keep(kept, compiled(command))
    try:
        loaded = ctypes.CDLL(str(kept))
    except OSError as error:
        raise CannotFuseError(f"what {command[0]} compiled does not load: {error}") from None
    for name, arguments in _ARGUMENTS.items():
        function = getattr(loaded, name)
        function.argtypes, function.restype = arguments, None
    return loaded


def _is_whole(kept: Path) -> bool:
    """Whether the file ends with the digest of what comes before: half a library would crash."""
    try:
        content = kept.read_bytes()
    except OSError:
        return False
    return _digest(content[:-_DIGEST]) == content[-_DIGEST:]


def _keep(kept: Path, code: bytes) -> None:
    try:
        write_atomically(kept, code + _digest(code))
    except OSError as error:
        raise CannotFuseError(f"the compiled code cannot be kept: {error}") from None


def _digest(code: bytes) -> bytes:
    return hashlib.sha256(code).digest()


def compiler() -> list[str]:
    """The command of the C++ compiler: what ``CXX`` says, or the first that is found.

    Raises:
        CannotFuseError: there is none.
    """
    named = shlex.split(os.environ.get("CXX", ""))
    for name in named[:1] or COMPILERS:
        if found := shutil.which(name):
            return [found, *named[1:]]
    looked = " ".join(named) or ", ".join(COMPILERS)
    raise CannotFuseError(f"no C++ compiler was found ({looked}): install one, e.g. g++")


def compiled(command: list[str]) -> bytes:
    """The shared library that ``command`` makes of the source.

    Raises:
        CannotFuseError: the compiler fails, or takes longer than five minutes.
    """
    with tempfile.TemporaryDirectory() as folder:
        middle, made = Path(folder) / "norm_relu.o", Path(folder) / "norm_relu.so"
        _run([*command, "-c", str(SOURCE), "-o", str(middle)])
        # Without -fopenmp: torch brings a library of threads, and two would fight for the cores.
        _run([*command[: -len(OPTIONS)], "-shared", str(middle), "-o", str(made)])
        return made.read_bytes()


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_PATIENCE)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or str(error)
        first = next((line for line in str(said).splitlines() if "error" in line), str(error))
        raise CannotFuseError(f"{command[0]} failed: {first.strip()}") from None


def _folder() -> Path:
    """Where compiled code is kept. It is the user's alone, since what lies there is run."""
    cache = user_cache()
    if cache is None:
        raise CannotFuseError("the compiled code cannot be kept: this user has no home folder")
    folder = cache / "compiled"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = folder.stat()
    except OSError as error:
        raise CannotFuseError(f"the compiled code cannot be kept: {error}") from None
    if found.st_uid != os.getuid() or found.st_mode & 0o022:
        raise CannotFuseError(f"others may write to {folder}: remove it")
    return folder


def _fingerprint(command: list[str]) -> str:
    """16 hex digits of source, command, torch and processor."""
    parts = [SOURCE.read_text(), *command, torch.__version__, platform.machine(), _processor()]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _processor() -> str:
    """What the processor can do, where the system says so; a home may be shared by machines."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line for line in lines if line.startswith(("flags", "Features"))), "")
