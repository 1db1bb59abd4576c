"""The checks of the workshop: of each function that a reader writes, what is right and what not.

The mistakes are those that many make. Arguments and results are as the notebooks' docstrings say.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import stdtrit

from kdbook.workshop.loss_checks import (
    CLASS,
    CLASSES,
    IMAGE,
    LABELS,
    STUDENT,
    TEACHER,
    gradient,
    soft_target_loss,
    soften,
)
from kdbook.workshop.verdicts import Check
from kdlib import losses, metrics


def _right(guesses: Any, labels: Any) -> np.ndarray:
    return np.equal(guesses, labels)


def _shares(right: np.ndarray, of: np.ndarray, num_classes: int) -> np.ndarray:
    return np.array([right[of == c].mean() if (of == c).any() else 0 for c in range(num_classes)])


_GUESSES = (TEACHER.argmax(dim=1).numpy(), STUDENT.argmax(dim=1).numpy())

accuracy_by_class = Check(
    name="accuracy_by_class",
    right=metrics.per_class_accuracy,
    examples=[(guesses, LABELS.numpy(), CLASSES) for guesses in _GUESSES],
    axes=(CLASS,),
    mistakes={
        "did you divide by the images of the class, or by all images?":
            lambda g, y, n: np.array([(_right(g, y) & (y == c)).mean() for c in range(n)]),
        "are these the images of the class, or those that were taken for it?":
            lambda g, y, n: _shares(_right(g, y), g, n),
        "is this the accuracy of the class, or of all classes together?":
            lambda g, y, n: np.full(n, _right(g, y).mean()),
        "is this a share, or a number of images?":
            lambda g, y, n: np.bincount(y[_right(g, y)], minlength=n),
        "is this the accuracy, or the error?": lambda g, y, n: 1 - _shares(_right(g, y), y, n),
        "is this from 0 to 1, or in percent?": lambda g, y, n: 100 * _shares(_right(g, y), y, n),
    },
)  # fmt: skip


def _interval(values: np.ndarray, error: float, quantile: float) -> tuple[float, float, float]:
    mean = float(np.mean(values))
    return mean, mean - quantile * error, mean + quantile * error


def _t_interval(values: np.ndarray, *, ddof: int = 1, root: float = 0.5) -> tuple[float, ...]:
    n = len(values)
    return _interval(values, values.std(ddof=ddof) / n**root, stdtrit(n - 1, 0.975))


def _library_interval(a: np.ndarray, b: np.ndarray) -> tuple[float, ...]:
    found = metrics.t_interval(a - b)
    return found.mean, found.low, found.high


def _unpaired(a: np.ndarray, b: np.ndarray, freedom: int) -> tuple[float, ...]:
    error = np.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    return _interval(a - b, error, stdtrit(freedom, 0.975))


def _pairs(n: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(n)
    base = random.normal(60, 8, n)
    return base + random.normal(-5, 3, n), base


paired_interval = Check(
    name="paired_interval",
    right=_library_interval,
    examples=[_pairs(10), _pairs(4)],
    axes=("entry",),
    mistakes={
        "which is subtracted from which?": lambda a, b: _t_interval(b - a),
        "did you pair the seeds, or compare two groups?":
            lambda a, b: _unpaired(a, b, 2 * len(a) - 2),
        "did you pair the seeds, or add the variances of two groups?":
            lambda a, b: _unpaired(a, b, len(a) - 1),
        "is 1.96 right for so few seeds?":
            lambda a, b: _interval(a - b, np.std(a - b, ddof=1) / np.sqrt(len(a)), 1.959964),
        "did you divide the squares by n - 1 (ddof=1), or by n?":
            lambda a, b: _t_interval(a - b, ddof=0),
        "is that the spread of the seeds, or of their mean?":
            lambda a, b: _t_interval(a - b, root=0),
    },
)  # fmt: skip


def _own(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return probs[np.arange(len(labels)), labels]


def _margins(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    own = _own(probs, labels)
    return own - (1 - own) / (probs.shape[1] - 1)


def _largest_other(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    others = probs.copy()
    others[np.arange(len(labels)), labels] = 0
    return others.max(axis=1)


_ASKED = [(losses.teacher_probabilities(TEACHER, t).numpy(), LABELS.numpy()) for t in (1, 3)]

margins = Check(
    name="margins",
    right=_margins,
    examples=_ASKED,
    axes=(IMAGE,),
    mistakes={
        "is it the mean of the other classes, or their sum?": lambda p, y: 2 * _own(p, y) - 1,
        "is it the mean of the other classes, or the largest?":
            lambda p, y: _own(p, y) - _largest_other(p, y),
        "is the class itself among the others? Divide by L - 1":
            lambda p, y: _own(p, y) - (1 - _own(p, y)) / p.shape[1],
        "is the mean taken over the other classes, or over all of them?":
            lambda p, y: _own(p, y) - 1 / p.shape[1],
        "what is subtracted from the teacher's probability of the label?": _own,
        "which is subtracted from which?": lambda p, y: -_margins(p, y),
    },
)  # fmt: skip

trust = Check(
    name="trust",
    right=losses.adaptive_mix,
    examples=[(*asked, CLASSES) for asked in _ASKED],
    axes=(CLASS,),
    mistakes={
        "did you cut at zero?": lambda p, y, n: _shares(_margins(p, y), y, n),
        "did you cut each image at zero, or their mean?":
            lambda p, y, n: _shares(np.maximum(_margins(p, y), 0), y, n),
        "are these the images of the class, or those that the teacher takes for it?":
            lambda p, y, n: np.maximum(_shares(_margins(p, y), p.argmax(axis=1), n), 0),
        "did you divide by the images of the class, or by all images?":
            lambda p, y, n: np.maximum([(_margins(p, y) * (y == c)).mean() for c in range(n)], 0),
        "is that the margin, or the probability of the label?":
            lambda p, y, n: _shares(_own(p, y), y, n),
    },
)  # fmt: skip

_RANDOM = np.random.default_rng(5)
_HITS = _RANDOM.binomial(30, 0.9, size=(6, CLASSES))
_VALIDATION, _TEST = _RANDOM.uniform(40, 100, size=(2, 7, CLASSES))

worst_shown = Check(
    name="worst_shown",
    right=lambda hits, images: (hits / images).min(axis=1),
    examples=[(_HITS, 30), (_HITS[:, :4], 50)],
    axes=("test set",),
    mistakes={
        "is it the worst class of each test set, or the worst test set of each class?":
            lambda hits, images: (hits / images).min(axis=0),
        "is this an accuracy, or a number of right answers?": lambda hits, _: hits.min(axis=1),
        "is it the worst class, or their mean?": lambda hits, images: (hits / images).mean(axis=1),
        "is it the accuracy of the worst class, or its label?": lambda hits, _: hits.argmin(axis=1),
    },
)  # fmt: skip

honest_worst = Check(
    name="honest_worst",
    right=lambda validation, test: _own(test, validation.argmin(axis=1)),
    examples=[(_VALIDATION, _TEST), (_VALIDATION[:3], _TEST[:3])],
    axes=("seed",),
    mistakes={
        "who chose the class: the images that also measure it?": lambda _, test: test.min(axis=1),
        "who measures: the images that also chose the class?": lambda val, _: val.min(axis=1),
        "did you take the best class?": lambda val, test: _own(test, val.argmax(axis=1)),
        "is it the accuracy of the chosen class, or its label?": lambda val, _: val.argmin(axis=1),
        "does each seed choose a class of its own?":
            lambda val, test: test[:, val.mean(axis=0).argmin()],
    },
)  # fmt: skip


def _normalised(weights: np.ndarray) -> np.ndarray:
    return weights / weights.sum()


_WEIGHTS = (np.full(4, 0.25), np.array([0.5, 0.3, 0.15, 0.05]))
_ERRORS = np.array([0.02, 0.1, 0.3, 0.6])

next_weights = Check(
    name="next_weights",
    right=lambda weights, errors, step: (
        losses.exponentiated_gradient(np.log(weights), errors, step).exp()
    ),
    examples=[(weights, _ERRORS, step) for weights in _WEIGHTS for step in (0.1, 2.0)],
    axes=(CLASS,),
    mistakes={
        "do the weights sum to 1?": lambda w, e, step: w * np.exp(step * e),
        "does a class with more errors gain weight, or lose it?":
            lambda w, e, step: _normalised(w * np.exp(-step * e)),
        "where are the weights of before?": lambda w, e, step: _normalised(np.exp(step * e)),
        "did you multiply by an exponential, or add?": lambda w, e, step: _normalised(w + step * e),
        "where is the step?": lambda w, e, _: _normalised(w * np.exp(e)),
    },
)  # fmt: skip

with_floor = Check(
    name="with_floor",
    right=lambda weights, alpha: (
        losses.traded_off_log_weights(np.log(weights), alpha).exp()
    ),
    examples=[(_WEIGHTS[1], alpha) for alpha in (0.0, 0.25, 1.0)],
    axes=(CLASS,),
    mistakes={
        "is alpha = 0 the balanced end, or the robust one?":
            lambda w, alpha: alpha / len(w) + (1 - alpha) * w,
        "do the weights sum to 1? The even weight is 1 / L": lambda w, alpha: 1 - alpha + alpha * w,
        "what is added to alpha times the weights?": lambda w, alpha: alpha * w,
    },
)  # fmt: skip

CHECKS = (
    soften,
    soft_target_loss,
    gradient,
    accuracy_by_class,
    paired_interval,
    margins,
    trust,
    worst_shown,
    honest_worst,
    next_weights,
    with_floor,
)
