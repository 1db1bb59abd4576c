"""What trained a run: versions, processor, device, threads; and whether runs mix them.

A specification gives the same bits on the same kind of machine with the same number of threads.
Other processors round otherwise, and a training turns that into points of accuracy.
"""

from __future__ import annotations

import os
import platform
import subprocess
import time
import warnings
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from kdlib import __version__
from kdlib.data import Split
from kdlib.runs.result import RunResult
from kdlib.training import processes

_CPUINFO = Path("/proc/cpuinfo")
_NUMBERS = ("cpu family", "model", "stepping")
_warned: list[str] = []


class MixedMachinesWarning(UserWarning):
    """Runs that are read together were trained on other processors, or by other threads."""


def environment(
    device: str, splits: Iterable[Split], started: datetime, together: int
) -> dict[str, Any]:
    """What ``environment.json`` holds of a training that ends now, one of ``together``."""
    return {
        "kdlib": __version__,
        "commit": checkout_commit(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": version("torchvision"),
        "platform": platform.platform(),
        "processor": processor(),
        "device": device_name(device),
        "threads": torch.get_num_threads(),
        "processes": processes.count(),
        "together": together,
        "process": os.getpid(),
        "splits": {split.name: split.digest for split in splits},
        "started": started.isoformat(timespec="seconds"),
        "seconds": round((time.time() - started.timestamp()) / together, 3),
    }


def device_name(device: str) -> str:
    """The device in words: the GPU's name, or how many CPU cores the machine has."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    return f"CPU, {os.cpu_count()} cores"


@cache
def processor() -> str:
    """The CPU's model, and the instructions that torch's kernels use on it.

    The name alone says little on a rented machine ("AMD EPYC"), so its numbers stand beside it.
    """
    try:
        lines = [line.partition(":") for line in _CPUINFO.read_text().splitlines()]
    except OSError:
        lines = []
    told = {key.strip(): value.strip() for key, _, value in reversed(lines)}  # of the first core
    name = told.get("model name") or platform.processor() or platform.machine()
    numbers = [f"{key} {told[key]}" for key in _NUMBERS if key in told]
    return ", ".join([name, *numbers, torch.backends.cpu.get_cpu_capability()])


def checkout_commit() -> str | None:
    """The commit of the checkout that the library runs from, or ``None`` outside one."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def kind_of_machine(about: Mapping[str, Any]) -> str | None:
    """What decides a run's rounding, of its ``environment``; ``None`` where that does not say.

    On a GPU it is the device. On a CPU it is the processor and the number of threads.
    """
    if not about["device"].startswith("CPU"):
        return about["device"]
    if "processor" not in about:  # a run from before it was kept
        return None
    return f"{about['processor']}, threads: {about['threads']}"


def mixed_machines(results: Iterable[RunResult]) -> dict[str, list[str]]:
    """The data sets whose runs come from more than one kind of machine, and these kinds.

    Runs of different data sets are not compared, and tiny images take one thread on any machine.
    """
    kinds: dict[str, set[str]] = {}
    for result in results:
        kind = kind_of_machine(result.environment)
        kinds.setdefault(result.spec.data.name, set()).update([kind] if kind else [])
    return {name: sorted(found) for name, found in kinds.items() if len(found) > 1}


def warn_of_mixed_machines(results: Iterable[RunResult]) -> None:
    """Warn, once per process, of results from more than one kind of machine."""
    if _warned:
        return
    for name, kinds in mixed_machines(results).items():
        message = (
            f"runs on {name} come from {len(kinds)} kinds of machine, and equal specifications "
            f"give the same bits on one kind only: {'; '.join(kinds)}"
        )
        _warned.append(message)
        warnings.warn(message, MixedMachinesWarning, stacklevel=3)
        return
