"""How far AdaAlpha's trust a_y moves with the dev images that happen to estimate it.

The dev split of a rare class has two images or so: too few to show its own luck. The validation
split has the same number of images of every class, and neither teacher was trained on it. So its
margins are the pool here, from which dev sets of any size are drawn. It chooses nothing: no
student, trust or setting depends on it. The test split has no part in this.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import erf, exp, pi, sqrt

import numpy as np
import pandas as pd
import torch

from kdbook.shelf import BookStore
from kdlib.errors import SettingError
from kdlib.losses import teacher_probabilities
from kdlib.runs import RunSpec, Store

SIZES = (2, 5, 10, 20, 50, 100)
"""Dev images per class; the paper takes 20 on CIFAR-100-LT, 50 on ImageNet-LT (section 5)."""


def held_out_margins(
    initial_teachers: Sequence[RunSpec], temperature: float, store: Store | None = None
) -> pd.DataFrame:
    """gamma_avg of equation (3) on every validation image of each initial teacher.

    Columns: seed (the place in ``initial_teachers``), label, margin (from -1/(L-1) to 1). Trains
    nothing: the runs must be in the store.
    """
    shelf = store or BookStore()
    pieces = [
        _margins(shelf, spec, temperature).assign(seed=seed)
        for seed, spec in enumerate(initial_teachers)
    ]
    return pd.concat(pieces, ignore_index=True)[["seed", "label", "margin"]]


def estimates(
    margins: pd.DataFrame,
    sizes: Sequence[int] = SIZES,
    *,
    draws: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """The bootstrap distribution of a_y from n dev images, class by class.

    For each teacher and class, n margins are drawn with replacement from its pool, ``draws``
    times, and a_y = max(0, their mean) is taken of each draw.

    Args:
        margins: as ``held_out_margins`` gives them.
        sizes: the n, each at least 1.
        draws: at least 1; 2,000 settle a share to about a point.
        seed: of the draws.

    Returns:
        One row per seed, label and n: ``pool`` (its mean margin), ``true`` (max(0, pool)), ``mean``
        of a_y over the draws, ``low`` and ``high`` (its 5 % and 95 % points), ``spread``
        (standard deviation), ``bias`` (mean - true) and ``flips``: the share of draws that decide
        otherwise than the pool whether the class trusts its teacher at all (a_y > 0).

    Raises:
        SettingError: a size or ``draws`` is below 1.
    """
    if draws < 1 or min(sizes) < 1:
        raise SettingError(f"sizes = {tuple(sizes)}, draws = {draws}: each must be 1 or more")
    rng = np.random.default_rng(seed)
    rows = [
        {"seed": key[0], "label": key[1], "n": n, **_distribution(pool, n, draws, rng)}
        for key, pool in margins.groupby(["seed", "label"])["margin"]
        for n in sizes
    ]
    return pd.DataFrame(rows)


def over_teachers(estimates: pd.DataFrame) -> pd.DataFrame:
    """Means over the initial teachers: one row per label and n, columns as in ``estimates``.

    ``low`` and ``high`` are means of ends, so they show the luck of the images only, not that of
    the teacher.
    """
    kept = estimates.drop(columns="seed")
    return kept.groupby(["label", "n"], as_index=False).mean()


def clipped_normal_mean(mean: float, spread: float) -> float:
    """The mean of max(0, X) for a normal X: what a_y is on average where the mean margin is X.

    It is above max(0, mean) for every spread above 0, most of all at mean 0: spread / sqrt(2 pi).

    Args:
        mean: of X.
        spread: the standard deviation of X, above 0; of n margins it is sigma / sqrt(n).

    Raises:
        SettingError: ``spread`` is not above 0.
    """
    if not spread > 0:
        raise SettingError(f"spread = {spread!r} is not allowed: a number above 0")
    z = mean / spread
    density, below = exp(-z * z / 2) / sqrt(2 * pi), (1 + erf(z / sqrt(2))) / 2
    return mean * below + spread * density


def _margins(shelf: Store, spec: RunSpec, temperature: float) -> pd.DataFrame:
    result = shelf.finished(spec)
    probs = teacher_probabilities(torch.from_numpy(result.logits("validation")), temperature)
    labels = torch.from_numpy(result.labels("validation")).long()
    own = probs.double().gather(1, labels[:, None])[:, 0]
    margin = own - (1 - own) / (probs.shape[1] - 1)  # gamma_avg: the rows sum to 1
    return pd.DataFrame({"label": labels.numpy(), "margin": margin.numpy()})


def _distribution(pool: pd.Series, n: int, draws: int, rng: np.random.Generator) -> dict:
    values = pool.to_numpy(dtype=np.float64)
    drawn = rng.choice(values, size=(draws, n)).mean(axis=1)
    # Rounded, so that a sum that is zero but for its rounding errors does not count as trust.
    trust, true = np.maximum(0.0, drawn.round(12)), max(0.0, float(values.mean().round(12)))
    low, high = np.quantile(trust, [0.05, 0.95])
    return {
        "pool": float(values.mean()),
        "true": true,
        "mean": float(trust.mean()),
        "low": float(low),
        "high": float(high),
        "spread": float(trust.std()),
        "bias": float(trust.mean() - true),
        "flips": float(((trust > 0) != (true > 0)).mean()),
    }
