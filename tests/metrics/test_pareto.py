"""Pareto's frontier: by hand, and by its definition on any points."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdlib.errors import SettingError
from kdlib.metrics import pareto_frontier

# Few values, so that ties and equal points are common.
POINTS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=25)


def dominates(one, other):
    return all(a >= b for a, b in zip(one, other, strict=True)) and one != other


def test_by_hand():
    points = [(94, 88), (90, 91), (92, 90), (92, 89), (89, 91), (94, 88)]
    assert pareto_frontier(points).tolist() == [True, True, True, False, False, True]


@given(POINTS.filter(len))
def test_a_point_is_on_it_if_and_only_if_none_dominates_it(points):
    expected = [not any(dominates(other, point) for other in points) for point in points]
    assert pareto_frontier(points).tolist() == expected
    assert any(expected)


@given(POINTS.filter(len), st.floats(0.5, 3), st.floats(-5, 5))
def test_units_do_not_matter(points, scale, shift):
    changed = [(scale * x + shift, y) for x, y in points]
    assert pareto_frontier(changed).tolist() == pareto_frontier(points).tolist()


@given(POINTS.filter(len))
def test_what_is_off_it_is_dominated_by_a_point_that_is_on_it(points):
    on = pareto_frontier(points)
    kept = [point for point, inside in zip(points, on, strict=True) if inside]
    off = [point for point, inside in zip(points, on, strict=True) if not inside]
    assert all(any(dominates(good, point) for good in kept) for point in off)


@pytest.mark.parametrize("points", [[1.0, 2.0], [[1.0, float("nan")]], [[float("inf"), 0.0]]])
def test_what_is_no_list_of_points_is_refused(points):
    with pytest.raises(SettingError, match="points"):
        pareto_frontier(points)
