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
        self._size = num_classes
        shape = (num_classes, len(_EDGES) + 1)
        self._probs, self._squares, self._own = (np.zeros(shape) for _ in range(3))
        self._examples = 0

    def add(self, probs: Floats, labels: NDArray[np.int64]) -> None:
        """Take in probabilities ``[n, L]`` and the labels of the same examples."""
        bins = np.searchsorted(_EDGES, probs.ravel(), side="right").reshape(probs.shape)
        cells = bins + np.arange(self._size) * self._own.shape[1]
        length, shape = self._own.size, self._own.shape
        weights = probs.ravel()
        self._probs += np.bincount(cells.ravel(), weights, length).reshape(shape)
        self._squares += np.bincount(cells.ravel(), weights**2, length).reshape(shape)
        own = cells[np.arange(len(labels)), labels]
        self._own += np.bincount(own, minlength=length).reshape(shape)
        self._examples += len(labels)

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
