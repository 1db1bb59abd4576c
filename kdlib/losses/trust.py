"""Trust in the teacher by class, and what AdaMargin makes of it ("Teacher's pet")."""

from __future__ import annotations

from numbers import Integral
from typing import Any

import torch
from torch import Tensor

from kdlib.aligned import check_aligned, check_class_order
from kdlib.arrays import as_tensor
from kdlib.errors import SettingError
from kdlib.losses._inputs import (
    as_labels,
    check_shape,
    check_shares,
    refuse_no_probabilities,
    wide,
    with_nan,
)
from kdlib.validated import is_number


def adaptive_mix(teacher_probs: Any, labels: Any, num_classes: int) -> Tensor:
    """AdaAlpha's share of the teacher for each class ("Teacher's pet", equation 3).

    ``mix[y] = max(0, mean over the examples of y of gamma_avg(y, p))`` with
    ``gamma_avg(y, p) = p[y] - mean of p over the other classes``. Use a development split that
    the teacher was not trained on.

    Args:
        teacher_probs: The teacher's probabilities ``[N, L]`` on that split; no gradient flows to
            them. This and the labels may be tensors or what ``torch.as_tensor`` takes.
        labels: Class indices ``[N]`` in ``0..L-1``; examples labelled -100 are left out.
        num_classes: L, at least 2.

    Returns:
        ``[L]`` with entries from 0 to 1. A class without an example gets 0: nothing speaks for
        the teacher there. A class with a row of NaN is NaN, which no training accepts. Where values
        cannot be read without waiting (on a GPU, under ``torch.compile`` and ``torch.vmap``), a row
        that is no probabilities makes its class NaN, and a label out of range all of them.

    Raises:
        SettingError: A shape or an index does not fit, ``num_classes`` is below 2, a label is out
            of range, or a row does not sum to 1, is negative somewhere, or all of them are NaN.
    """
    sums, counts = _margin_sums(teacher_probs, labels, num_classes)
    # A row may sum to a rounding error above 1, and its margin then exceeds 1 too.
    return torch.where(counts == 0, 0.0, sums / counts).clamp(min=0, max=1)


def average_margins(teacher_probs: Any, labels: Any, num_classes: int) -> Tensor:
    """The mean of gamma_avg in each class: equation 3 of "Teacher's pet" before it is cut at 0.

    Arguments and errors are as for ``adaptive_mix``.

    Returns:
        ``[L]`` with entries from -1/(L-1) to 1; NaN for a class without an example.
    """
    sums, counts = _margin_sums(teacher_probs, labels, num_classes)
    return sums / counts


def margin_log_cost(mix: Any, offset: float) -> Tensor:
    """AdaMargin's ``log_cost``: ``-log(max(mix, offset))`` ("Teacher's pet", equation 4).

    The paper's pairwise weights ``rho[y, y'] = mix[y'] / mix[y]`` come to this shift of the
    logits.

    Args:
        mix: The share of the teacher for each class ``[L]``, as ``adaptive_mix`` gives it: a
            tensor or what ``torch.as_tensor`` takes.
        offset: In (0, 1]. It keeps the logarithm finite where ``mix`` is 0; the paper does not
            state its size.

    Returns:
        ``[L]``, each entry from 0 to ``-log(offset)``.

    Raises:
        SettingError: The offset is outside (0, 1], or ``mix`` is not a vector of such shares.
    """
    if not (is_number(offset) and 0 < offset <= 1):
        raise SettingError(f"offset = {offset!r} is not allowed: above 0, at most 1")
    check_class_order(0, mix=mix)
    shares = as_tensor("mix", mix, "a vector [L]")
    if shares.ndim != 1:
        raise SettingError(f"mix has shape {tuple(shares.shape)}: expected [L]")
    check_shares("mix", shares)
    return -wide(shares).clamp(min=offset).log()


def _margin_sums(teacher_probs: Any, labels: Any, num_classes: int) -> tuple[Tensor, Tensor]:
    """Sum of the margins and number of the examples of each class, ``[L]`` each."""
    if not (isinstance(num_classes, Integral) and is_number(num_classes) and num_classes >= 2):
        raise SettingError(f"num_classes = {num_classes!r} is not allowed: 2 or more")
    check_aligned(0, teacher_probs=teacher_probs, labels=labels)
    check_class_order(-1, teacher_probs=teacher_probs)
    probs = as_tensor("teacher_probs", teacher_probs, "probabilities [N, L]").detach()
    truth = as_labels(labels, probs, name="teacher_probs")
    check_shape("teacher_probs", probs, (len(truth.classes), num_classes))
    unfit = refuse_no_probabilities("teacher_probs", probs, truth.kept)
    margins = with_nan(_average_margin(wide(truth.blank(probs)), truth.classes), unfit)
    zeros = margins.new_zeros(num_classes)
    sums = zeros.index_add(0, truth.classes, margins)
    counts = zeros.index_add(0, truth.classes, truth.kept.to(margins.dtype))
    return with_nan(sums, None if truth.wrong is None else truth.wrong.any()), counts


def _average_margin(probs: Tensor, labels: Tensor) -> Tensor:
    own = probs.gather(1, labels[:, None])[:, 0]
    return own - (probs.sum(dim=1) - own) / (probs.shape[1] - 1)
