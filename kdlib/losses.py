"""The one loss of the book: cross-entropy with a soft target and two vectors over the classes.

For logits ``f``, label ``y`` and teacher probabilities ``p``::

    target = (1 - mix[y]) * onehot(y) + mix[y] * p
    loss   = cross_entropy(f - log_cost, target)        # predictions use the raw f

A method is a choice of the two vectors. One-hot training has ``mix = 0``. Distillation has
``mix = alpha``. AdaAlpha has ``mix = adaptive_mix(...)``. AdaMargin has ``mix = 1`` and
``log_cost = margin_log_cost(...)``. Logit adjustment has ``log_cost = -log(class prior)``.

Sources: "Teacher's pet" (Lukasik et al., 2022), equations 1 to 4; "Robust distillation"
(Wang et al., 2023), equation 9.

Nothing here reads a tensor's values on the host, so that a training step never waits for the
device and the functions work under ``torch.compile`` and ``torch.vmap``.
"""

from __future__ import annotations

import math
from numbers import Real
from typing import Literal

import torch
from torch import Tensor

from kdlib.errors import SettingError

__all__ = [
    "adaptive_mix",
    "average_margins",
    "class_errors",
    "exponentiated_gradient",
    "margin_log_cost",
    "soft_label_weights",
    "soft_target_loss",
    "teacher_probabilities",
    "traded_off_log_weights",
]

Reduction = Literal["mean", "sum", "none"]
ClassError = Literal["zero_one", "cross_entropy"]


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
    _check_shapes(logits, labels, teacher_probs, weight)
    _check_vectors(mix, log_cost, class_weight, logits.shape[1])
    _check_teacher_is_there(teacher_probs, mix, weight)
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
        _check_shape("temperature", temperature, ())
    elif not (isinstance(temperature, Real) and 0 < temperature < float("inf")):
        raise SettingError(f"temperature = {temperature!r} is not allowed: a number above 0")
    _check_matrix("logits", logits)
    # The largest logit goes first, so that a small temperature cannot overflow the quotient.
    wide = _wide(logits)
    return torch.softmax((wide - wide.amax(1, keepdim=True)) / temperature, dim=1)


