"""Import torchvision also where its compiled operators do not fit the installed torch."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

_MISSING = "operator torchvision::nms does not exist"
_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
_libraries: list[Any] = []  # operators vanish when the object that defined them is collected


def datasets() -> ModuleType:
    """``torchvision.datasets``, imported."""
    return module("torchvision.datasets")


def module(name: str) -> ModuleType:
    """The module ``name`` of torchvision, imported.

    torchvision built for CUDA beside a CPU build of torch fails on import, because operators that
    it registers kernels for are not defined. Data sets, transforms and networks need none of them:
    defining their schemas is enough.
    """
    try:
        return importlib.import_module(name)
    except RuntimeError as error:
        if _MISSING not in str(error):
            raise
    _define_operators()
    return importlib.import_module(name)


def _define_operators() -> None:
    import torch

    for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
        del sys.modules[name]  # leftovers of the failed import
    library = torch.library.Library("torchvision", "DEF")
    for operator in ("nms", "qnms"):
        library.define(operator + _SCHEMA)
    _libraries.append(library)
