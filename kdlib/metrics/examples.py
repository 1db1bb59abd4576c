"""Measures of each example, and their averages by class."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, softmax

from kdlib.aligned import check_aligned, check_class_order
from kdlib.errors import SettingError
from kdlib.metrics._inputs import (
    Floats,
    Integers,
    as_floats,
    as_labels,
    check_whole,
    match_labels,
    warn_empty,
)


def log_loss(logits: Any, labels: Any) -> Floats:
    """``-log p[y]`` of each example, with ``p = softmax(logits)``, in nats.

    It keeps its relative precision where the loss is tiny, and stays finite for any finite
    logits.

    Args:
        logits: ``[..., N, L]``. A class with -inf is masked: it has probability 0.
        labels: Class indices ``[N]`` in ``0..L-1`` (or one for each row of logits).

    Returns:
        ``[..., N]``, each 0 or more; infinite where the label's class is masked. NaN for an
        example labelled -100, and where the logits hold NaN, inf, or -inf only.

    Raises:
        SettingError: A shape or an index does not fit, or a label is out of range.
    """
    scores, own, counts = _scores_and_own(logits, labels)
    with np.errstate(invalid="ignore"):  # of classes that are both masked
        gaps = np.where(np.isneginf(scores), -np.inf, scores - _pick(scores, own)[..., None])
    rivals = np.where(own, -np.inf, gaps)
    return np.where(counts, np.logaddexp(0.0, logsumexp(rivals, axis=-1)), np.nan)


def margin(logits: Any, labels: Any) -> Floats:
    """``p[y] - max of p over the other classes``, with ``p = softmax(logits)``.

    "Teacher's pet", section 3.6. It is positive exactly where the prediction is right.

    Args:
        logits: ``[..., N, L]`` with L at least 2. A class with -inf is masked: it has
            probability 0.
        labels: Class indices ``[N]`` in ``0..L-1`` (or one for each row of logits).

    Returns:
        ``[..., N]``, each from -1 to 1. NaN where ``log_loss`` has it.

    Raises:
        SettingError: A shape or an index does not fit, or a label is out of range.
    """
    scores, own, counts = _scores_and_own(logits, labels)
    probs = softmax(scores, axis=-1)
    margins = _pick(probs, own) - np.where(own, -np.inf, probs).max(axis=-1)
    return np.where(counts, margins, np.nan)


def class_means(values: Any, labels: Any, num_classes: int) -> Floats:
    """The mean of a value over the examples of each class.

    Args:
        values: One value per example, ``[..., N]``: a log-loss, a margin, right or wrong.
        labels: Class indices ``[N]`` in ``0..num_classes-1`` (or one for each value). Examples
            labelled -100 are left out, whatever their value.
        num_classes: L, at least 1.

    Returns:
        ``[..., L]``. A class without examples is NaN, with an ``EmptyGroupWarning``.

    Raises:
        SettingError: A shape or an index does not fit, or a label is out of range.
    """
    check_whole("num_classes", num_classes)
    check_aligned(-1, values=values, labels=labels)
    numbers = as_floats(values)
    classes, kept = (
        match_labels("values", numbers.shape, part) for part in as_labels(labels, num_classes)
    )
    sums = _sum_by_class(np.where(kept, numbers, 0.0), classes, num_classes)
    counts = _sum_by_class(kept.astype(np.float64), classes, num_classes)
    warn_empty("class", _empty_anywhere(counts))
    return np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)


def _sum_by_class(values: Floats, labels: Integers, num_classes: int) -> Floats:
    rows, n = int(np.prod(values.shape[:-1])), values.shape[-1]
    # One count over all rows: each row has its own range of bins.
    bins = labels.reshape(rows, n) + num_classes * np.arange(rows)[:, None]
    sums = np.bincount(bins.ravel(), values.ravel(), minlength=rows * num_classes)
    return np.asarray(sums, np.float64).reshape(*values.shape[:-1], num_classes)


def _empty_anywhere(counts: Floats) -> list[int]:
    missing = (counts == 0).reshape(-1, counts.shape[-1]).any(axis=0)
    return [int(label) for label in np.flatnonzero(missing)]


def _scores_and_own(
    logits: Any, labels: Any
) -> tuple[Floats, NDArray[np.bool_], NDArray[np.bool_]]:
    """Scores, which entry of each row is the label's, and which rows count.

    A row that does not count holds zeros.
    """
    _check_indexes(logits, labels)
    scores = as_floats(logits, "logits")
    if scores.ndim < 2 or scores.shape[-1] < 2:
        raise SettingError(f"logits has shape {scores.shape}: expected [N, L] with L at least 2")
    num_classes = scores.shape[-1]
    classes, kept = (
        match_labels("logits without the last axis", scores.shape[:-1], part)
        for part in as_labels(labels, num_classes)
    )
    counts = kept & np.isfinite(scores.max(axis=-1))  # -inf beside other numbers is a mask
    scores = np.where(counts[..., None], scores, 0.0)
    return scores, classes[..., None] == np.arange(num_classes), counts


def _check_indexes(logits: Any, labels: Any) -> None:
    check_aligned(0, logits=logits, labels=labels)
    check_class_order(-1, logits=logits)


def _pick(scores: Floats, own: NDArray[np.bool_]) -> Floats:
    return scores[own].reshape(scores.shape[:-1])