def adaptive_mix(teacher_probs: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """AdaAlpha's share of the teacher for each class ("Teacher's pet", equation 3).

    ``mix[y] = max(0, mean over the examples of y of gamma_avg(y, p))`` with
    ``gamma_avg(y, p) = p[y] - mean of p over the other classes``. Use a development split that
    the teacher was not trained on.

    Args:
        teacher_probs: The teacher's probabilities ``[N, L]`` on that split.
        labels: Class indices ``[N]`` in ``0..L-1``.
        num_classes: L, at least 2.

    Returns:
        ``[L]`` with entries from 0 to 1. A class without an example gets 0: nothing speaks for
        the teacher there.

    Raises:
        SettingError: A shape does not fit or ``num_classes`` is below 2.
    """
    # A row may sum to a rounding error above 1, and its margin then exceeds 1 too.
    return average_margins(teacher_probs, labels, num_classes).nan_to_num(0.0).clamp(min=0, max=1)


def average_margins(teacher_probs: Tensor, labels: Tensor, num_classes: int) -> Tensor:
    """The mean of gamma_avg in each class: equation 3 of "Teacher's pet" before it is cut at 0.

    Args:
        teacher_probs: The teacher's probabilities ``[N, L]``.
        labels: Class indices ``[N]`` in ``0..L-1``.
        num_classes: L, at least 2.

    Returns:
        ``[L]`` with entries from -1/(L-1) to 1; NaN for a class without an example.

    Raises:
        SettingError: A shape does not fit or ``num_classes`` is below 2.
    """
    if num_classes < 2:
        raise SettingError(f"num_classes = {num_classes!r} is not allowed: 2 or more")
    _check_shapes(teacher_probs, labels, None, None, name="teacher_probs")
    _check_shape("teacher_probs", teacher_probs, (len(labels), num_classes))
    margins = _average_margin(_wide(teacher_probs), labels.long())
    zeros = margins.new_zeros(num_classes)
    sums = zeros.index_add(0, labels.long(), margins)
    counts = zeros.index_add(0, labels.long(), torch.ones_like(margins))
    return sums / counts


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
    _check_shapes(logits, labels, teacher_logits, None)
    own = soft_target_loss(logits.detach(), labels, reduction="none")
    teachers = soft_target_loss(teacher_logits.detach(), labels, reduction="none")
    # A teacher that is sure and right has a cross-entropy of 0 in floating point.
    return -torch.expm1(-own / teachers.clamp(min=torch.finfo(teachers.dtype).tiny))


def margin_log_cost(mix: Tensor, offset: float) -> Tensor:
    """AdaMargin's ``log_cost``: ``-log(max(mix, offset))`` ("Teacher's pet", equation 4).

    The paper's pairwise weights ``rho[y, y'] = mix[y'] / mix[y]`` come to this shift of the
    logits.

    Args:
        mix: The share of the teacher for each class ``[L]``, as ``adaptive_mix`` gives it.
        offset: In (0, 1]. It keeps the logarithm finite where ``mix`` is 0; the paper does not
            state its size.

    Returns:
        ``[L]``, each entry from 0 to ``-log(offset)``.

    Raises:
        SettingError: The offset is outside (0, 1], or ``mix`` is not a vector.
    """
    if not (isinstance(offset, Real) and 0 < offset <= 1):
        raise SettingError(f"offset = {offset!r} is not allowed: above 0, at most 1")
    if mix.ndim != 1:
        raise SettingError(f"mix has shape {tuple(mix.shape)}: expected [L]")
    return -_wide(mix).clamp(min=offset).log()


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
    _check_matrix("logits", logits)
    _check_shape("targets", targets, tuple(logits.shape))
    _check_shape("class_rates", class_rates, (logits.shape[1],))
    if error == "cross_entropy":
        losses = -torch.log_softmax(_wide(logits), dim=1)
    else:
        losses = torch.ones_like(targets)
        losses = losses.scatter(1, logits.argmax(1, keepdim=True), 0.0)
    sums = (targets * losses).mean(dim=0)
    return torch.where(class_rates > 0, sums / class_rates, torch.zeros_like(sums))


def _wide(values: Tensor) -> Tensor:
    return values if values.dtype == torch.float64 else values.float()


def _shifted_log_softmax(logits: Tensor, log_cost: Tensor | None) -> Tensor:
    shifted = _wide(logits)
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


def _average_margin(probs: Tensor, labels: Tensor) -> Tensor:
    own = probs.gather(1, labels[:, None])[:, 0]
    return own - (probs.sum(dim=1) - own) / (probs.shape[1] - 1)


def _reduce(losses: Tensor, reduction: Reduction) -> Tensor:
    if reduction == "none":
        return losses
    if reduction == "sum":
        return losses.sum()
    if reduction == "mean":
        return losses.mean()
    raise SettingError(f"reduction = {reduction!r} is not allowed: 'mean', 'sum' or 'none'")


def _check_shapes(
    scores: Tensor,
    labels: Tensor,
    teacher_probs: Tensor | None,
    weight: Tensor | None,
    name: str = "logits",
) -> None:
    _check_matrix(name, scores)
    _check_shape("labels", labels, (scores.shape[0],))
    if labels.dtype.is_floating_point or labels.dtype.is_complex:
        raise SettingError(f"labels has type {labels.dtype}: expected whole numbers")
    if teacher_probs is not None:
        _check_shape("teacher_probs", teacher_probs, tuple(scores.shape))
    if weight is not None:
        _check_shape("weight", weight, (scores.shape[0],))


def _check_vectors(
    mix: float | Tensor, log_cost: Tensor | None, class_weight: Tensor | None, num_classes: int
) -> None:
    for name, vector in (("log_cost", log_cost), ("class_weight", class_weight)):
        if vector is not None:
            _check_shape(name, vector, (num_classes,))
    if isinstance(mix, Tensor):
        _check_shape("mix", mix, (num_classes,))
    elif not (isinstance(mix, Real) and 0 <= mix <= 1):
        raise SettingError(f"mix = {mix!r} is not allowed: a number from 0 to 1, or a tensor [L]")


def _check_teacher_is_there(
    teacher_probs: Tensor | None, mix: float | Tensor, weight: Tensor | None
) -> None:
    if teacher_probs is not None:
        return
    if not isinstance(mix, Tensor) and mix != 0:
        raise SettingError(f"mix = {mix!r} needs teacher_probs; without a teacher mix must be 0")
    if weight is not None:
        raise SettingError("weight needs teacher_probs: it multiplies the teacher term only")


def _check_matrix(name: str, values: Tensor) -> None:
    if values.ndim != 2:
        raise SettingError(f"{name} has shape {tuple(values.shape)}: expected [N, L]")


def _check_shape(name: str, values: Tensor, expected: tuple[int, ...]) -> None:
    if tuple(values.shape) != expected:
        raise SettingError(f"{name} has shape {tuple(values.shape)}: expected {expected}")
