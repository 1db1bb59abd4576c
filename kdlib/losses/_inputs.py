"""What all losses share: checks of shapes, and the number format that they compute in."""

from __future__ import annotations

from numbers import Real

import torch
from torch import Tensor

from kdlib.errors import SettingError


def wide(values: Tensor) -> Tensor:
    return values if values.dtype == torch.float64 else values.float()


def check_shapes(
    scores: Tensor,
    labels: Tensor,
    teacher_probs: Tensor | None,
    weight: Tensor | None,
    name: str = "logits",
) -> None:
    check_matrix(name, scores)
    check_shape("labels", labels, (scores.shape[0],))
    if labels.dtype.is_floating_point or labels.dtype.is_complex:
        raise SettingError(f"labels has type {labels.dtype}: expected whole numbers")
    if teacher_probs is not None:
        check_shape("teacher_probs", teacher_probs, tuple(scores.shape))
    if weight is not None:
        check_shape("weight", weight, (scores.shape[0],))


def check_vectors(
    mix: float | Tensor, log_cost: Tensor | None, class_weight: Tensor | None, num_classes: int
) -> None:
    for name, vector in (("log_cost", log_cost), ("class_weight", class_weight)):
        if vector is not None:
            check_shape(name, vector, (num_classes,))
    if isinstance(mix, Tensor):
        check_shape("mix", mix, (num_classes,))
    elif not (isinstance(mix, Real) and 0 <= mix <= 1):
        raise SettingError(f"mix = {mix!r} is not allowed: a number from 0 to 1, or a tensor [L]")


def check_teacher_is_there(
    teacher_probs: Tensor | None, mix: float | Tensor, weight: Tensor | None
) -> None:
    if teacher_probs is not None:
        return
    if not isinstance(mix, Tensor) and mix != 0:
        raise SettingError(f"mix = {mix!r} needs teacher_probs; without a teacher mix must be 0")
    if weight is not None:
        raise SettingError("weight needs teacher_probs: it multiplies the teacher term only")


def check_matrix(name: str, values: Tensor) -> None:
    if values.ndim != 2:
        raise SettingError(f"{name} has shape {tuple(values.shape)}: expected [N, L]")


def check_shape(name: str, values: Tensor, expected: tuple[int, ...]) -> None:
    if tuple(values.shape) != expected:
        raise SettingError(f"{name} has shape {tuple(values.shape)}: expected {expected}")
