"""How far repeats spread, where there are few of them and their values lie on a coarse grid.

An accuracy on n test images moves in steps of 1/n. A handful of seeds may then agree by chance, and
their standard deviation says nothing, or too little. Two rules keep what rests on it honest:

* Repeats that are all equal show no spread. There is no interval, and no difference is decided by a
  t-test.
* A spread counts one step of the grid at least, the largest step in which all values lie. Without
  this, rounded differences without any effect come out *significant* in up to 11 % of the tables of
  four seeds at a level of 5 % (``tests/metrics/test_metrics_spread.py``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kdlib.errors import SettingError
from kdlib.metrics._inputs import Floats, as_floats
from kdlib.metrics.scales import Scale

FEWEST_REPEATS = 3
"""Fewer seeds give no interval and no p-value: two say next to nothing of how far seeds spread."""

# With more steps than that between the extremes, the spread of up to 40 repeats exceeds a step.
_MOST_STEPS = 8
_OFF_GRID = 1e-3


def as_repeats(name: str, values: Any) -> Floats:
    """One number per repeat ``[n]``; ``SettingError`` where there are none, or rows of them."""
    numbers = as_floats(values, name)
    if numbers.ndim != 1 or not numbers.size:
        raise SettingError(f"{name} has shape {numbers.shape}: expected one number per repeat")
    return numbers


def spread(numbers: Floats, scale: Scale) -> float:
    """The standard deviation that the repeats ``[n]`` show.

    Returns:
        The sample standard deviation, or one step of the grid where that is larger. NaN where
        nothing shows it: fewer than three repeats, a NaN among them, or all of them equal.
    """
    if len(numbers) < FEWEST_REPEATS or np.isnan(numbers).any() or scale.are_equal(numbers):
        return float("nan")
    return max(float(numbers.std(ddof=1)), grid_step(numbers))


def grid_step(numbers: Floats) -> float:
    """The largest step of which all gaps between the values ``[n]`` are multiples.

    Returns:
        0 where there is no such step of at least an eighth of the range, or no range.
    """
    width = float(np.ptp(numbers))
    if not width:
        return 0.0
    gaps = (numbers - numbers.min()) / width
    for steps in range(1, _MOST_STEPS + 1):
        if (np.abs(gaps * steps - np.rint(gaps * steps)) < _OFF_GRID).all():
            return width / steps
    return 0.0
