"""kdlib: measure and mend what distillation does to rare classes.

Submodules load on first use, so that ``import kdlib`` is quick: torch is imported only when
something needs it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from kdlib.folders import settle_environment

__version__ = "0.1.0"

_SUBMODULES = (
    "audit", "data", "drop_in", "errors", "losses", "metrics", "models", "runs", "training",
)  # fmt: skip
__all__ = ["__version__", *_SUBMODULES]

settle_environment()


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return import_module(f"kdlib.{name}")
    raise AttributeError(f"module 'kdlib' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
