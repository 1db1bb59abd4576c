"""Draws of classes: parts against brute force, variance against its textbook formulas."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kdbook.chapters.number_of_classes.class_draws import (
    over_draws,
    variance_components,
    worst_of_a_part,
)
from kdlib.errors import SettingError
from kdlib.metrics import FREE


def crossed(table, classes=5):
    rows = [
        {"imbalance": 1.0, "classes": classes, "draw": d, "seed": s, "x": value}
        for d, seeds in enumerate(table)
        for s, value in enumerate(seeds)
    ]
    return pd.DataFrame(rows)


@given(st.lists(st.floats(0, 100), min_size=1, max_size=7), st.data())
def test_the_worst_of_a_part_is_the_mean_over_all_parts(accuracies, data):
    size = data.draw(st.integers(1, len(accuracies)))
    brute = np.mean([min(part) for part in combinations(accuracies, size)])
    assert worst_of_a_part(accuracies, size) == pytest.approx(brute, abs=1e-8)


def test_parts_of_a_thousand_classes_do_not_overflow():
    accuracies = np.linspace(0, 100, 1000)
    # The smallest of m draws from n evenly spaced numbers: (n - m) / (m + 1) steps up.
    assert worst_of_a_part(accuracies, 99) == pytest.approx(100 / 999 * (901 / 100), rel=1e-9)


@pytest.mark.parametrize("size", [0, 4])
def test_a_part_of_no_or_too_many_classes_is_refused(size):
    with pytest.raises(SettingError, match="from 1 to 3"):
        worst_of_a_part([1, 2, 3], size)


def test_seeds_of_a_draw_are_one_repeat():
    (row,) = over_draws(crossed([[1, 3], [4, 8], [7, 7]]), "x", FREE).to_dict("records")
    low, high = stats.t.interval(0.95, 2, loc=5, scale=stats.sem([2, 6, 7]))
    assert (row["mean"], row["low"], row["high"]) == pytest.approx((5, low, high))
    assert row["seeds"] == 3


def test_of_a_single_draw_the_seeds_are_the_repeats():
    (row,) = over_draws(crossed([[1, 3, 8]]), "x", FREE).to_dict("records")
    assert (row["mean"], row["seeds"]) == (4, 3)


def test_components_are_those_of_the_analysis_of_variance():
    table = np.random.default_rng(0).normal(size=(4, 3)) + 2 * np.arange(4)[:, None]
    (row,) = variance_components(crossed(table), "x").to_dict("records")
    test = stats.f_oneway(*table)
    within = table.var(axis=1, ddof=1).mean()
    between = test.statistic * within
    assert row["seed_sd"] == pytest.approx(within**0.5)
    assert row["draw_sd"] == pytest.approx(((between - within) / 3) ** 0.5)
    assert row["share"] == pytest.approx((between - within) / (between + 2 * within))
    assert row["low"] < row["share"] < row["high"]


@pytest.mark.parametrize("truth", [0.0, 0.5, 0.9])
def test_the_interval_of_the_share_covers_it_as_often_as_it_says(truth):
    rng, hits = np.random.default_rng(1), 0
    for _ in range(200):
        draws = rng.normal(scale=truth**0.5, size=(4, 1))
        table = draws + rng.normal(scale=(1 - truth) ** 0.5, size=(4, 2))
        (row,) = variance_components(crossed(table), "x").to_dict("records")
        hits += row["low"] <= truth <= row["high"]
    # 95 % at least (97.5 % at 0, where the lower end is cut), give or take three standard errors.
    assert hits >= 180


def test_a_draw_without_a_second_seed_has_no_components():
    assert variance_components(crossed([[1], [2]]), "x").empty
