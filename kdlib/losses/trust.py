"""Trust in the teacher by class, and what AdaMargin makes of it ("Teacher's pet")."""

from __future__ import annotations

from numbers import Real

import torch
from torch import Tensor

from kdlib.errors import SettingError
from kdlib.losses._inputs import check_shape, check_shapes, wide


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
    check_shapes(teacher_probs, labels, None, None, name="teacher_probs")
    check_shape("teacher_probs", teacher_probs, (len(labels), num_classes))
    margins = _average_margin(wide(teacher_probs), labels.long())
    zeros = margins.new_zeros(num_classes)
    sums = zeros.index_add(0, labels.long(), margins)
    counts = zeros.index_add(0, labels.long(), torch.ones_like(margins))
    return sums / counts


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
    return -wide(mix).clamp(min=offset).log()


def _average_margin(probs: Tensor, labels: Tensor) -> Tensor:
    own = probs.gather(1, labels[:, None])[:, 0]
    return own - (probs.sum(dim=1) - own) / (probs.shape[1] - 1)
