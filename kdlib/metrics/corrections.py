"""P-values of paired differences, and their correction where many of them are looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import bdtr, stdtr  # scipy.stats takes a second to import

from kdlib.aligned import check_aligned
from kdlib.errors import SettingError
from kdlib.metrics._inputs import Floats, as_floats
from kdlib.metrics.scales import FREE, Scale
from kdlib.metrics.spread import FEWEST_REPEATS, as_repeats, spread


def paired_p_value(differences: Any, scale: Scale = FREE) -> float:
    """Two-sided p-value that the mean difference is zero.

    It is that of the paired t-test, and below 0.05 exactly where the 95 % interval of
    ``t_interval`` leaves out zero. Differences that are all equal show no spread for a t-test. Of
    them it is that of the exact test that turns each sign round: n equal signs come up with
    probability 2^(1 - n), so that five equal differences are undecided.

    Args:
        differences: One difference per repeat, usually a seed, ``[n]`` with n at least 1.
        scale: What the differences can be.

    Returns:
        In (0, 1]; 1 where all differences are zero. NaN for fewer than three repeats, or where a
        difference is NaN.

    Raises:
        SettingError: There are no differences, not one per repeat, or one is out of bounds.
    """
    numbers = as_repeats("differences", differences)
    scale.check(numbers)
    n, mean = len(numbers), float(numbers.mean())
    if n < FEWEST_REPEATS or np.isnan(mean):
        return float("nan")
    seen = spread(numbers, scale)
    if np.isnan(seen):
        return 1.0 if abs(mean) <= scale.resolution else 2.0 ** (1 - n)
    return float(2 * stdtr(n - 1, -abs(mean) * np.sqrt(n) / seen))


def holm(p_values: Any) -> Floats:
    """Adjusted p-values of Holm's step-down procedure (Holm, 1979).

    Rejecting where the adjusted value is at most q keeps the chance of one or more false
    rejections among all m tests at q or below, whatever the dependence between the tests.
    The i-th smallest p-value (i from 1) becomes the largest of (m - j + 1) p_(j) over j up to i,
    and at most 1.

    Args:
        p_values: ``[m]``, each in [0, 1]. A NaN stays NaN and still counts as one of the m tests.

    Returns:
        ``[m]``, in the order given; never below ``p_values``.

    Raises:
        SettingError: A value is out of range, or the values are not a list of numbers.
    """
    given = as_floats(p_values, "p_values")
    if given.ndim != 1:
        raise SettingError(f"p_values has shape {given.shape}: expected one value per test")
    outside = given[(given < 0) | (given > 1)]
    if outside.size:
        raise SettingError(f"p_values holds {outside[0]:g}: allowed are 0 to 1")
    order = np.argsort(given, kind="stable")  # NaN comes last
    factors = np.arange(len(given), 0, -1)
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * given[order]), 1.0)
    return adjusted


def sign_test(gained: Any, lost: Any) -> Any:
    """Exact two-sided p-value of the sign test, for paired predictions also called McNemar's.

    People on whom both models agree say nothing of which is better. Of those that one model gets
    right and the other wrong, half should fall on each side if neither is better.

    Args:
        gained: How many people the second model alone gets right: a whole number or an array.
        lost: How many the first alone gets right, of the same shape.

    Returns:
        In (0, 1], of that shape; 1 where both are 0.

    Raises:
        SettingError: A count is negative or no whole number, or the shapes or indexes differ.
    """
    check_aligned(0, gained=gained, lost=lost)
    check_aligned(-1, gained=gained, lost=lost)
    plus, minus = as_floats(gained, "gained"), as_floats(lost, "lost")
    if plus.shape != minus.shape:
        raise SettingError(f"gained has shape {plus.shape}, lost {minus.shape}: expected the same")
    if ((plus < 0) | (minus < 0) | (plus % 1 != 0) | (minus % 1 != 0)).any():
        raise SettingError("gained and lost count people: whole numbers from 0")
    both = (plus + minus).astype(np.int64)
    p_values = np.minimum(2 * bdtr(np.minimum(plus, minus), both, 0.5), 1.0)
    return p_values if p_values.ndim else float(p_values)
