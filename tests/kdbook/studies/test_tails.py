import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from kdbook.chapters.natural_long_tails.tails import MEASURES, by_k, by_rank, steps, tail_measures

accuracies = arrays(float, st.integers(1, 30), elements=st.floats(0, 100))


@given(accuracies, st.data())
def test_measures_are_means_of_the_sorted_ends(accuracy, data):
    k = data.draw(st.integers(1, len(accuracy)))
    found, ordered = tail_measures(accuracy, k), np.sort(accuracy)
    assert found["worst"] == pytest.approx(ordered[:k].mean())
    assert found["top"] == pytest.approx(ordered[-k:].mean())
    assert found["delta"] == pytest.approx(ordered.mean() - ordered[:k].mean(), abs=1e-9)


def test_a_diverged_run_has_no_measures():
    assert all(np.isnan(list(tail_measures(np.array([1.0, np.nan]), 1).values())))


def per_class(seed=0, classes=6):
    random = np.random.default_rng(seed)
    rows = [
        {"method": m, "seed": s, "label": label, "accuracy": random.uniform(0, 100)}
        for m in ("one-hot", "distilled")
        for s in range(3)
        for label in range(classes)
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=1)


def test_the_mean_of_the_first_places_is_worst_k():
    table = per_class()
    ranks, tails = by_rank(table), by_k(table)
    for method in ("one-hot", "distilled"):
        places = ranks[ranks["method"] == method].set_index("rank")["mean"].sort_index()
        worst = tails[(tails["method"] == method) & (tails["measure"] == MEASURES["worst"])]
        expected = [places.loc[:k].mean() for k in worst["k"]]
        np.testing.assert_allclose(worst["mean"], expected)
        assert (tails["seeds"] == 3).all() and list(places.index) == [1, 2, 3, 4, 5, 6]


def test_all_classes_leave_no_difference():
    tails = by_k(per_class())
    last = tails[(tails["k"] == 6) & (tails["measure"] == MEASURES["delta"])]
    np.testing.assert_allclose(last["mean"], 0, atol=1e-9)
    assert last[["low", "high"]].isna().all(axis=None)  # zero in all seeds shows no spread


@given(st.integers(1, 9000))
def test_steps_are_equal_and_at_most_a_hundred(classes):
    found = list(steps(classes))
    assert 1 <= len(found) <= 100 and found[-1] <= classes
    assert len(set(np.diff(found))) <= 1
    assert classes > 100 or found == list(range(1, classes + 1))
