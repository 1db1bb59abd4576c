import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from kdlib.errors import SettingError
from kdlib.metrics import POINTS, crossed_interval, t_interval

tables = arrays(
    np.int8, st.tuples(st.integers(3, 6), st.integers(2, 9)), elements=st.integers(-1, 1)
)


def by_sums(table):
    """The same by explicit sums over all pairs of entries, without mean squares.

    E[(sum_si d)^2] splits into products of entries that share a seed, a person, both or neither.
    """
    seeds, people = table.shape
    d = table - table.mean()
    same_person = sum(np.outer(d[:, i], d[:, i]).sum() for i in range(people))
    same_seed = sum(np.outer(d[s], d[s]).sum() for s in range(seeds))
    both = (d**2).sum()
    person_square = same_person / seeds / (people - 1)
    seed_square = same_seed / people / (seeds - 1)
    rest = (both - same_person / seeds - same_seed / people) / ((seeds - 1) * (people - 1))
    return person_square, seed_square, max(rest, 0.0)


@given(tables)
def test_the_error_is_the_sum_of_its_parts(table):
    person, seed, rest = by_sums(table.astype(float))
    variance = max(person + seed - rest, person, seed) / table.size
    found = crossed_interval(table)
    if variance < 1e-12:
        assert np.isnan([found.low, found.high, found.p_value]).all()
        return
    free = np.array([table.shape[1] - 1, table.shape[0] - 1])
    parts = np.array([person, seed, rest])
    df = (variance * table.size) ** 2 / (parts**2 / [*free, free.prod()]).sum()
    df = max(df, free.min())
    t = stats.t(df)
    assert found.high - found.mean == pytest.approx(t.ppf(0.975) * variance**0.5, rel=1e-6)
    assert found.p_value == pytest.approx(2 * t.sf(abs(found.mean) / variance**0.5), rel=1e-6)


@given(tables, st.randoms(use_true_random=False))
def test_the_order_of_seeds_and_people_does_not_matter(table, random):
    rows, columns = list(range(len(table))), list(range(table.shape[1]))
    random.shuffle(rows)
    random.shuffle(columns)
    one, other = crossed_interval(table), crossed_interval(table[rows][:, columns])
    np.testing.assert_allclose([one.low, one.high], [other.low, other.high], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("turn", [np.array, np.transpose])
def test_where_one_sample_never_differs_it_is_the_t_interval_over_the_other(turn):
    values = np.array([1.0, 3.0, -2.0, 0.5])
    found = crossed_interval(turn(np.repeat(values[:, None], 7, axis=1)))
    expected = t_interval(values)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.p_value == pytest.approx(stats.ttest_1samp(values, 0).pvalue)


@given(tables)
def test_the_test_and_the_interval_agree(table):
    found = crossed_interval(table)
    if not np.isnan(found.p_value) and abs(found.p_value - 0.05) > 1e-9:
        assert (found.p_value < 0.05) == (found.low > 0 or found.high < 0)


def test_it_covers_new_people_and_new_seeds_where_seeds_alone_do_not():
    rng, both, alone = np.random.default_rng(0), 0, 0
    for _ in range(1500):
        seeds, people = rng.normal(size=(8, 1)), rng.normal(scale=3, size=(1, 25))
        table = 0.5 * seeds + people + rng.normal(size=(8, 25))
        wide, narrow = crossed_interval(table), t_interval(table.mean(axis=1))
        both += wide.low <= 0 <= wide.high
        alone += narrow.low <= 0 <= narrow.high
    assert 0.935 < both / 1500 < 0.975
    assert alone / 1500 < 0.75


@pytest.mark.parametrize(
    "table", [np.zeros((3, 5)), np.ones((3, 5)), [[1, 0, 1], [0, 0, 1]], [[1], [0], [1]]]
)
def test_without_any_spread_to_see_there_is_no_interval(table):
    found = crossed_interval(table)
    assert found.mean == np.mean(table)
    assert np.isnan([found.low, found.high, found.p_value]).all()


def test_it_is_cut_at_the_bounds_of_its_scale():
    table = [[100.0, -100.0], [0.0, 100.0], [100.0, 100.0]]
    plain, cut = crossed_interval(table), crossed_interval(table, scale=POINTS)
    assert plain.high > 100 and cut.high == 100
    assert cut.low == max(plain.low, -100) and cut.p_value == plain.p_value


@pytest.mark.parametrize("wrong", [[1.0, 2.0], [[]], 3.0])
def test_other_shapes_are_refused(wrong):
    with pytest.raises(SettingError, match=r"expected \[seeds, people\]"):
        crossed_interval(wrong)
