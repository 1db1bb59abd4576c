"""What all metrics share: arrays from whatever was given, checks, and the named warning."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kdlib.aligned import IGNORED
from kdlib.errors import SettingError
from kdlib.validated import is_boolean, is_number

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
# A float for one sample, an array for rows of samples. The argument's type cannot tell which.
FloatOrRows: TypeAlias = Any

_MOST_NAMED = 10


class EmptyGroupWarning(UserWarning):
    """A class or group has no examples, so its value is NaN. The message names it."""


def as_array(values: Any, name: str = "values") -> NDArray[Any]:
    """A NumPy array of ``values``, which may be a torch tensor on any device.

    ``SettingError`` where they are no such thing.
    """
    given = values
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        if "bfloat16" in str(values.dtype):  # NumPy has no such type
            values = values.float()
        values = values.numpy()
    try:
        array = np.asarray(values)
    except (TypeError, ValueError, RuntimeError):
        raise _no_numbers(name, given) from None
    if array.dtype == object and array.ndim == 0:
        raise _no_numbers(name, given)
    return array


def _no_numbers(name: str, values: Any) -> SettingError:
    return SettingError(f"{name} is of type {type(values).__name__}: expected numbers")


def as_floats(values: Any, name: str = "values") -> Floats:
    """``values`` in float64, so that sums over many examples stay exact to 1e-12 or so."""
    try:
        return as_array(values, name).astype(np.float64)
    except (TypeError, ValueError):
        raise _no_numbers(name, values) from None


def as_labels(labels: Any, num_classes: int | None = None) -> tuple[Integers, NDArray[np.bool_]]:
    """True classes as int64, and which of them count: not those labelled ``IGNORED``.

    What is left out is class 0 here, so that it can be an index.
    """
    array = as_array(labels, "labels")
    kept = array != IGNORED
    return as_classes("labels", np.where(kept, array, np.zeros_like(array)), num_classes), kept


def as_classes(name: str, values: Any, num_classes: int | None = None) -> Integers:
    """Class indices as int64; ``SettingError`` where one is no whole number or out of range."""
    array = as_array(values, name)
    if array.size and array.dtype.kind not in "iub":
        raise SettingError(f"{name} has type {array.dtype}: expected whole numbers")
    if array.ndim == 0:
        raise SettingError(f"{name} = {values!r} is not allowed: expected one class per example")
    classes = array.astype(np.int64)
    if classes.size:
        _check_range(name, classes, num_classes)
    return classes


def match_labels(name: str, shape: tuple[int, ...], labels: NDArray[Any]) -> NDArray[Any]:
    """``labels`` repeated over the rows of an array of that shape; ``SettingError`` if unfit."""
    if labels.shape not in (shape, shape[-1:]):
        raise SettingError(f"labels has shape {labels.shape}: expected {shape} as {name} has")
    return np.broadcast_to(labels, shape)


def as_per_class(name: str, values: Any) -> Floats:
    """Values by class, ``[..., L]`` in float64; ``SettingError`` where there is no class."""
    array = as_floats(values, name)
    if array.ndim == 0 or array.shape[-1] == 0:
        raise SettingError(f"{name} has shape {array.shape}: expected one value per class")
    return array


def check_whole(name: str, value: Any, largest: int | None = None) -> None:
    """``SettingError`` unless ``value`` is a whole number from 1 to ``largest``."""
    whole = isinstance(value, int | np.integer) and not is_boolean(value)
    if not whole or value < 1 or (largest is not None and value > largest):
        allowed = "1 or more" if largest is None else f"a whole number from 1 to {largest}"
        raise SettingError(f"{name} = {value!r} is not allowed: {allowed}")


def check_share(name: str, value: Any, *, with_one: bool) -> None:
    """``SettingError`` unless ``value`` is a number above 0 and below 1, or 1 if that may be."""
    if is_number(value) and (0 < value < 1 or (with_one and value == 1)):
        return
    allowed = "above 0, at most 1" if with_one else "above 0, below 1"
    raise SettingError(f"{name} = {value!r} is not allowed: {allowed}")


def warn_empty(kind: str, names: Sequence[object], outcome: str = "NaN") -> None:
    """Warn that these classes, groups or buckets have no examples; no names, no warning."""
    if not len(names):
        return
    named = ", ".join(str(name) for name in names[:_MOST_NAMED])
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    message = f"no examples in {kind} {named}{more}: the result is {outcome}"
    # Three levels up: past this function and the metric that found the gap.
    warnings.warn(message, EmptyGroupWarning, stacklevel=3)


def _check_range(name: str, classes: Integers, num_classes: int | None) -> None:
    most, allowed = np.inf, "from 0 on"
    if num_classes is not None:
        most, allowed = num_classes - 1, f"0 to {num_classes - 1}"
    for extreme in (classes.min(), classes.max()):
        if not 0 <= extreme <= most:
            raise SettingError(f"{name} holds class {extreme}: allowed are {allowed}")
