"""The losses as a training step calls them: they look at shapes, but never at values.

Labels and vectors are checked once before a training (``kdlib.training.job.prepare``), so that no
step waits for the device. The functions of ``kdlib.losses`` check values too, and then call these.
Everything here takes tensors only and works under ``torch.compile`` and ``torch.vmap``.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from kdlib.losses._inputs import (
    check_matrix,
    check_shapes,
    check_teacher_is_there,
    check_vectors,
    wide,
)


def example_losses(
    logits: Tensor,
    labels: Tensor,
    teacher_probs: Tensor | None = None,
    *,
    mix: float | Tensor = 0.0,
    log_cost: Tensor | None = None,
    weight: Tensor | None = None,
    class_weight: Tensor | None = None,
) -> Tensor:
    """The loss of each example, ``[N]``; arguments as for ``soft_target_loss``.

    Labels must be indices. No gradient flows to the teacher.

    Raises:
        SettingError: A shape does not fit, or ``mix`` or ``weight`` asks for a teacher that is not
            there.
    """
    check_shapes(logits, labels, teacher_probs, weight)
    check_vectors(mix, log_cost, class_weight, logits.shape[1])
    check_teacher_is_there(teacher_probs, mix, weight)
    labels = labels.long()
    log_probs = _shifted_log_softmax(logits, log_cost)
    share = _share_by_example(mix, labels, log_probs)
    if class_weight is not None:
        log_probs = times(class_weight.to(log_probs.dtype), log_probs)
    label_term = log_probs.gather(1, labels[:, None])[:, 0]
    if teacher_probs is None:
        return -label_term.masked_fill(share != 0, torch.nan)
    teacher_term = _teacher_term(log_probs, teacher_probs.detach(), weight)
    return -(times(1 - share, label_term) + times(share, teacher_term))


def soften(logits: Tensor, temperature: float | Tensor) -> Tensor:
    """``softmax(logits / temperature)``, in float32 (float64 if given)."""
    check_matrix("logits", logits)
    # The largest logit goes first, so that a small temperature cannot overflow the quotient.
    scores = wide(logits)
    return torch.softmax((scores - scores.amax(1, keepdim=True)) / temperature, dim=1)


def weights_by_example(logits: Tensor, teacher_logits: Tensor, labels: Tensor) -> Tensor:
    """1 - exp(-CE_s / CE_t), ``[N]``; arguments as for ``soft_label_weights``."""
    check_shapes(logits, labels, teacher_logits, None)
    own = example_losses(logits.detach(), labels)
    teachers = example_losses(teacher_logits.detach(), labels)
    # A teacher that is sure and right has a cross-entropy of 0 in floating point.
    return -torch.expm1(-own / teachers.clamp(min=torch.finfo(teachers.dtype).tiny))


def times(share: Tensor, log_probs: Tensor) -> Tensor:
    """Their product, where 0 times -inf is 0 and hands no gradient on.

    A class that is masked to -inf counts 0 where no target asks for it, and -inf where one does.
    """
    nothing = (share == 0) & (log_probs == -math.inf)
    return share * log_probs.masked_fill(nothing, 0.0)


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
    probs = teacher_probs.to(log_probs.dtype)
    # As ``times``, for less: of a row of NaN some entry has a share, so that NaN stays NaN.
    term = torch.where(probs == 0, 0.0, probs * log_probs).sum(dim=1)
    return term if weight is None else times(weight.to(term.dtype), term)
