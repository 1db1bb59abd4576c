"""Tensors from whatever was given, and what their values say where nobody has to wait for it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from kdlib.errors import SettingError


def as_tensor(name: str, values: Any, expected: str, device: Any = None) -> Tensor:
    """What ``torch.as_tensor`` makes of ``values``.

    Args:
        name: of the argument, for the message.
        values: a tensor (which stays where it is), an array, a table or lists.
        expected: what it should be, in words.
        device: of a new tensor.

    Raises:
        SettingError: torch makes nothing of it.
    """
    if isinstance(values, Tensor):
        return values
    try:
        if isinstance(values, list | tuple):
            return torch.as_tensor(values, device=device)
        array = np.asarray(values)
        native = np.require(array, array.dtype.newbyteorder("="), ["C", "W"])
        return torch.as_tensor(native, device=device)
    except (TypeError, ValueError, RuntimeError):
        kind = type(values).__name__
        raise SettingError(f"{name} is of type {kind}: expected {expected}, a tensor") from None


def known(condition: Tensor) -> bool | None:
    """What a 0-d tensor of type bool says; None where nobody can tell without waiting.

    It is read on the CPU only, outside ``torch.compile`` and ``torch.vmap``.
    """
    if torch.compiler.is_compiling() or condition.device.type != "cpu":
        return None
    try:
        return bool(condition)
    except RuntimeError:  # within torch.vmap it has many values
        return None
