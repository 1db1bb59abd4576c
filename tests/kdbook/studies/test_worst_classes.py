"""The orderings of "worst": ties, k, and whose accuracy chooses."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdbook.chapters.architectures.worst_classes import (
    BY_TEACHER,
    BY_VALIDATION,
    accuracy_where,
    by_each_ordering,
    ordering_names,
    worst_weights,
)
from kdlib.errors import SettingError

percent = st.integers(0, 5).map(lambda n: 20.0 * n)  # few values, so that ties are common
vectors = st.lists(percent, min_size=1, max_size=8)


class Run:
    def __init__(self, test, validation=None):
        self.kept = {"test": np.array(test), "validation": np.array(validation or test)}

    def accuracy(self, split):
        return self.kept[split]


@given(vectors, st.data())
def test_own_worst_are_the_k_smallest(values, data):
    k = data.draw(st.integers(1, len(values)))
    weights = worst_weights(values, k)
    assert weights.sum() == pytest.approx(1)
    assert ((weights >= 0) & (weights <= 1 / k + 1e-12)).all()
    assert accuracy_where(values, values, k) == pytest.approx(np.sort(values)[:k].mean())


@given(vectors, st.data())
def test_the_order_of_the_classes_does_not_matter(values, data):
    k = data.draw(st.integers(1, len(values)))
    order = np.array(data.draw(st.permutations(range(len(values)))))
    measured = np.arange(len(values)) ** 2.0
    before = accuracy_where(measured, values, k)
    after = accuracy_where(measured[order], np.array(values)[order], k)
    assert before == pytest.approx(after)


def test_ties_share_the_last_places():
    np.testing.assert_allclose(worst_weights([0, 5, 5, 5, 9], 3), [1 / 3, 2 / 9, 2 / 9, 2 / 9, 0])


def test_a_class_without_a_value_is_never_among_the_worst():
    np.testing.assert_array_equal(worst_weights([np.nan, 3.0, 1.0], 1), [0, 0, 1])
    with pytest.raises(SettingError, match="k = 3 is not allowed: from 1 to 2"):
        worst_weights([np.nan, 3.0, 1.0], 3)


def test_nothing_is_known_of_a_diverged_run():
    nothing = [np.nan] * 3
    assert np.isnan(accuracy_where(nothing, [1, 2, 3], 1))
    assert np.isnan(accuracy_where([1, 2, 3], nothing, 1))


def test_three_orderings_choose_three_classes():
    student = Run([0.5, 0.6, 0.7, 0.9])
    teacher = Run(test=[0.9, 0.1, 0.8, 0.7], validation=[0.9, 0.8, 0.2, 0.3])
    found = by_each_ordering(student, teacher)
    assert found == pytest.approx({"worst_1": 50.0, BY_TEACHER: 60.0, BY_VALIDATION: 70.0})
    assert found.keys() == ordering_names(4).keys()


def test_orderings_of_a_hundred_classes_are_over_ten():
    assert ordering_names(100)["worst_10"] == "own worst 10 classes"
