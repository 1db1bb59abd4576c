"""The one loss, the teacher's probabilities, and weights of its terms by example."""

from __future__ import annotations

import sys
from numbers import Real
from typing import Any, Literal, get_args

import torch
from torch import Tensor

from kdlib.aligned import check_aligned, check_class_order
from kdlib.arrays import as_tensor, known
from kdlib.errors import SettingError
from kdlib.losses import in_step
from kdlib.losses._inputs import (
    Labels,
    as_labels,
    as_optional,
    as_vector,
    check_shape,
    check_shares,
    refuse_no_probabilities,
    wide,
    with_nan,
)
from kdlib.validated import check_choice, is_number

Reduction = Literal["mean", "sum", "none"]


def soft_target_loss(
    logits: Any,
    labels: Any,
    teacher_probs: Any = None,
    *,
    mix: Any = 0.0,
    log_cost: Any = None,
    weight: Any = None,
    class_weight: Any = None,
    reduction: Reduction = "mean",
) -> Tensor:
    """Cross-entropy of the shifted logits against a mixture of label and teacher.

    It is computed in float32, or in float64 where ``logits`` is float64. All arrays may be tensors
    or what ``torch.as_tensor`` takes.

    Args:
        logits: Student logits ``[N, L]``, of any floating type. A class with -inf is masked: it
            counts 0 where the target gives it nothing, and makes the loss infinite elsewhere.
        labels: Class indices ``[N]`` in ``0..L-1``, of an integer type. Examples labelled -100
            (``IGNORED``) are left out, whatever their logits and probabilities.
        teacher_probs: Teacher probabilities ``[N, L]``; each row sums to 1. No gradient flows to
            them: they are the target. A row with NaN makes the loss NaN.
        mix: The teacher's share of the target, from 0 to 1: one number, or a vector ``[L]``
            from which each example reads the entry of its own label.
        log_cost: Vector ``[L]`` subtracted from the logits; None stands for zeros.
        weight: Vector ``[N]`` that multiplies each example's teacher term only
            (Zhou et al., 2021).
        class_weight: Vector ``[L]`` that multiplies each class's entry of the target, outside the
            logarithm ("Robust distillation", equations 2 and 6); None stands for ones.
        reduction: "mean" divides the sum by the number of examples that are not left out, whatever
            the weights are, and is NaN where there is none; "none" gives ``[N]``, with 0 for an
            example that is left out.

    Returns:
        A scalar, or ``[N]`` for ``reduction="none"``. Where a vector ``mix`` gives a share to
        a teacher that is not there, the loss is NaN: it never falls back to the label alone. So it
        is for a label out of range, or a row that is no probabilities, where values cannot be
        read without waiting (on a GPU, under ``torch.compile`` and ``torch.vmap``).

    Raises:
        SettingError: A shape or an index does not fit, a label or an entry of ``mix`` is out of
            range, a row of the teacher is no probabilities (of NaN: all rows), or ``mix`` or
            ``weight`` asks for a teacher that is not there.
    """
    check_choice("reduction", reduction, get_args(Reduction))
    check_aligned(0, logits=logits, labels=labels, teacher_probs=teacher_probs, weight=weight)
    vectors = {"log_cost": log_cost, "class_weight": class_weight}
    shares = None if isinstance(mix, Real) else mix
    check_class_order(-1, logits=logits, teacher_probs=teacher_probs, mix=shares, **vectors)
    scores = as_tensor("logits", logits, "logits [N, L]")
    truth = as_labels(labels, scores)
    probs = as_optional("teacher_probs", teacher_probs, "probabilities [N, L]", scores.device)
    share = as_vector("mix", mix, scores.device)
    losses = in_step.example_losses(
        truth.blank(scores),
        truth.classes,
        truth.blank(probs),
        mix=share,
        weight=truth.blank(as_optional("weight", weight, "weights [N]", scores.device)),
        **{name: as_vector(name, values, scores.device) for name, values in vectors.items()},
    )
    check_shares("mix", share)
    unfit = None if probs is None else refuse_no_probabilities("teacher_probs", probs, truth.kept)
    return _reduce(with_nan(losses, truth.wrong, unfit), truth, reduction)


def teacher_probabilities(logits: Any, temperature: float | Tensor) -> Tensor:
    """Soften a teacher: ``softmax(logits / temperature)``, in float32 (float64 if given).

    Args:
        logits: Teacher logits ``[N, L]``, a tensor or what ``torch.as_tensor`` takes. A class with
            -inf gets probability 0. A row with NaN or +inf becomes NaN.
        temperature: Above 0, and no less than the smallest normal number of that format. Above 1
            flattens the probabilities, below 1 sharpens them. The student's logits stay as they
            are, and the loss gets no ``T ** 2`` factor. A 0-d tensor is looked at only where that
            waits for no device.

    Returns:
        Probabilities ``[N, L]``.

    Raises:
        SettingError: The temperature is not such a number or a 0-d tensor, or the logits are no
            table ``[N, L]``.
    """
    check_class_order(-1, logits=logits)
    scores = as_tensor("the teacher's answer", logits, "logits [N, L]")
    _check_temperature(temperature, torch.finfo(wide(scores[:0]).dtype).tiny)
    return in_step.soften(scores, temperature)


def soft_label_weights(logits: Any, teacher_logits: Any, labels: Any) -> Tensor:
    """Weights of the teacher term by example (Zhou et al. 2021): 1 - exp(-CE_s / CE_t).

    CE_s and CE_t are the cross-entropies of student and teacher with the label, at temperature 1.
    Where the teacher is far better than the student the weight is near 1; where the student is
    far better it is near 0.

    Args:
        logits: The student's ``[N, L]``; no gradient flows through the weights. This and the
            others may be tensors or what ``torch.as_tensor`` takes.
        teacher_logits: The teacher's ``[N, L]``.
        labels: Class indices ``[N]``; the weight of an example labelled -100 is 0.

    Returns:
        ``[N]``, each from 0 to 1.

    Raises:
        SettingError: A shape or an index does not fit, or a label is out of range.
    """
    check_aligned(0, logits=logits, teacher_logits=teacher_logits, labels=labels)
    check_class_order(-1, logits=logits, teacher_logits=teacher_logits)
    scores = as_tensor("logits", logits, "logits [N, L]")
    truth = as_labels(labels, scores)
    theirs = as_tensor("teacher_logits", teacher_logits, "logits [N, L]", scores.device)
    check_shape("teacher_logits", theirs, tuple(scores.shape))
    weights = in_step.weights_by_example(truth.blank(scores), truth.blank(theirs), truth.classes)
    return with_nan(weights, truth.wrong).masked_fill(~truth.kept, 0.0)


def _reduce(losses: Tensor, truth: Labels, reduction: Reduction) -> Tensor:
    if not truth.all_kept:
        losses = losses.masked_fill(~truth.kept, 0.0)
    if reduction == "none":
        return losses
    if reduction == "sum":
        return losses.sum()
    return losses.mean() if truth.all_kept else losses.sum() / truth.kept.sum()


def _check_temperature(temperature: float | Tensor, smallest: float) -> None:
    if isinstance(temperature, Tensor):
        check_shape("temperature", temperature, ())
        fits: bool | None = known((temperature >= smallest) & temperature.isfinite())
    else:
        fits = is_number(temperature) and smallest <= temperature <= sys.float_info.max
    if fits is False:
        shown = temperature.item() if isinstance(temperature, Tensor) else repr(temperature)
        raise SettingError(
            f"temperature = {shown} is not allowed: a number above 0 (from {smallest:.2g})"
        )
