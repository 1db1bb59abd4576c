"""What all losses share: checks of what was given.

Values are checked where reading them waits for no device: on the CPU, outside ``torch.compile`` and
``torch.vmap``. Elsewhere a wrong value becomes NaN in what depends on it.
"""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any, NamedTuple

import torch
from torch import Tensor

from kdlib.aligned import IGNORED
from kdlib.arrays import as_tensor, known
from kdlib.errors import SettingError
from kdlib.validated import is_number

_ROUNDING = 0.01
"""Of a row of probabilities: half precision, or a table printed with three decimals."""


def as_optional(name: str, values: Any, expected: str, device: Any) -> Tensor | None:
    """As ``as_tensor``; None stays None."""
    return None if values is None else as_tensor(name, values, expected, device)


def as_vector(name: str, values: Any, device: Any) -> Any:
    """As ``as_tensor``; None, numbers and text stay as they are."""
    if values is None or isinstance(values, (str, Real)):
        return values
    return as_tensor(name, values, "a vector [L]", device)


def wide(values: Tensor) -> Tensor:
    """In the format that losses compute in: float32, or float64 if given."""
    return values if values.dtype == torch.float64 else values.float()


def refuse(wrong: Tensor, complaint: Callable[[Tensor], str]) -> Tensor | None:
    """Refuse what ``wrong`` marks, or hand the marks back where nobody can tell.

    Args:
        wrong: bool, of any shape.
        complaint: makes the error's line from the first place that is marked.

    Raises:
        SettingError: something is marked.
    """
    found = known(wrong.any())
    if found:
        raise SettingError(complaint(wrong.nonzero()[0]))
    return wrong if found is None else None


def with_nan(values: Tensor, *marks: Tensor | None) -> Tensor:
    """``values`` with NaN at the marks that ``refuse`` handed back."""
    for wrong in marks:
        if wrong is not None:
            values = values.masked_fill(wrong, torch.nan)
    return values


class Labels(NamedTuple):
    """Labels that can be used as indices.

    Attributes:
        classes: int64 ``[N]`` from 0 to L-1; 0 where an example is left out or its label is wrong.
        kept: bool ``[N]``, False where the label is ``IGNORED``.
        all_kept: whether none is left out for sure.
        wrong: bool ``[N]``, out of range; None where there is none for sure.
    """

    classes: Tensor
    kept: Tensor
    all_kept: bool
    wrong: Tensor | None

    def blank(self, rows: Any) -> Any:
        """``rows`` ``[N, ...]`` with zeros for what is left out, so that nothing there matters."""
        if rows is None or self.all_kept:
            return rows
        return rows.masked_fill(~self.kept.reshape(-1, *[1] * (rows.ndim - 1)), 0)


def as_labels(labels: Any, scores: Tensor, name: str = "logits") -> Labels:
    """Labels of the rows of ``scores``.

    Raises:
        SettingError: they are no whole numbers, of another length, or out of range.
    """
    check_matrix(name, scores)
    found = as_tensor("labels", labels, "class indices [N]", scores.device)
    check_labels(found, len(scores))
    num_classes, found = scores.shape[1], found.long()
    kept = found != IGNORED
    outside = kept & ((found < 0) | (found >= num_classes))
    wrong = refuse(
        outside,
        lambda place: (
            f"labels holds {found[tuple(place)].item()}: allowed are 0 to {num_classes - 1}, "
            f"and {IGNORED} for an example to leave out"
        ),
    )
    classes = torch.where(kept & ~outside, found, 0)
    return Labels(classes, kept, known(kept.all()) is True, wrong)


def refuse_no_probabilities(name: str, probs: Tensor, kept: Tensor | None = None) -> Tensor | None:
    """Refuse rows ``[N, L]`` that are no probabilities, or mark them where nobody can tell.

    A row with NaN shows itself, since what depends on it is NaN. It is refused only where no row
    is any better.

    Args:
        name: for the message.
        probs: the rows.
        kept: bool ``[N]``, the rows that count; None: all.
    """
    sums = probs.sum(dim=1)
    fine = (probs.amin(dim=1) >= -_ROUNDING) & ((sums - 1).abs() <= _ROUNDING)  # NaN is never fine
    lost = sums.isnan()
    counts = torch.ones_like(fine) if kept is None else kept
    wrong = counts & ~fine & (~lost | (lost | ~counts).all())
    return refuse(
        wrong,
        lambda place: (
            f"{name} is no table of probabilities: row {place[0].item()} holds "
            f"{probs[place[0]].min().item():g} and sums to {sums[place[0]].item():g} "
            "(teacher_probabilities makes them from logits)"
        ),
    )


def check_shapes(
    scores: Tensor,
    labels: Tensor,
    teacher_probs: Tensor | None,
    weight: Tensor | None,
    name: str = "logits",
) -> None:
    """Refuse what is not of the same N examples and L classes."""
    check_matrix(name, scores)
    check_labels(labels, len(scores))
    if teacher_probs is not None:
        check_shape("teacher_probs", teacher_probs, tuple(scores.shape))
    if weight is not None:
        check_shape("weight", weight, (scores.shape[0],))


def check_vectors(
    mix: float | Tensor, log_cost: Tensor | None, class_weight: Tensor | None, num_classes: int
) -> None:
    """Refuse vectors that have not one entry per class, and a number ``mix`` outside [0, 1]."""
    for name, vector in (("log_cost", log_cost), ("class_weight", class_weight)):
        if vector is not None:
            check_shape(name, vector, (num_classes,))
    if isinstance(mix, Tensor):
        check_shape("mix", mix, (num_classes,))
    elif not (is_number(mix) and 0 <= mix <= 1):
        raise SettingError(f"mix = {mix!r} is not allowed: a number from 0 to 1, or a tensor [L]")


def check_teacher_is_there(
    teacher_probs: Tensor | None, mix: float | Tensor, weight: Tensor | None
) -> None:
    """Refuse a number ``mix`` above 0 or a ``weight`` without a teacher."""
    if teacher_probs is not None:
        return
    if not isinstance(mix, Tensor) and mix != 0:
        raise SettingError(f"mix = {mix!r} needs teacher_probs; without a teacher mix must be 0")
    if weight is not None:
        raise SettingError("weight needs teacher_probs: it multiplies the teacher term only")


def check_labels(labels: Tensor, size: int) -> None:
    """Refuse labels of another length, or of no integer type."""
    check_shape("labels", labels, (size,))
    if size and (labels.dtype.is_floating_point or labels.dtype.is_complex):
        raise SettingError(f"labels has type {labels.dtype}: expected whole numbers")


def check_matrix(name: str, values: Tensor) -> None:
    """Refuse what is not ``[N, L]``."""
    if values.ndim != 2:
        raise SettingError(f"{name} has shape {tuple(values.shape)}: expected [N, L]")


def check_shape(name: str, values: Tensor, expected: tuple[int, ...]) -> None:
    """Refuse a tensor of another shape."""
    if tuple(values.shape) != expected:
        raise SettingError(f"{name} has shape {tuple(values.shape)}: expected {expected}")


def check_shares(name: str, shares: float | Tensor) -> None:
    """Refuse a vector with entries outside [0, 1], where they can be read."""
    if not isinstance(shares, Tensor):
        return
    refuse(
        ~((shares >= 0) & (shares <= 1)),
        lambda place: f"{name} holds {shares[tuple(place)].item():g}: allowed are 0 to 1",
    )
