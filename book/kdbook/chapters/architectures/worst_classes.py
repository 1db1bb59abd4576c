"""Which classes are the worst, and whose accuracy says so: one place for the orderings.

"Teacher's pet" mostly means the classes where the evaluated model itself is worst. Section 3.2
means those with the lowest accuracy of the teacher. The two answer different questions, and where
test images choose the classes that they then measure, the number is too low on average.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kdbook.compare import a_tenth
from kdlib.errors import SettingError
from kdlib.metrics import worst_k
from kdlib.runs import RunResult

BY_TEACHER, BY_VALIDATION = "worst_by_teacher", "worst_by_validation"
"""Columns: worst classes of the teacher by its test accuracy, and by its validation accuracy."""


def ordering_names(num_classes: int) -> dict[str, str]:
    """Columns that hold the accuracy of the worst classes, and whose worst they are, in words."""
    k = a_tenth(num_classes)
    worst = "worst class" if k == 1 else f"worst {k} classes"
    return {
        f"worst_{k}": f"own {worst}",
        BY_TEACHER: "teacher's worst, by test",
        BY_VALIDATION: "teacher's worst, by validation",
    }


def worst_weights(order_by: Any, k: int) -> np.ndarray:
    """The weight of each class in a mean over the k classes with the lowest ``order_by``.

    Classes that tie for the last places share them alike, so that no class is preferred for its
    number.

    Args:
        order_by: one value per class ``[L]``; a NaN is never among the worst.
        k: from 1 to the number of classes that have a value.

    Returns:
        ``[L]``, from 0 to 1/k each, summing to 1.

    Raises:
        SettingError: k is out of range.
    """
    values = np.asarray(order_by, dtype=float)
    known = int((~np.isnan(values)).sum())
    if not 1 <= k <= known:
        raise SettingError(f"k = {k!r} is not allowed: from 1 to {known}, the classes with a value")
    last = np.sort(values)[k - 1]
    below, tied = values < last, values == last
    return (below + tied * (k - below.sum()) / tied.sum()) / k


def accuracy_where(values: Any, order_by: Any, k: int) -> float:
    """Mean of ``values [L]`` over the k classes with the lowest ``order_by [L]``.

    NaN where all values are, as for a run that diverged.
    """
    numbers, keys = np.asarray(values, dtype=float), np.asarray(order_by, dtype=float)
    if np.isnan(numbers).all() or np.isnan(keys).all():
        return float("nan")
    weights = worst_weights(keys, k)
    return float((numbers[weights > 0] * weights[weights > 0]).sum())


def by_each_ordering(result: RunResult, teacher: RunResult) -> dict[str, float]:
    """Test accuracy of ``result`` in percent over the worst tenth of the classes, by each ordering.

    ``worst_k`` is over its own worst. ``BY_TEACHER`` is over the teacher's worst on test images, as
    in section 3.2 of "Teacher's pet". ``BY_VALIDATION`` is over the teacher's worst on validation
    images: there no test image chooses. All are measured on the split ``test``, also where the
    protocol tests on all official test images, so that they differ in nothing but who chooses.
    """
    accuracy = 100 * result.accuracy("test")
    k = a_tenth(len(accuracy))
    own = float("nan") if np.isnan(accuracy).all() else float(worst_k(accuracy, k))
    return {
        f"worst_{k}": own,
        BY_TEACHER: accuracy_where(accuracy, teacher.accuracy("test"), k),
        BY_VALIDATION: accuracy_where(accuracy, teacher.accuracy("validation"), k),
    }
