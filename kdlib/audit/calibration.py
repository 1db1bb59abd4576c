"""A teacher's calibration by class, estimated from labels ("Robust distillation", Theorem 2)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
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
