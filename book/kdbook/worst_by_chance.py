"""What a worst class shows by chance: simulated, exact, and by halves of the test images."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import bdtrc

from kdlib.errors import SettingError
from kdlib.metrics import per_class_accuracy


def simulated_worst(accuracies: Any, counts: Any, *, repeats: int, seed: int = 0) -> np.ndarray:
    """The worst estimated accuracy in each of ``repeats`` simulated test sets.

    Args:
        accuracies: true accuracy of each class ``[L]``, in percent.
        counts: test images of each class ``[L]``, at least 1.
        repeats: how many test sets.
        seed: the same seed gives the same numbers.

    Returns:
        ``[repeats]``, percent.

    Raises:
        SettingError: shapes differ or a value is out of range.
    """
    chances, sizes = _checked(accuracies, counts)
    right = np.random.default_rng(seed).binomial(sizes, chances, size=(repeats, len(sizes)))
    return 100 * (right / sizes).min(axis=1)


def exact_worst(accuracies: Any, counts: Any) -> pd.DataFrame:
    """The exact distribution of the worst estimate: all classes reach a value, or one does not.

    Arguments and errors are those of ``simulated_worst``.

    Returns:
        Columns ``estimate`` (percent, ascending) and ``probability`` (they sum to 1).
    """
    chances, sizes = _checked(accuracies, counts)
    values = np.unique(np.concatenate([np.arange(n + 1) / n for n in np.unique(sizes)]))
    # The small shift keeps k / n * n from landing above k.
    needed = np.ceil(np.multiply.outer(values, sizes) - 1e-9)
    all_reach = bdtrc(needed - 1, sizes, chances).prod(axis=1)
    probability = all_reach - np.append(all_reach[1:], 0.0)
    return pd.DataFrame({"estimate": 100 * values, "probability": probability})


def expected_worst(accuracies: Any, counts: Any) -> float:
    """The mean of ``exact_worst`` in percent: what a worst-class number shows on average."""
    exact = exact_worst(accuracies, counts)
    return float((exact["estimate"] * exact["probability"]).sum())


def shares(estimates: np.ndarray) -> pd.DataFrame:
    """How often each value occurs: columns ``estimate`` and ``probability``."""
    values, counts = np.unique(estimates, return_counts=True)
    return pd.DataFrame({"estimate": values, "probability": counts / len(estimates)})


def halves(
    predictions: Any, labels: Any, num_classes: int, *, repeats: int = 200, seed: int = 0
) -> pd.DataFrame:
    """Choose the worst class on one half of the test set; measure it there and on the other.

    Each class is halved at random, ``repeats`` times.

    Args:
        predictions: ``[N]`` predicted classes.
        labels: ``[N]``; at least two examples of each class.
        num_classes: L.
        repeats: how many random halvings.
        seed: the same seed gives the same halves.

    Returns:
        One row per halving: ``chosen`` (the class), ``same_half`` and ``other_half``: its accuracy
        in percent on the half that chose it, and on the half that did not.
    """
    predicted, truth = np.asarray(predictions), np.asarray(labels)
    rng = np.random.default_rng(seed)
    rows = [_one_halving(predicted, truth, num_classes, rng) for _ in range(repeats)]
    return pd.DataFrame(rows, columns=["chosen", "same_half", "other_half"])


def _one_halving(
    predicted: np.ndarray, truth: np.ndarray, num_classes: int, rng: np.random.Generator
) -> tuple[int, float, float]:
    first = _half_of_each_class(truth, rng)
    same = per_class_accuracy(predicted[first], truth[first], num_classes)
    other = per_class_accuracy(predicted[~first], truth[~first], num_classes)
    chosen = int(np.nanargmin(same))
    return chosen, float(100 * same[chosen]), float(100 * other[chosen])


def _half_of_each_class(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A mask ``[N]`` that picks half of each class (rounded down) at random."""
    mask = np.zeros(len(truth), dtype=bool)
    for label in np.unique(truth):
        rows = rng.permutation(np.flatnonzero(truth == label))
        mask[rows[: len(rows) // 2]] = True
    return mask


def _checked(accuracies: Any, counts: Any) -> tuple[np.ndarray, np.ndarray]:
    """True accuracies as chances and counts as whole numbers, one of each per class."""
    chances, sizes = np.asarray(accuracies, dtype=float) / 100, np.asarray(counts, dtype=int)
    if chances.ndim != 1 or chances.shape != sizes.shape or not chances.size:
        raise SettingError(
            f"accuracies {chances.shape} and counts {sizes.shape}: expected one of each per class"
        )
    if not ((chances >= 0) & (chances <= 1)).all() or (sizes < 1).any():
        raise SettingError("accuracies must be 0 to 100 percent and counts 1 or more")
    return chances, sizes
