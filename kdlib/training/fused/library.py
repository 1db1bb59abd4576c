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

SOURCE = Path(__file__).with_name("norm_relu.cpp")
COMPILERS = ("g++", "c++", "clang++")
OPTIONS = ("-std=c++17", "-O3", "-march=native", "-ffp-contract=fast", "-fopenmp", "-fPIC")
_PATIENCE = 300.0

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
        CannotFuseError: there is no compiler, its result cannot be kept, or does not load.
    """
    command = [*compiler(), *OPTIONS]
    kept = _folder() / f"norm_relu-{_fingerprint(command)}.so"
    loaded = _load(kept) if kept.exists() else None
    if loaded is None:
        _keep(kept, compiled(command))
        loaded = _load(kept)
    if loaded is None:
        raise CannotFuseError(f"what {command[0]} compiled does not load")
    for name, arguments in _ARGUMENTS.items():
        function = getattr(loaded, name)
        function.argtypes, function.restype = arguments, None
    return loaded


def _load(kept: Path) -> ctypes.CDLL | None:
    try:
        return ctypes.CDLL(str(kept))
    except OSError:  # damaged, or made for another system
        return None


def _keep(kept: Path, code: bytes) -> None:
    try:
        kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(kept, code)
    except OSError as error:
        raise CannotFuseError(f"the compiled code cannot be kept: {error}") from None


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
    """The user's own: what lies there is run."""
    from platformdirs import user_cache_path

    return user_cache_path("kdlib") / "compiled"


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
