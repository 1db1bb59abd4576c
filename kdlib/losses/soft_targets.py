"""The one loss, the teacher's probabilities, and weights of its terms by example."""

from __future__ import annotations

from numbers import Real
from typing import Literal

import torch
from torch import Tensor

from kdlib.errors import SettingError
from kdlib.losses._inputs import (
    check_matrix,
    check_shape,
    check_shapes,
    check_teacher_is_there,
    check_vectors,
    wide,
)

Reduction = Literal["mean", "sum", "none"]


def soft_target_loss(
    logits: Tensor,
    labels: Tensor,
    teacher_probs: Tensor | None = None,
    *,
    mix: float | Tensor = 0.0,
    log_cost: Tensor | None = None,
    weight: Tensor | None = None,
    class_weight: Tensor | None = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Cross-entropy of the shifted logits against a mixture of label and teacher.

    It is computed in float32, or in float64 where ``logits`` is float64.

    Args:
        logits: Student logits ``[N, L]``, of any floating type.
        labels: Class indices ``[N]`` in ``0..L-1``, of an integer type.
        teacher_probs: Teacher probabilities ``[N, L]``; each row sums to 1.
        mix: The teacher's share of the target, from 0 to 1: one number, or a tensor ``[L]``
            from which each example reads the entry of its own label.
        log_cost: Tensor ``[L]`` subtracted from the logits; None stands for zeros.
        weight: Tensor ``[N]`` that multiplies each example's teacher term only
            (Zhou et al., 2021).
        class_weight: Tensor ``[L]`` that multiplies each class's entry of the target, outside the
            logarithm ("Robust distillation", equations 2 and 6); None stands for ones.
        reduction: "mean" divides the sum by N, whatever the weights are; "none" gives ``[N]``.

    Returns:
        A scalar, or ``[N]`` for ``reduction="none"``. Where a tensor ``mix`` gives a share to
        a teacher that is not there, the loss is NaN: it never falls back to the label alone.

    Raises:
        SettingError: A shape does not fit, a number ``mix`` lies outside [0, 1], or ``mix`` or
            ``weight`` asks for a teacher that is not there.
    """
    check_shapes(logits, labels, teacher_probs, weight)
    check_vectors(mix, log_cost, class_weight, logits.shape[1])
    check_teacher_is_there(teacher_probs, mix, weight)
    labels = labels.long()
    log_probs = _shifted_log_softmax(logits, log_cost)
    share = _share_by_example(mix, labels, log_probs)
    if class_weight is not None:
        log_probs = class_weight.to(log_probs.dtype) * log_probs
    label_term = -log_probs.gather(1, labels[:, None])[:, 0]
    if teacher_probs is None:
        losses = label_term.masked_fill(share != 0, torch.nan)
    else:
        teacher_term = _teacher_term(log_probs, teacher_probs, weight)
        losses = (1 - share) * label_term + share * teacher_term
    return _reduce(losses, reduction)


def teacher_probabilities(logits: Tensor, temperature: float | Tensor) -> Tensor:
    """Soften a teacher: ``softmax(logits / temperature)``, in float32 (float64 if given).

    Args:
        logits: Teacher logits ``[N, L]``.
        temperature: Above 0. Above 1 flattens the probabilities, below 1 sharpens them. The
            student's logits stay as they are, and the loss gets no ``T ** 2`` factor. A 0-d
            tensor is not looked at.

    Returns:
        Probabilities ``[N, L]``.

    Raises:
        SettingError: The temperature is not a positive number or a 0-d tensor, or the shape of
            the logits is not ``[N, L]``.
    """
    if isinstance(temperature, Tensor):
        check_shape("temperature", temperature, ())
    elif not (isinstance(temperature, Real) and 0 < temperature < float("inf")):
        raise SettingError(f"temperature = {temperature!r} is not allowed: a number above 0")
    check_matrix("logits", logits)
    # The largest logit goes first, so that a small temperature cannot overflow the quotient.
    scores = wide(logits)
    return torch.softmax((scores - scores.amax(1, keepdim=True)) / temperature, dim=1)


def soft_label_weights(logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
    """Weights of the teacher term by example (Zhou et al. 2021): 1 - exp(-CE_s / CE_t).

    CE_s and CE_t are the cross-entropies of student and teacher with the label, at temperature 1.
    Where the teacher is far better than the student the weight is near 1; where the student is
    far better it is near 0.

    Args:
        logits: The student's ``[N, L]``; no gradient flows through the weights.
        teacher_logits: The teacher's ``[N, L]``.
        labels: Class indices ``[N]``.

    Returns:
        ``[N]``, each from 0 to 1.

    Raises:
        SettingError: A shape does not fit.
    """
    check_shapes(logits, labels, teacher_logits, None)
    own = soft_target_loss(logits.detach(), labels, reduction="none")
    teachers = soft_target_loss(teacher_logits.detach(), labels, reduction="none")
    # A teacher that is sure and right has a cross-entropy of 0 in floating point.
    return -torch.expm1(-own / teachers.clamp(min=torch.finfo(teachers.dtype).tiny))


def _shifted_log_softmax(logits: Tensor, log_cost: Tensor | None) -> Tensor:
    shifted = wide(logits)
    if log_cost is not None:
        shifted = shifted - log_cost.to(shifted.dtype)
    return torch.log_softmax(shifted, dim=1)


def _share_by_example(mix: float | Tensor, labels: Tensor, like: Tensor) -> Tensor:
    if isinstance(mix, Tensor):
        return mix.to(like.dtype)[labels]
    return torch.full_like(like[:, 0], float(mix))


def _teacher_term(log_probs: Tensor, teacher_probs: Tensor, weight: Tensor | None) -> Tensor:
    term = -(teacher_probs.to(log_probs.dtype) * log_probs).sum(dim=1)
    return term if weight is None else weight.to(term.dtype) * term


def _reduce(losses: Tensor, reduction: Reduction) -> Tensor:
    if reduction == "none":
        return losses
    if reduction == "sum":
        return losses.sum()
    if reduction == "mean":
        return losses.mean()
    raise SettingError(f"reduction = {reduction!r} is not allowed: 'mean', 'sum' or 'none'")
