"""P-values of paired differences, and their correction where many of them are looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import bdtr, stdtr  # scipy.stats takes a second to import

from kdlib.errors import SettingError
from kdlib.metrics._inputs import Floats, as_floats


def paired_p_value(differences: Any) -> float:
    """Two-sided p-value of the paired t-test that the mean difference is zero.

    It is below 0.05 exactly where the 95 % interval of ``t_interval`` leaves out zero.

    Args:
        differences: One difference a repeat, usually a seed, ``[n]`` with n at least 1.

    Returns:
        In [0, 1]. NaN for one repeat, or where a difference is NaN. Where all differences are
        equal the spread is zero: then 1 if they are 0, and 0 if they are not, which a handful of
        repeats on few test images can reach by chance.

    Raises:
        SettingError: There are no differences, or they are not one a repeat.
    """
    numbers = as_floats(differences)
    if numbers.ndim != 1 or not numbers.size:
        raise SettingError(f"differences has shape {numbers.shape}: expected one number a repeat")
    n, mean = len(numbers), numbers.mean()
    if n == 1 or np.isnan(mean):
        return float("nan")
    # Of equal numbers, rounding would leave a spread of 1e-17 or so.
    spread = numbers.std(ddof=1) if np.ptp(numbers) else 0.0
    if not spread:
        return float(mean == 0)
    return float(2 * stdtr(n - 1, -abs(mean) * np.sqrt(n) / spread))


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
    given = as_floats(p_values)
    if given.ndim != 1:
        raise SettingError(f"p_values has shape {given.shape}: expected one value a test")
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
        SettingError: A count is negative or no whole number.
    """
    plus, minus = as_floats(gained), as_floats(lost)
    if ((plus < 0) | (minus < 0) | (plus % 1 != 0) | (minus % 1 != 0)).any():
        raise SettingError("gained and lost count people: whole numbers from 0")
    both = (plus + minus).astype(np.int64)
    p_values = np.minimum(2 * bdtr(np.minimum(plus, minus), both, 0.5), 1.0)
    return p_values if p_values.ndim else float(p_values)
