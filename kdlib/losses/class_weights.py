"""Weights of the classes that follow their errors ("Robust distillation")."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from kdlib.aligned import check_aligned, check_class_order
from kdlib.arrays import as_tensor
from kdlib.errors import SettingError
from kdlib.losses._inputs import (
    check_matrix,
    check_shape,
    refuse_no_probabilities,
    wide,
    with_nan,
)
from kdlib.losses.in_step import times
from kdlib.validated import check_choice, is_number

ClassError = Literal["zero_one", "cross_entropy"]


def exponentiated_gradient(log_multipliers: Any, errors: Any, step: float) -> Tensor:
    """One step of the class multipliers: lambda_j exp(step * R_j), normalised.

    "Robust distillation", Algorithm 1; Algorithm 2 passes ``alpha * step``. The state is kept as
    logarithms, which a long run of steps cannot underflow.

    Args:
        log_multipliers: ``[L]``, logarithms of weights that sum to 1. This and the errors may be
            tensors or what ``torch.as_tensor`` takes.
        errors: ``[L]``, each class's error R_j, at least 0.
        step: Step size, at least 0; the paper has 0.1.

    Returns:
        A new tensor ``[L]`` of logarithms of weights that sum to 1.

    Raises:
        SettingError: The step size is no such number, or the shapes differ.
    """
    if not (is_number(step) and 0 <= step < math.inf):
        raise SettingError(f"step = {step!r} is not allowed: a number from 0")
    check_class_order(0, log_multipliers=log_multipliers, errors=errors)
    before = as_tensor("log_multipliers", log_multipliers, "a vector [L]")
    found = as_tensor("errors", errors, "a vector [L]", before.device)
    check_shape("errors", found, (before.numel(),))
    moved = before + step * found
    return moved - moved.logsumexp(0)


def traded_off_log_weights(log_multipliers: Any, alpha: float) -> Tensor:
    """Log beta, beta_y = (1 - alpha) / m + alpha lambda_y ("Robust distillation", Algorithm 2).

    Args:
        log_multipliers: ``[L]``, logarithms of weights that sum to 1; a tensor or what
            ``torch.as_tensor`` takes.
        alpha: From 0 (balanced) to 1 (robust).

    Raises:
        SettingError: ``alpha`` is outside [0, 1].
    """
    if not (is_number(alpha) and 0 <= alpha <= 1):
        raise SettingError(f"alpha = {alpha!r} is not allowed: from 0 to 1")
    logs = as_tensor("log_multipliers", log_multipliers, "a vector [L]")
    even = torch.full_like(logs, -math.log(len(logs)))
    if alpha == 0:
        return even
    if alpha == 1:
        return logs.clone()
    return torch.logaddexp(even + math.log1p(-alpha), logs + math.log(alpha))


def class_errors(
    logits: Any, targets: Any, class_rates: Any, error: ClassError = "zero_one"
) -> Tensor:
    """R_j = mean over examples of targets_j * loss(j, f(x)) / class_rates_j.

    "Robust distillation", equations 3 and 7 and Algorithm 1. Targets are one-hot rows or the
    teacher's probabilities. Arrays may be tensors or what ``torch.as_tensor`` takes.

    Args:
        logits: Unshifted ``[N, L]``. A class with -inf is masked: it counts 0 where the targets
            give it nothing.
        targets: ``[N, L]``, rows that sum to 1, of any type of numbers. No gradient flows to them.
        class_rates: ``[L]``, the mean of the targets: over these examples, or over a larger set
            that they come from. No gradient flows to them.
        error: ``zero_one`` is 1 where the largest logit is not class j's; ``cross_entropy`` is
            ``-log softmax_j``.

    Returns:
        ``[L]``, 0 for a class of rate 0; all NaN if a logit or a target is. Where values cannot be
        read without waiting (on a GPU, under ``torch.compile`` and ``torch.vmap``), so it is for a
        row of targets that is no probabilities.

    Raises:
        SettingError: A shape or an index does not fit, a row of the targets is no probabilities,
            or the error is unknown.
    """
    check_choice("error", error, get_args(ClassError))
    check_aligned(0, logits=logits, targets=targets)
    check_class_order(-1, logits=logits, targets=targets, class_rates=class_rates)
    scores = as_tensor("logits", logits, "logits [N, L]")
    check_matrix("logits", scores)
    goals = as_tensor("targets", targets, "probabilities [N, L]", scores.device).detach()
    check_shape("targets", goals, tuple(scores.shape))
    rates = as_tensor("class_rates", class_rates, "a vector [L]", scores.device).detach()
    check_shape("class_rates", rates, (scores.shape[1],))
    unfit = refuse_no_probabilities("targets", goals)
    losses = _losses_by_class(scores, error)
    sums = -times(goals.to(losses.dtype), -losses).mean(dim=0)
    absent = rates <= 0
    found = torch.where(absent, 0.0, sums / rates.to(sums.dtype).masked_fill(absent, 1.0))
    broken = scores.isnan().any() | goals.sum(dim=1).isnan().any()
    return with_nan(found, broken, None if unfit is None else unfit.any())


def _losses_by_class(scores: Tensor, error: ClassError) -> Tensor:
    """The loss ``[N, L]`` that each example would have if its label were class j."""
    if error == "cross_entropy":
        return -torch.log_softmax(wide(scores), dim=1)
    return torch.ones_like(wide(scores)).scatter(1, scores.argmax(1, keepdim=True), 0.0)
