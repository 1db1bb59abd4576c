"""Statistics over random draws of the classes, and the worst of a part of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from scipy.special import fdtri, gammaln

from kdbook.compare import with_intervals
from kdlib.errors import SettingError
from kdlib.metrics import Scale


def over_draws(rows: pd.DataFrame, value: str, scale: Scale | None = None) -> pd.DataFrame:
    """Mean of ``value`` for each ratio and number of classes, with a 95 % interval over draws.

    Seeds of one draw share their classes, so they are averaged first and the draws are the repeats.
    Where there is one draw only, of all classes, its seeds are.

    Args:
        rows: ``imbalance``, ``classes``, ``draw``, ``seed`` and the column ``value``.
        value: the column to average.
        scale: what its numbers can be; by default what the name of the column says.

    Returns:
        Columns: imbalance, classes, mean, low, high, seeds (how many repeats); of differences also
        p.
    """
    keys = ["imbalance", "classes"]
    alone = rows.groupby(keys)["draw"].transform("nunique") == 1
    averaged = rows[~alone].groupby([*keys, "draw"], as_index=False)[value].mean()
    repeats = pd.concat([averaged, rows[alone]])[[*keys, value]]
    return with_intervals(repeats.sort_values(keys), value, keys, scale)


def variance_components(rows: pd.DataFrame, value: str) -> pd.DataFrame:
    """How much of the variance comes from the draw of the classes, and how much from the seed.

    A one-way random-effects analysis of variance, by ratio and number of classes; each draw needs
    the same number of seeds, and two or more of both. The interval of the draws' share is the exact
    one for normal data, from the F distribution (Searle, Linear Models, 1971).

    Args:
        rows: ``imbalance``, ``classes``, ``draw``, ``seed`` and the column ``value``.
        value: the column whose variance is split.

    Returns:
        Columns: imbalance, classes, draw_sd, seed_sd (standard deviations in the unit of
        ``value``; a draw's estimate below zero is given as 0), share (of the variance that the
        draw explains, 0 to 1), low, high.
    """
    groups = rows.groupby(["imbalance", "classes"])
    found = []
    for (imbalance, classes), group in groups:
        table = group.pivot(index="draw", columns="seed", values=value).to_numpy()
        if min(table.shape) > 1 and not np.isnan(table).any():
            found.append({"imbalance": imbalance, "classes": classes} | _components(table))
    return pd.DataFrame(found)


def worst_of_a_part(accuracies: Any, size: int) -> float:
    """The mean worst accuracy in a random choice of ``size`` of the classes; nothing retrained.

    Exact: the i-th smallest of L accuracies (i from 0) is the worst of the choice with chance
    C(L - 1 - i, size - 1) / C(L, size).

    Args:
        accuracies: one per class ``[L]``.
        size: from 1 to L.

    Raises:
        SettingError: ``size`` is out of range.
    """
    ordered = np.sort(np.asarray(accuracies, dtype=float))
    if not 1 <= size <= len(ordered):
        raise SettingError(f"size = {size!r} is not allowed: from 1 to {len(ordered)}")
    left = len(ordered) - 1 - np.arange(len(ordered))
    chances = np.exp(_log_choose(left, size - 1) - _log_choose(len(ordered), size))
    return float((ordered * chances).sum())


def _components(table: np.ndarray) -> dict[str, float]:
    """For values ``[draws, seeds]``."""
    draws, seeds = table.shape
    within = float(table.var(axis=1, ddof=1).mean())
    between = seeds * float(table.mean(axis=1).var(ddof=1))
    draw_variance = max(0.0, (between - within) / seeds)
    freedom = (draws - 1, draws * (seeds - 1))
    ends = [_explained(between, within, fdtri(*freedom, p), seeds) for p in (0.975, 0.025)]
    total = draw_variance + within
    return {
        "draw_sd": draw_variance**0.5,
        "seed_sd": within**0.5,
        "share": draw_variance / total if total else float("nan"),
        "low": ends[0],
        "high": ends[1],
    }


def _explained(between: float, within: float, quantile: float, seeds: int) -> float:
    """An end of the interval of the intraclass correlation, cut to 0 and 1."""
    if not within:
        return 1.0 if between else float("nan")
    ratio = between / within / quantile
    return float(np.clip((ratio - 1) / (ratio + seeds - 1), 0.0, 1.0))


def _log_choose(n: Any, k: int) -> np.ndarray:
    """Logarithm of the binomial coefficient; -inf where it is zero."""
    n = np.asarray(n, dtype=float)
    with np.errstate(invalid="ignore"):
        value = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
    return np.where(n >= k, value, -np.inf)
