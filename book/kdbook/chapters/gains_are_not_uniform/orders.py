"""The gain of distillation over the k worst classes, and what the choice of them adds to it.

Figure 2 of Teacher's pet sorts the classes by the accuracies that it then subtracts. Here the order
is a choice of its own, so that it can come from other images or other networks.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kdbook import compare
from kdlib import metrics
from kdlib.runs import RunResult

Floats = NDArray[np.float64]
Wide = Mapping[tuple[str, str], pd.DataFrame]
"""By method and split: one row per seed, one column per class, accuracies in percent."""

TEACHERS = {
    "distilled": "teacher",
    "distilled (stopped)": "teacher (stopped)",
    "teacher": "teacher",
}
"""Each candidate that is compared with the one-hot student, and the teacher that ranks for it.

The full teacher is a candidate too. It is a twin of the one-hot student: the same network, images
and recipe, with a seed of its own. So it is better in no class, and its gain shows what an order
adds by itself.
"""

ORDERS = {
    "one-hot, test": ("one-hot", "test"),
    "one-hot, validation": ("one-hot", "validation"),
    "teacher, test": ("teacher", "test"),
    "teacher, validation": ("teacher", "validation"),
    "other seeds, validation": ("other seeds", "validation"),
}
"""Orders of the classes, worst first: by whose accuracy, on which images."""


def gains(accuracies: pd.DataFrame) -> pd.DataFrame:
    """Figure 2 of Teacher's pet, for every candidate, order of the classes, and seed.

    The gain at k is the mean over the first k classes of the order of the candidate's minus the
    one-hot student's accuracy. Accuracies are always measured on the test images; the order may
    come from others. Of classes that tie, the one with the higher label, which is the rarer one,
    comes first.

    Args:
        accuracies: one row per method, seed, held-out split and class: method, seed, split, label,
            accuracy (percent); ``gains_are_not_uniform.accuracies`` gives them.

    Returns:
        One row per candidate, order, seed and k (from 1): ``label`` is the class that k adds,
        ``gain`` is in percentage points. The order of ``other seeds`` (the mean of their one-hot
        students) is left out where there is one seed.
    """
    wide = _wide(accuracies)
    rows = [
        _curve(wide, candidate, order, int(seed))
        for candidate in TEACHERS
        if (candidate, "test") in wide
        for order in ORDERS
        for seed in wide["one-hot", "test"].index
    ]
    return pd.concat([row for row in rows if row is not None], ignore_index=True)


def between_orders(gains: pd.DataFrame, first: str, second: str) -> pd.DataFrame:
    """Gain under the order ``first`` minus under ``second``, paired by seed.

    Columns: candidate, k, mean, low, high (percentage points, 95 % t-interval), seeds.
    """
    keys = ["candidate", "seed", "k"]
    one, other = (gains[gains["order"] == name].set_index(keys)["gain"] for name in (first, second))
    table = (one - other).dropna().rename("difference").reset_index()
    return compare.with_intervals(table, "difference", ["candidate", "k"])


def chosen_by_halves(
    results: Mapping[tuple[str, int], RunResult], *, draws: int = 100, seed: int = 0
) -> pd.DataFrame:
    """What it adds to choose the k worst classes by the images that then measure them.

    The test images of each class are cut into two halves at random. The one-hot student's
    accuracy on the first half gives the order; the gain is measured on the first half and on
    the second. Both are of the same students and of equally many images, so their difference is
    the bias of the choice alone. It is that of half the test images; of all of them it is smaller.

    Args:
        results: by method and seed; the one-hot student of each seed among them.
        draws: how many cuts, at least 1; they are averaged.
        seed: of the cuts.

    Returns:
        One row per candidate, seed and k: ``same`` and ``other`` (the mean gains on the half that
        chose and on the other) and ``bias`` (same - other), in percentage points.
    """
    rows = [
        _halves(result, results["one-hot", number], draws, seed).assign(
            candidate=candidate, seed=number
        )
        for (candidate, number), result in results.items()
        if candidate in TEACHERS
    ]
    return pd.concat(rows, ignore_index=True)


def by_class(accuracies: pd.DataFrame) -> pd.DataFrame:
    """Each candidate minus the one-hot student on test, class by class.

    Columns: candidate, label, ``one_hot`` and ``accuracy`` (means in percent), mean, low, high (the
    difference in percentage points with its own 95 % interval), seeds, ``p`` of the paired
    t-test and ``holm``: p corrected for all classes of the candidate (Holm, 1979).
    """
    wide = _wide(accuracies)
    plain = wide["one-hot", "test"]
    found = [
        _class_differences(wide[candidate, "test"], plain).assign(candidate=candidate)
        for candidate in TEACHERS
        if (candidate, "test") in wide
    ]
    table = pd.concat(found, ignore_index=True)
    return table[["candidate", *(name for name in table.columns if name != "candidate")]]


def _wide(accuracies: pd.DataFrame) -> Wide:
    return {
        (str(method), str(split)): rows.pivot(index="seed", columns="label", values="accuracy")
        for (method, split), rows in accuracies.groupby(["method", "split"])
    }


def _curve(wide: Wide, candidate: str, order: str, seed: int) -> pd.DataFrame | None:
    key = _key(wide, candidate, order, seed)
    if key is None:
        return None
    labels = np.lexsort((-np.arange(len(key)), key))
    new, old = (_row(wide[method, "test"], seed) for method in (candidate, "one-hot"))
    k = np.arange(1, len(key) + 1)
    gain = np.cumsum((new - old)[labels]) / k  # NaN where a training diverged
    columns = {"k": k, "label": labels, "gain": gain}
    return pd.DataFrame(columns).assign(candidate=candidate, order=order, seed=seed)


def _key(wide: Wide, candidate: str, order: str, seed: int) -> Floats | None:
    """The accuracies that the order sorts by; ``None`` where there are no other seeds."""
    who, split = ORDERS[order]
    if who == "other seeds":
        others = wide["one-hot", split].drop(index=seed)
        return None if others.empty else others.mean().to_numpy()
    return _row(wide[TEACHERS[candidate] if who == "teacher" else who, split], seed)


def _row(table: pd.DataFrame, seed: int) -> Floats:
    return table.loc[seed].to_numpy(dtype=np.float64)


def _halves(new: RunResult, old: RunResult, draws: int, seed: int) -> pd.DataFrame:
    labels, num_classes = old.labels("test"), len(old.accuracy("test"))
    right = np.stack([r.logits("test").argmax(axis=1) == labels for r in (new, old)]).astype(float)
    rng, curves = np.random.default_rng(seed), []
    for _ in range(draws):
        first = _half_of_each_class(labels, rng)
        measured = [
            100 * metrics.class_means(right[:, half], labels[half], num_classes)
            for half in (first, ~first)
        ]
        key = measured[0][1]
        curves.append([metrics.cumulative_gain(a, b, order_by=key) for a, b in measured])
    same, other = np.mean(curves, axis=0)
    columns = {"k": np.arange(1, len(same) + 1), "same": same, "other": other}
    return pd.DataFrame(columns | {"bias": same - other})


def _half_of_each_class(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A mask of the examples ``[N]``: half of each class, rounded down, at random."""
    shuffled = pd.Series(rng.random(len(labels)))
    place = shuffled.groupby(labels).rank(method="first")
    size = shuffled.groupby(labels).transform("size")
    return np.asarray(place <= size // 2)


def _class_differences(new: pd.DataFrame, plain: pd.DataFrame) -> pd.DataFrame:
    differences = new - plain
    long = differences.melt(var_name="label", value_name="difference")
    table = compare.with_intervals(long, "difference", ["label"])
    means = {"one_hot": plain.mean().to_numpy(), "accuracy": new.mean().to_numpy()}
    return table.assign(**means, holm=metrics.holm(table["p"]))
