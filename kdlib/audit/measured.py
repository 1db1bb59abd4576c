"""What one pass over a model's scores leaves: a few numbers of each example, and of each class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kdlib.aligned import IGNORED
from kdlib.audit.checks import Kind, check_scores
from kdlib.audit.rows import Rows, blocks

Floats = NDArray[np.float64]
_SMALLEST = 1e-12
"""A probability of 0 for the label would be an infinite log-loss: it counts as this."""


_EDGES = np.array([0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.97])


class Calibration:
    """The term ``E_x |p_y(x) / E[p_y] - eta_y(x) / pi_y|`` of each class, from labels.

    The true probabilities eta are not known. Within a bin of p_y the share of examples of class y
    stands for them, so that the estimate is that of a coarser teacher, which errs no more than the
    teacher itself, plus the noise of the shares.
    """

    def __init__(self, num_classes: int) -> None:
        shape = (num_classes, len(_EDGES) + 1)
        self._probs, self._squares, self._own = (np.zeros(shape) for _ in range(3))

    def add(self, probs: Floats, labels: NDArray[np.int64]) -> None:
        """Take in probabilities ``[n, L]`` and the labels of the same examples."""
        tiny = probs < _EDGES[0]  # of many classes nearly all are, and they share a bin
        small = np.where(tiny, probs, 0.0)
        self._probs[:, 0] += small.sum(axis=0)
        self._squares[:, 0] += np.einsum("nl,nl->l", small, small)
        rows, classes = np.nonzero(~tiny)
        large = probs[rows, classes]
        np.add.at(self._probs, (classes, _bins(large)), large)
        np.add.at(self._squares, (classes, _bins(large)), large**2)
        own = probs[np.arange(len(labels)), labels]
        np.add.at(self._own, (labels, _bins(own)), 1.0)

    def error(self) -> Floats:
        """The estimate for each class ``[L]``, from 0 to 2; NaN for one without examples."""
        own = self._own.sum(axis=1, keepdims=True)
        mass = self._probs.sum(axis=1, keepdims=True)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.abs(self._probs / mass - self._own / own).sum(axis=1))

    def chance(self) -> Floats:
        """What a calibrated teacher would show by chance, with so many examples: ``[L]``."""
        own = self._own.sum(axis=1)
        spread = np.sqrt(np.maximum(self._probs - self._squares, 0.0)).sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(np.minimum(np.sqrt(2 / np.pi) * spread / own, 2.0))


def _bins(probs: Floats) -> NDArray[np.int64]:
    return np.searchsorted(_EDGES, probs, side="right")


@dataclass(frozen=True)
class Model:
    """A model's answers to all examples that count.

    Attributes:
        role: ``student``, ``one_hot``, ``teacher`` or ``baseline``.
        right: whether each answer is right, int8 ``[S, N]``.
        log_loss: the mean of each class, ``[L]``; NaN without examples.
        margin: the same of the margin p[y] - max of the others.
        predicted: the first seed's answers, ``[N]``.
        confidence: the first seed's probability of its answer, ``[N]``.
        tied: the share of all answers for which classes have the same score; the first counts.
        calibration: the first seed's, where it was asked for.
    """

    role: str
    right: NDArray[np.int8]
    log_loss: Floats
    margin: Floats
    predicted: NDArray[np.int32]
    confidence: NDArray[np.float32]
    tied: float
    calibration: Calibration | None = None

    def accuracy(self, groups: NDArray[np.int64], size: int) -> Floats:
        """The share that is right in each group ``[G]``, over all seeds; NaN without examples."""
        kept = groups >= 0
        right = self.right.mean(axis=0, dtype=np.float64)[kept]
        counts = np.bincount(groups[kept], minlength=size)
        sums = np.bincount(groups[kept], right, minlength=size)
        return np.divide(sums, counts, out=np.full(size, np.nan), where=counts > 0)


def measure(
    role: str,
    where: str,
    seeds: list[Rows],
    labels: NDArray[np.int64],
    kind: Kind = "auto",
    calibrate: bool = False,
) -> Model:
    """Check a model's scores and measure them, block by block.

    Args:
        role: of the model.
        where: the scores are from, for messages.
        seeds: one table ``[N, L]`` a seed.
        labels: ``[N]``, checked.
        kind: of the scores.
        calibrate: whether to compare its probabilities with the labels, class by class.

    Raises:
        DataError: a score is wrong.
    """
    passes = [
        _one_pass(table, check_scores(_named(where, seeds, seed), table, kind), labels, calibrate)
        for seed, table in enumerate(seeds)
    ]
    first = passes[0]
    return Model(
        role,
        np.stack([one.right for one in passes]),
        np.mean([one.log_loss for one in passes], axis=0),
        np.mean([one.margin for one in passes], axis=0),
        first.predicted,
        first.confidence,
        float(np.mean([one.tied for one in passes])),
        first.calibration,
    )


@dataclass(frozen=True)
class _Pass:
    right: NDArray[np.int8]
    log_loss: Floats
    margin: Floats
    predicted: NDArray[np.int32]
    confidence: NDArray[np.float32]
    tied: float
    calibration: Calibration | None


def _one_pass(rows: Rows, kind: str, labels: NDArray[np.int64], calibrate: bool) -> _Pass:
    size, kept = rows.shape[1], labels != IGNORED
    calibration = Calibration(size) if calibrate else None
    sums, tied = np.zeros((2, size)), 0
    predicted = np.empty(len(labels), np.int32)
    confidence = np.empty(len(labels), np.float32)
    for place, block in blocks(rows):
        counts, truth = kept[place], labels[place]
        predicted[place] = block.argmax(axis=1)
        losses, margins, probs = measures(as_logits(block, kind), np.where(counts, truth, 0))
        np.add.at(sums[0], truth[counts], losses[counts])
        np.add.at(sums[1], truth[counts], margins[counts])
        confidence[place] = probs.max(axis=1)
        tied += int((_top_classes(block)[counts] > 1).sum())
        if calibration is not None:
            calibration.add(probs[counts], truth[counts])
    counted = np.bincount(labels[kept], minlength=size)
    losses, margins = np.divide(sums, counted, out=np.full_like(sums, np.nan), where=counted > 0)
    right = (predicted == labels)[kept].astype(np.int8)
    share = tied / len(right)
    return _Pass(right, losses, margins, predicted[kept], confidence[kept], share, calibration)


def _top_classes(block: NDArray[np.generic]) -> NDArray[np.int64]:
    """How many classes of each row share its largest score."""
    return np.count_nonzero(block == block.max(axis=1, keepdims=True), axis=1)


def as_logits(block: NDArray[np.generic], kind: str) -> Floats:
    """Scores whose softmax are the probabilities, in float64."""
    values = np.asarray(block, np.float64)
    return np.log(np.maximum(values, _SMALLEST)) if kind == "probabilities" else values


def measures(scores: Floats, labels: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    """Log-loss and margin of each example ``[n]``, and its probabilities ``[n, L]``.

    They are those of ``kdlib.metrics.log_loss`` and ``margin``, with one exponential a score for
    all of them, and without their tables of which score is the label's.

    Args:
        scores: finite logits ``[n, L]``.
        labels: ``[n]``, each from 0 to L-1.
    """
    rows, top = np.arange(len(scores)), scores.max(axis=1)
    with np.errstate(over="ignore"):  # a gap beyond all numbers is a probability of 0
        powers = np.exp(scores - top[:, None])
    own = powers[rows, labels]
    powers[rows, labels] = 0.0
    rest, rival = powers.sum(axis=1), powers.max(axis=1)
    powers[rows, labels] = own
    with np.errstate(divide="ignore", over="ignore"):  # where all others are too small to count
        odds = np.log(rest) + top - scores[rows, labels]
    total = own + rest
    powers /= total[:, None]
    return np.logaddexp(0.0, odds), (own - rival) / total, powers


def _named(where: str, seeds: list[Rows], seed: int) -> str:
    return where if len(seeds) == 1 else f"{where}, seed {seed}"
