"""Averages over classes: the balanced gain, the gain over the k first classes, worst-k accuracy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtr, stdtrit

from kdlib.metrics import PairedGains, worst_k

Floats = NDArray[np.float64]
_AS_NORMAL = 1e9
_RESAMPLES = 2000
_MOST_CELLS = 10_000_000
_BLOCK = 250_000
_FEW = 16
"""With fewer examples per class than this, drawing each of them is quicker than drawing counts."""
_Draw = Callable[[np.random.Generator, int], tuple[Floats, Floats]]
"""Draws accuracies of the new and the old model by class, so many times: ``[times, M]`` each."""


def class_variances(differences: NDArray[Any], labels: NDArray[np.int64], size: int) -> Floats:
    """The variance of each class's mean gain over its examples ``[L]``; NaN without examples.

    The spread within a class counts one degree of freedom of the spread in all classes beside its
    own n - 1, so that a class of one example has a variance too.
    """
    people = differences.mean(axis=0, dtype=np.float64)
    count = np.bincount(labels, minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.bincount(labels, people, size) / count
        squares = np.bincount(labels, people**2, size) - count * mean**2
        pooled = np.nansum(squares) / max(1, len(labels) - int((count > 0).sum()))
        return np.asarray((np.maximum(squares, 0.0) + pooled) / count**2)


@dataclass(frozen=True)
class Averages:
    """Mean gains over classes, with normal or t errors.

    Attributes:
        mean: ``[K]``, from -1 to 1.
        error: standard errors.
        freedom: degrees of freedom.
        confidence: of the intervals.
    """

    mean: Floats
    error: Floats
    freedom: float
    confidence: float

    @property
    def low(self) -> Floats:
        """Lower ends ``[K]``."""
        return np.maximum(self.mean - self._half, -1.0)

    @property
    def high(self) -> Floats:
        """Upper ends ``[K]``."""
        return np.minimum(self.mean + self._half, 1.0)

    @property
    def _half(self) -> Floats:
        return np.asarray(stdtrit(self.freedom, (1 + self.confidence) / 2) * self.error)

    def p_below(self, limit: float) -> Floats:
        """One-sided p-values; a small one says that the gain is below ``limit``."""
        return self._p_value(self.mean - limit)

    def p_above(self, limit: float) -> Floats:
        """One-sided p-values; a small one says that the gain is above ``limit``."""
        return self._p_value(limit - self.mean)

    def _p_value(self, gap: Floats) -> Floats:
        with np.errstate(invalid="ignore", divide="ignore"):
            steps = np.where(self.error > 0, gap / self.error, np.nan)
        return np.where(np.isnan(steps), 1.0, stdtr(self.freedom, np.nan_to_num(steps)))

    def at(self, place: int) -> Averages:
        """That of one k alone, counted from 0 or from the end."""
        return Averages(self.mean[[place]], self.error[[place]], self.freedom, self.confidence)


def running_gains(
    gains: PairedGains, variances: Floats, order: NDArray[np.int64], confidence: float
) -> Averages:
    """The mean gain of the k first classes of ``order``, for every k.

    The variances over examples and over trainings add up, which is on the safe side: what a
    training does to an example is in both.
    """
    number = np.arange(1, len(order) + 1)
    by_seed = np.cumsum(gains.by_seed[:, order], axis=1) / number[None]
    variance = (np.cumsum(variances[order]) + _made_up(gains, order, confidence)) / number**2
    freedom = _AS_NORMAL
    if gains.seeds > 1:
        variance = variance + by_seed.var(axis=0, ddof=1) / gains.seeds
        freedom = gains.seeds - 1.0
    return Averages(by_seed.mean(axis=0), np.sqrt(variance), freedom, confidence)


def _made_up(gains: PairedGains, order: NDArray[np.int64], confidence: float) -> Floats:
    """As in ``paired_gains``, z^2 examples that changed, so that no interval is a point."""
    count = gains.count[order]
    return np.asarray(ndtri((1 + confidence) / 2) ** 2 * np.cumsum(1 / count) / np.cumsum(count))


def worst_gains(
    new: NDArray[np.int8],
    old: NDArray[np.int8],
    labels: NDArray[np.int64],
    ks: Sequence[int],
    confidence: float,
    seed: int,
) -> list[tuple[float, float, float, float]]:
    """Accuracy of each model's own k worst classes, and the interval of their difference.

    With one training it is a bootstrap of the examples of each class, which for a minimum of noisy
    numbers is a rough guide; with more it is Student's t over the trainings, whose variance that
    over the examples adds to.

    Args:
        new: right or wrong, ``[S, N]``.
        old: the same of the other model; where S differs, one of them is 1.
        labels: ``[N]``.
        ks: how many classes; the resamples serve each of them.
        confidence: of the interval.
        seed: of the resamples.

    Returns:
        For each k new accuracy, old accuracy, lower and upper end of the difference.
    """
    worst = [[_worst(right, labels, k) for right in (new, old)] for k in ks]
    if len(new) == len(old) == 1:
        ends = _resampled(new[0], old[0], labels, ks, confidence, seed)
    else:
        ends = [_over_trainings(one, two, labels, confidence) for one, two in worst]
    means = [(float(one[0].mean()), float(two[0].mean())) for one, two in worst]
    return [(*both, *end) for both, end in zip(means, ends, strict=True)]


def _worst(right: NDArray[np.int8], labels: NDArray[np.int64], k: int) -> tuple[Floats, Floats]:
    """Accuracy of the k worst classes ``[S]``, and what each example adds to it ``[N]``.

    The latter has its class's weight and the mean over trainings of right or wrong, so that the
    mean over the examples of each class, summed over classes, is the mean accuracy.
    """
    accuracy = _by_class(right, labels)
    chosen = np.zeros_like(accuracy)
    np.put_along_axis(chosen, accuracy.argsort(axis=1, kind="stable")[:, :k], 1 / k, axis=1)
    codes = np.unique(labels, return_inverse=True)[1]
    added = np.mean([row[codes] * one for row, one in zip(chosen, right, strict=True)], axis=0)
    return (chosen * accuracy).sum(axis=1), added


def _over_trainings(
    new: tuple[Floats, Floats],
    old: tuple[Floats, Floats],
    labels: NDArray[np.int64],
    confidence: float,
) -> tuple[float, float]:
    differences, added = new[0] - old[0], new[1] - old[1]
    of_examples = np.nansum(class_variances(added[None], labels, int(labels.max()) + 1))
    seeds = len(differences)
    error = np.sqrt(differences.var(ddof=1) / seeds + of_examples)
    found = Averages(differences.mean(keepdims=True), error[None], seeds - 1.0, confidence)
    return (float(found.low[0]), float(found.high[0])) if error > 0 else (np.nan, np.nan)


def _by_class(right: NDArray[np.int8], labels: NDArray[np.int64]) -> Floats:
    """Accuracy of the classes with examples, ``[S, M]``."""
    there, codes = np.unique(labels, return_inverse=True)
    count = np.bincount(codes)
    return np.stack([np.bincount(codes, row, len(there)) / count for row in right])


def _resampled(
    new: NDArray[np.int8],
    old: NDArray[np.int8],
    labels: NDArray[np.int64],
    ks: Sequence[int],
    confidence: float,
    seed: int,
) -> list[tuple[float, float]]:
    there, codes = np.unique(labels, return_inverse=True)
    few = len(labels) < _FEW * len(there)
    draw = (_drawn_examples if few else _drawn_counts)(2 * new + old, codes)
    rng = np.random.default_rng(seed)
    found: list[list[Any]] = [[] for _ in ks]
    left, block = max(200, min(_RESAMPLES, _MOST_CELLS // len(there))), _BLOCK // len(there) + 1
    while left > 0:
        gained, kept = draw(rng, min(left, block))
        for k, differences in zip(ks, found, strict=True):
            differences.append(worst_k(gained, k) - worst_k(kept, k))
        left -= block
    return [_ends(np.concatenate(differences), confidence) for differences in found]


def _drawn_counts(both: NDArray[np.int8], codes: NDArray[np.int64]) -> _Draw:
    """Draws how many examples of each class both models, one or none have right."""
    table = np.bincount(codes * 4 + both, minlength=4 * (codes.max() + 1)).reshape(-1, 4)
    count = table.sum(axis=1)

    def draw(rng: np.random.Generator, times: int) -> tuple[Floats, Floats]:
        size = (times, len(count))
        drawn = rng.multinomial(count, table / count[:, None], size) / count[:, None]
        return drawn[..., 2] + drawn[..., 3], drawn[..., 1] + drawn[..., 3]

    return draw


def _drawn_examples(both: NDArray[np.int8], codes: NDArray[np.int64]) -> _Draw:
    """Draws the examples themselves: the same law, in less time where classes have few of them."""
    answers, count = both[np.argsort(codes, kind="stable")], np.bincount(codes)
    starts = np.cumsum(count) - count
    start, size = np.repeat(starts, count), np.repeat(count, count)

    def draw(rng: np.random.Generator, times: int) -> tuple[Floats, Floats]:
        place = start + (rng.random((times, len(answers))) * size).astype(np.int64)
        drawn = answers[place]
        right = [np.add.reduceat(drawn & bit, starts, axis=1, dtype=np.int64) for bit in (2, 1)]
        return right[0] / (2 * count), right[1] / count

    return draw


def _ends(differences: Floats, confidence: float) -> tuple[float, float]:
    tail = (1 - confidence) / 2
    low, high = np.quantile(differences, [tail, 1 - tail])
    return (float(low), float(high)) if low < high else (np.nan, np.nan)
