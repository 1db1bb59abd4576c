"""Weights of the classes that follow their errors ("Robust distillation")."""

from __future__ import annotations

import math
from numbers import Real
from typing import Literal

import torch
from torch import Tensor

from kdlib.errors import SettingError
from kdlib.losses._inputs import check_matrix, check_shape, wide

ClassError = Literal["zero_one", "cross_entropy"]


def exponentiated_gradient(log_multipliers: Tensor, errors: Tensor, step: float) -> Tensor:
    """One step of the class multipliers: lambda_j exp(step * R_j), normalised.

    "Robust distillation", Algorithm 1; Algorithm 2 passes ``alpha * step``. The state is kept as
    logarithms, which a long run of steps cannot underflow.

    Args:
        log_multipliers: ``[L]``, logarithms of weights that sum to 1.
        errors: ``[L]``, each class's error R_j, at least 0.
        step: Step size, at least 0; the paper has 0.1.

    Returns:
        A new tensor ``[L]`` of logarithms of weights that sum to 1.
    """
    moved = log_multipliers + step * errors
    return moved - moved.logsumexp(0)


def traded_off_log_weights(log_multipliers: Tensor, alpha: float) -> Tensor:
    """Log beta, beta_y = (1 - alpha) / m + alpha lambda_y ("Robust distillation", Algorithm 2).

    Args:
        log_multipliers: ``[L]``, logarithms of weights that sum to 1.
        alpha: From 0 (balanced) to 1 (robust).

    Raises:
        SettingError: ``alpha`` is outside [0, 1].
    """
    if not (isinstance(alpha, Real) and 0 <= alpha <= 1):
        raise SettingError(f"alpha = {alpha!r} is not allowed: from 0 to 1")
    even = torch.full_like(log_multipliers, -math.log(len(log_multipliers)))
    if alpha == 0:
        return even
    if alpha == 1:
        return log_multipliers.clone()
    return torch.logaddexp(even + math.log1p(-alpha), log_multipliers + math.log(alpha))


def class_errors(
    logits: Tensor, targets: Tensor, class_rates: Tensor, error: ClassError = "zero_one"
) -> Tensor:
    """R_j = mean over examples of targets_j * loss(j, f(x)) / class_rates_j.

    "Robust distillation", equations 3 and 7 and Algorithm 1. Targets are one-hot rows or the
    teacher's probabilities.

    Args:
        logits: Unshifted ``[N, L]``.
        targets: ``[N, L]``, rows that sum to 1.
        class_rates: ``[L]``, the mean of the targets: over these examples, or over a larger set
            that they come from.
        error: ``zero_one`` is 1 where the largest logit is not class j's; ``cross_entropy`` is
            ``-log softmax_j``.

    Returns:
        ``[L]``, 0 for a class of rate 0.

    Raises:
        SettingError: A shape does not fit.
    """
    check_matrix("logits", logits)
    check_shape("targets", targets, tuple(logits.shape))
    check_shape("class_rates", class_rates, (logits.shape[1],))
    if error == "cross_entropy":
        losses = -torch.log_softmax(wide(logits), dim=1)
    else:
        losses = torch.ones_like(targets)
        losses = losses.scatter(1, logits.argmax(1, keepdim=True), 0.0)
    sums = (targets * losses).mean(dim=0)
    return torch.where(class_rates > 0, sums / class_rates, torch.zeros_like(sums))
