"""Coarse values: the step of their grid by hand, and the level of the test without an effect."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdlib.metrics import FREE, POINTS, paired_p_value
from kdlib.metrics.spread import grid_step, spread

TABLES = 4000
# What rounding leaves of differences without any effect, in steps of the test set.
NULLS = {
    "a step up or down": lambda rng, size: rng.choice([-1, 1], size),
    "a step or none": lambda rng, size: rng.choice([-1, 0, 1], size),
    "never none": lambda rng, size: rng.choice([-2, -1, 1, 2], size),
    "up to two steps": lambda rng, size: rng.integers(-2, 3, size),
    "rounded half": lambda rng, size: np.rint(rng.normal(0, 0.5, size)),
    "rounded twice": lambda rng, size: np.rint(rng.normal(0, 2, size)),
    "two rounded accuracies": lambda rng, size: (
        np.rint(rng.normal(0.5, 0.5, size)) - np.rint(rng.normal(0.5, 0.5, size))
    ),
    "a rare class": lambda rng, size: rng.binomial(45, 0.02, size) - rng.binomial(45, 0.02, size),
}


@pytest.mark.parametrize(
    ("values", "step"),
    [([2, 2, 2, 2, 4], 2), ([1, 2, 2], 1), ([44, 46, 44], 2), ([0, 3, 9], 3), ([0, 4, 6], 2),
     ([5, 5, 5], 0), ([0, math.sqrt(2), 3], 0), ([100 / 45, 200 / 45, 500 / 45], 100 / 45)],
)  # fmt: skip
def test_the_step_of_a_grid(values, step):
    assert grid_step(np.array(values, dtype=float)) == pytest.approx(step)


@given(st.lists(st.integers(-9, 9), min_size=3, max_size=12), st.floats(0.01, 10), st.floats(-5, 5))
def test_a_spread_is_no_smaller_than_the_steps_between_its_values(counts, step, shift):
    """The test set's own step divides the one that is seen, so it is no larger."""
    numbers = step * np.array(counts) + shift
    seen = spread(numbers, FREE)
    if len(set(counts)) == 1:
        assert math.isnan(seen)
    else:
        assert seen >= max(step, numbers.std(ddof=1)) * (1 - 1e-6)


def test_fine_values_keep_their_standard_deviation():
    values = np.random.default_rng(0).normal(size=(2000, 5))
    same = [spread(row, FREE) == row.std(ddof=1) for row in values]
    assert np.mean(same) > 0.99


@pytest.mark.parametrize("n", [3, 4, 5, 6, 8, 10])
@pytest.mark.parametrize("null", NULLS)
def test_false_positives_keep_their_level_on_a_coarse_grid(null, n):
    """Among them ties: whatever the grid, no more than 5 % of tables without an effect say one."""
    rng = np.random.default_rng(n)
    tables = NULLS[null](rng, (TABLES, n)) * 100 / 45
    alarms = np.mean([paired_p_value(row, POINTS) <= 0.05 for row in tables])
    assert alarms < 0.05 + 4 * math.sqrt(0.05 * 0.95 / TABLES)


def test_without_the_step_four_seeds_would_break_the_level():
    rng = np.random.default_rng(0)
    tables = NULLS["never none"](rng, (TABLES, 4)).astype(float)
    with np.errstate(divide="ignore"):
        t = np.abs(tables.mean(axis=1)) * 2 / tables.std(axis=1, ddof=1)
    assert (t > 3.182).mean() > 0.1  # the 97.5 % point of t with 3 degrees of freedom
