"""What a chapter's first cell does after it has found kdlib, or installed it without dependencies.

At the top it imports the standard library alone: what else kdlib needs may not be there yet.
"""

from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from tempfile import NamedTemporaryFile

DRIVE = Path("/content/drive")
ON_DRIVE = DRIVE / "MyDrive" / "kdlib" / "runs"
OF_NOTEBOOKS = ("altair", "ipywidgets")
"""What chapters need of the extra ``book``; the rest builds pages."""


def set_up(*, store_on_drive: bool = False) -> None:
    """Install what is missing; on Colab also say which machine this is, and where runs are kept.

    Args:
        store_on_drive: keep runs on Google Drive, so that they outlive the session. A
            ``KDLIB_STORE`` that lies there does the same.
    """
    install_missing()
    if "google.colab" not in sys.modules:
        return
    if store_on_drive:
        os.environ.setdefault("KDLIB_STORE", str(ON_DRIVE))
    store = os.environ.get("KDLIB_STORE")
    if store and DRIVE in Path(store).parents:
        _mount()
    print(machine())
    print(f"Trained runs are kept in {store or 'this session, and are lost with it'}.")


def install_missing(distribution: str = "kdlib") -> list[str]:
    """Install what the chapters need and is not there; nothing that is there gets another version.

    Returns:
        The requirements that were missing.
    """
    wanted = missing(distribution)
    if wanted:
        with NamedTemporaryFile("w", suffix=".txt") as held:
            held.write("\n".join(_installed()))
            held.flush()
            how = ("--quiet", "--constraint", held.name)
            subprocess.run([sys.executable, "-m", "pip", "install", *how, *wanted], check=True)
        importlib.invalidate_caches()
    return wanted


def missing(distribution: str = "kdlib") -> list[str]:
    """The requirements of the chapters of which no version is installed, e.g. ``pillow>=10``.

    None where the distribution itself is not installed, as in a checkout on the path.
    """
    if not _is_there(distribution):
        return []
    return [need for need in _needed(distribution) if not _is_there(_name(need))]


def machine() -> str:
    """Which processor trains here, and which profile suits it."""
    import torch

    if not torch.cuda.is_available():
        return "No GPU: the chapters run at the profile quick, on digits, within minutes."
    return (
        f"GPU: {torch.cuda.get_device_name(0)}. The chapters start at the profile quick, on "
        'digits; with profile = "standard" in the next cell they train on CIFAR, for hours.'
    )


def _needed(distribution: str) -> Iterator[str]:
    for line in metadata.requires(distribution) or ():
        need, _, condition = (part.strip() for part in line.partition(";"))
        if not condition or ("book" in condition and _name(need) in OF_NOTEBOOKS):
            yield need


def _name(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0]


def _is_there(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _installed() -> list[str]:
    """A pip constraint for each installed distribution: stay at this version."""
    pairs = {d.metadata["Name"]: d.version for d in metadata.distributions()}
    return [f"{name}=={version}" for name, version in sorted(pairs.items()) if name]


def _mount() -> None:
    from google.colab import drive  # type: ignore[import-not-found]

    drive.mount(str(DRIVE))
