"""The worst of several estimates: exact against brute force, simulation against exact."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from kdbook.chapters.measuring import Settings
from kdbook.worst_by_chance import (
    exact_worst,
    expected_worst,
    halves,
    shares,
    simulated_worst,
)
from kdlib.errors import SettingError

worlds = st.lists(st.tuples(st.floats(0, 100), st.integers(1, 5)), min_size=1, max_size=3)


def brute_force(accuracies, counts):
    """The mean of the minimum over every possible table of right answers."""
    total = 0.0
    for rights in itertools.product(*(range(n + 1) for n in counts)):
        cases = zip(rights, counts, accuracies, strict=True)
        chance = np.prod([binom.pmf(k, n, a / 100) for k, n, a in cases])
        total += chance * min(100 * k / n for k, n in zip(rights, counts, strict=True))
    return total


@given(worlds)
@settings(max_examples=40, deadline=None)
def test_the_exact_mean_is_that_of_all_cases(world):
    accuracies, counts = zip(*world, strict=True)
    assert expected_worst(accuracies, counts) == pytest.approx(
        brute_force(accuracies, counts), abs=1e-8
    )


@given(worlds)
@settings(max_examples=40, deadline=None)
def test_the_worst_estimate_is_never_above_the_worst_truth_on_average(world):
    accuracies, counts = zip(*world, strict=True)
    exact = exact_worst(accuracies, counts)
    assert exact["probability"].sum() == pytest.approx(1)
    assert (exact["probability"] >= -1e-12).all()
    assert expected_worst(accuracies, counts) <= min(accuracies) + 1e-8


def test_one_class_is_unbiased():
    assert expected_worst([73.0], [11]) == pytest.approx(73.0)


def test_simulation_agrees_with_the_exact_distribution():
    accuracies, counts = [90.0, 80.0, 85.0], [20, 30, 7]
    worst = simulated_worst(accuracies, counts, repeats=40_000)
    error = worst.std() / np.sqrt(len(worst))
    assert worst.mean() == pytest.approx(expected_worst(accuracies, counts), abs=5 * error)


def test_simulation_repeats_itself_and_follows_its_seed():
    run = [simulated_worst([90.0] * 5, [20] * 5, repeats=50, seed=s) for s in (0, 0, 1)]
    np.testing.assert_array_equal(run[0], run[1])
    assert (run[0] != run[2]).any()


def test_simulated_values_are_the_exact_ones_bit_for_bit():
    values = shares(simulated_worst([90.0] * 5, [30, 7, 20, 11, 3], repeats=2000))["estimate"]
    assert set(values) <= set(exact_worst([90.0] * 5, [30, 7, 20, 11, 3])["estimate"])


@pytest.mark.parametrize(
    ("accuracies", "counts"), [([90], [1, 2]), ([], []), ([101], [5]), ([90], [0])]
)
def test_impossible_worlds_are_refused(accuracies, counts):
    with pytest.raises(SettingError):
        exact_worst(accuracies, counts)


def test_the_half_that_chooses_is_the_gloomier_one():
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(10), 30)
    predictions = np.where(rng.random(300) < 0.8, labels, (labels + 1) % 10)
    table = halves(predictions, labels, 10, repeats=100)
    assert table["same_half"].mean() < table["other_half"].mean()


def test_halves_of_a_class_sum_to_the_class():
    labels = np.repeat([0, 1], 10)
    predictions = np.zeros(20, dtype=int)
    table = halves(predictions, labels, 2, repeats=5)
    assert (table == [1, 0.0, 0.0]).all(axis=None)


@pytest.mark.parametrize(
    "wrong", [{"classes": 0}, {"images": 4}, {"accuracy": 100}, {"repeats": 3}, {"seedz": 1}]
)
def test_wrong_settings_are_one_line(wrong):
    with pytest.raises(SettingError) as complaint:
        Settings.parse(**wrong)
    assert "\n" not in str(complaint.value)
