"""In which order the classes are looked at, from those most at risk on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdlib.audit.inputs import Audited

_UNEVEN = 2.0


@dataclass(frozen=True)
class Order:
    """An order of the classes that have examples.

    Attributes:
        places: class indices, those most at risk first.
        words: what it goes by, to follow "classes ordered".
        is_biased: whether the measured gains chose it, so that its first entries look too good.
    """

    places: NDArray[np.int64]
    words: str
    is_biased: bool = False


def class_order(audited: Audited) -> Order:
    """The order by the best of what is there.

    That is, in turn: training examples; test examples, where some classes have twice as many as
    others; the teacher's accuracy, where the student is not compared with the teacher; the accuracy
    of the baseline, which favours the student in the classes that come first.
    """
    counts = audited.counts
    there = np.flatnonzero(counts)
    if audited.train_counts is not None:
        return _by(audited.train_counts, there, "by training examples, fewest first")
    if counts[there].max() >= _UNEVEN * counts[there].min():
        return _by(counts, there, "by test examples, fewest first")
    if "teacher" in audited.models and audited.baseline != "teacher":
        return _by(_accuracy(audited, "teacher"), there, "by the teacher's accuracy, lowest first")
    words = f"by the accuracy of {audited.baseline}, lowest first"
    return _by(_accuracy(audited, audited.baseline), there, words, is_biased=True)


def _by(
    values: NDArray[np.generic], there: NDArray[np.int64], words: str, is_biased: bool = False
) -> Order:
    return Order(there[np.argsort(values[there], kind="stable")], words, is_biased)


def _accuracy(audited: Audited, role: str) -> NDArray[np.float64]:
    return audited.models[role].accuracy(audited.labels, audited.num_classes)
