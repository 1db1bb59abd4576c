"""What was measured on: processor, cores, memory, versions, commit, date, load before."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from readme import ROOT

GB = 10**9
_PACKAGES = ("torch", "torchvision", "jupyter-book", "torchdistill")


def machine_rows() -> dict[str, str]:
    """One value per property, as text."""
    return {
        "processor": processor_name(Path("/proc/cpuinfo")),
        "cores": str(os.cpu_count()),
        "memory": f"{_memory() / GB:.0f} GB",
        "system": f"{platform.system()} {platform.machine()}",
        "Python": platform.python_version(),
        **{name: _version(name) for name in _PACKAGES},
        "commit": _commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "load before": f"{os.getloadavg()[0]:.1f}",
    }


def processor_name(cpuinfo: Path) -> str:
    """The processor's name as Linux gives it, else as Python knows it."""
    lines = cpuinfo.read_text().splitlines() if cpuinfo.is_file() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def _memory() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "not installed"


def _commit() -> str:
    command = ["git", "rev-parse", "--short=12", "HEAD"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"  # a copy of the files alone
    return done.stdout.strip()
