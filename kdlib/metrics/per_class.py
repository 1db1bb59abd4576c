"""Accuracy by class, and the numbers that sum it up."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kdlib.aligned import check_aligned
from kdlib.errors import SettingError
from kdlib.metrics._inputs import (
    FloatOrRows,
    Floats,
    Integers,
    as_array,
    as_classes,
    as_labels,
    as_per_class,
    check_share,
    check_whole,
    match_labels,
    warn_empty,
)
from kdlib.metrics.examples import class_means


def per_class_accuracy(predictions: Any, labels: Any, num_classes: int) -> Floats:
    """The share of each class's examples that are predicted right (its recall).

    Args:
        predictions: Predicted classes ``[..., N]`` in ``0..num_classes-1``.
        labels: True classes ``[N]`` (or one for each prediction); -100 leaves an example out.
        num_classes: L, at least 1.

    Returns:
        ``[..., L]``, each from 0 to 1. A class without examples is NaN, with an
        ``EmptyGroupWarning`` that names it.

    Raises:
        SettingError: A shape or an index does not fit, or a class is out of range.
    """
    check_whole("num_classes", num_classes)
    check_aligned(-1, predictions=predictions, labels=labels)
    predicted = as_classes("predictions", predictions, num_classes)
    truth = as_array(labels, "labels")
    right = predicted == match_labels("predictions", predicted.shape, truth)
    return class_means(right, truth, num_classes)


def mean_accuracy(predictions: Any, labels: Any) -> FloatOrRows:
    """The share of all examples that are predicted right.

    Args:
        predictions: Predicted classes ``[..., N]``.
        labels: True classes ``[N]`` (or one for each prediction); -100 leaves an example out.

    Returns:
        A float from 0 to 1, or one per row. NaN with an ``EmptyGroupWarning`` where no example is
        left.

    Raises:
        SettingError: A shape or an index does not fit, or a class is negative.
    """
    check_aligned(-1, predictions=predictions, labels=labels)
    predicted = as_classes("predictions", predictions)
    truth, kept = (match_labels("predictions", predicted.shape, part) for part in as_labels(labels))
    right, counts = ((predicted == truth) & kept).sum(axis=-1), kept.sum(axis=-1)
    if not np.all(counts):
        warn_empty("sample", ["(N = 0)"])
    nothing = np.full(counts.shape, np.nan)
    return _plain(np.divide(right, counts, out=nothing, where=counts > 0))


def balanced_accuracy(per_class: Any) -> FloatOrRows:
    """The mean accuracy over classes, each class counting the same.

    Args:
        per_class: Accuracies ``[..., L]``. NaN classes are left out: whoever computed them has
            warned.

    Returns:
        A float from 0 to 1, or one per row. NaN where every class is NaN.
    """
    values = as_per_class("per_class", per_class)
    return _plain(_mean_of_lowest(values, _measured(values)))


def worst_k(per_class: Any, k: int) -> FloatOrRows:
    """The mean accuracy of the k classes with the lowest accuracy.

    Args:
        per_class: Accuracies ``[..., L]``. NaN classes are left out, else one empty class would
            hide all others.
        k: From 1 to L.

    Returns:
        A float from 0 to 1, or one per row. NaN where fewer than k classes have a value.

    Raises:
        SettingError: ``k`` is out of range.
    """
    values = as_per_class("per_class", per_class)
    check_whole("k", k, values.shape[-1])
    return _plain(_mean_of_lowest(values, np.full(values.shape[:-1], k)))


def top_fraction(per_class: Any, fraction: float) -> FloatOrRows:
    """The mean accuracy of the best classes, for example of the best 10 per cent.

    Args:
        per_class: Accuracies ``[..., L]``. NaN classes are left out.
        fraction: In (0, 1]. Of M classes with a value, ``round(fraction * M)`` count, and at
            least one.

    Returns:
        A float from 0 to 1, or one per row. NaN where every class is NaN.

    Raises:
        SettingError: ``fraction`` is out of range.
    """
    check_share("fraction", fraction, with_one=True)
    values = as_per_class("per_class", per_class)
    count = np.maximum(1, np.rint(fraction * _measured(values)))
    return _plain(0.0 - _mean_of_lowest(-values, count))


def delta_k(per_class: Any, k: int) -> FloatOrRows:
    """The balanced accuracy minus the accuracy of the k worst classes.

    0 says that all classes do equally well ("Teacher's pet", Table 6). Arguments, results and
    errors are as for ``worst_k``.
    """
    return balanced_accuracy(per_class) - worst_k(per_class, k)


def summary(per_class: Any, ks: Sequence[int] = (1,)) -> dict[str, float]:
    """The balanced accuracy and worst-k accuracies under the names that tables use.

    Args:
        per_class: Accuracies ``[L]``. NaN classes are left out.
        ks: The k of each worst-k, from 1 to L.

    Returns:
        ``{"balanced": ..., "worst_1": ..., ...}``, one entry for each k.

    Raises:
        SettingError: A ``k`` is out of range.
    """
    worst = {f"worst_{k}": worst_k(per_class, k) for k in ks}
    return {"balanced": balanced_accuracy(per_class), **worst}


def bucket_means(per_class: Any, order_by: Any, num_buckets: int = 10) -> Floats:
    """Averages over equal buckets of classes, sorted by another value of the classes.

    "Teacher's pet", Figures 3 to 5: sort by teacher accuracy and average a log-loss.

    Args:
        per_class: Values ``[L]`` to average.
        order_by: Values ``[L]`` to sort by, ascending. Ties keep the order of the classes. A
            class that is NaN in either array is left out.
        num_buckets: From 1 to L. Sizes differ by one at most; the first buckets are the larger.

    Returns:
        ``[num_buckets]``. A bucket without classes is NaN, with an ``EmptyGroupWarning``.

    Raises:
        SettingError: The shapes or indexes differ or ``num_buckets`` is out of range.
    """
    values, keys = _same_classes(per_class=per_class, order_by=order_by)
    check_whole("num_buckets", num_buckets, len(values))
    buckets = np.array_split(values[_ascending(keys, values)], num_buckets)
    warn_empty("bucket", [i for i, bucket in enumerate(buckets) if not len(bucket)])
    return np.array([bucket.mean() if len(bucket) else np.nan for bucket in buckets])


def cumulative_gain(candidate: Any, baseline: Any, order_by: Any = None) -> Floats:
    """The mean gain over the k worst classes, for every k ("Teacher's pet", Figure 2).

    Sorting by the baseline's own measured accuracy favours the candidate at small k: a class
    that looks worst is there partly by chance. Sort by a third model to avoid that.

    Args:
        candidate: Accuracies ``[L]`` of the model in question.
        baseline: Accuracies ``[L]`` of the model it is compared with.
        order_by: Values ``[L]`` to sort by, ascending; the baseline's where None. Ties keep the
            order of the classes. A class that is NaN in any of the arrays is left out.

    Returns:
        ``[M]`` for the M classes that are left: entry k-1 is the mean of
        ``candidate - baseline`` over the first k classes. The last is the balanced gain.

    Raises:
        SettingError: The shapes or indexes differ.
    """
    new, old, keys = _same_classes(
        candidate=candidate,
        baseline=baseline,
        order_by=baseline if order_by is None else order_by,
    )
    gain = (new - old)[_ascending(keys, new, old)]
    return np.cumsum(gain) / np.arange(1, len(gain) + 1)


def _measured(values: Floats) -> Integers:
    return np.asarray((~np.isnan(values)).sum(axis=-1))


def _mean_of_lowest(values: Floats, count: Any) -> Floats:
    # NaN sorts last, so it is left out as long as `count` values are there.
    ordered = np.sort(values, axis=-1)
    chosen = np.arange(values.shape[-1]) < np.asarray(count)[..., None]
    total = np.where(chosen, ordered, 0.0).sum(axis=-1)
    return np.divide(total, count, out=np.full_like(total, np.nan), where=np.asarray(count) > 0)


def _same_classes(**arrays: Any) -> list[Floats]:
    check_aligned(0, **arrays)
    vectors = {name: as_per_class(name, values) for name, values in arrays.items()}
    shape = next(iter(vectors.values())).shape
    for name, vector in vectors.items():
        if vector.ndim != 1 or vector.shape != shape:
            raise SettingError(f"{name} has shape {vector.shape}: expected one value per class")
    return list(vectors.values())


def _ascending(keys: Floats, *values: Floats) -> Integers:
    missing = np.any(np.isnan([keys, *values]), axis=0)
    order = np.argsort(keys, kind="stable")
    return order[~missing[order]]


def _plain(values: Any) -> FloatOrRows:
    return float(values) if np.ndim(values) == 0 else values
