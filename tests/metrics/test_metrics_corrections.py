"""Paired t-tests against scipy and the interval, Holm against its definition and by simulation."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from kdlib.errors import SettingError
from kdlib.metrics import holm, paired_p_value, t_interval

p_lists = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def rejected_by_holm(p_values, level):
    """The procedure as Holm states it: go up the sorted values, stop at the first that fails."""
    rejected = set()
    for step, position in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        if p_values[position] > level / (len(p_values) - step):
            break
        rejected.add(position)
    return rejected


# --- paired_p_value ---


@pytest.mark.parametrize("n", [3, 4, 10, 200])
def test_the_p_value_is_scipys(n):
    first, second = np.random.default_rng(n).normal([[0.0], [0.3]], 1, size=(2, n))
    assert paired_p_value(second - first) == pytest.approx(stats.ttest_rel(second, first).pvalue)


def test_p_value_golden_value():
    # (1, 2, 3): t = 2 sqrt(3). With 2 degrees of freedom F(t) = 1/2 + t / (2 sqrt(2 + t^2)).
    t = 2 * math.sqrt(3)
    assert paired_p_value([1.0, 2.0, 3.0]) == pytest.approx(1 - t / math.sqrt(2 + t * t))


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=8), st.sampled_from([0.5, 0.9, 0.95]))
def test_a_small_p_value_is_an_interval_without_zero(differences, confidence):
    interval = t_interval(differences, confidence)
    assume(not math.isnan(interval.low))
    scale = max(abs(interval.low), abs(interval.high))
    assume(min(abs(interval.low), abs(interval.high)) > 1e-9 * scale)
    leaves_out_zero = interval.low > 0 or interval.high < 0
    assert leaves_out_zero == (paired_p_value(differences) < 1 - confidence)


@pytest.mark.parametrize(
    ("differences", "p"),
    [([0.0, 0.0, 0.0], 1.0), ([0.1] * 6, 2**-5), ([-2.0] * 5, 2**-4), ([-1.0, 0.0, 1.0], 1.0)],
)
def test_p_values_without_a_spread_or_a_mean(differences, p):
    assert paired_p_value(differences) == p


@given(st.integers(3, 12), st.floats(0.01, 100))
def test_of_equal_differences_it_is_the_exact_test_of_signs(n, difference):
    """Of all 2^n ways to turn signs round, two give a mean as far from zero as the one seen."""
    signs = np.array(list(itertools.product([-1, 1], repeat=n)))
    as_far = np.abs(signs.sum(axis=1)) >= n
    assert paired_p_value([difference] * n) == pytest.approx(as_far.mean())


@pytest.mark.parametrize("differences", [[0.3], [0.3, 0.4], [2.0, 2.0], [0.3, np.nan, 0.1]])
def test_too_few_seeds_or_a_nan_have_no_p_value(differences):
    assert np.isnan(paired_p_value(differences))


@pytest.mark.parametrize("wrong", [[], [[1.0, 2.0]], 3.0])
def test_differences_must_be_one_a_repeat(wrong):
    with pytest.raises(SettingError, match="expected one number per repeat"):
        paired_p_value(wrong)


# --- holm ---


def test_holm_by_hand():
    # Sorted: .005, .01, .03, .04 times 4, 3, 2, 1 gives .02, .03, .06, .04; the last takes .06.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(p_lists, st.floats(1e-6, 0.999))
def test_adjusted_values_reject_what_the_procedure_rejects(p_values, level):
    adjusted = holm(p_values)
    assume(np.abs(adjusted - level).min() > 1e-12)  # a product and a quotient round apart
    found = {i for i, p in enumerate(adjusted) if p <= level}
    assert found == rejected_by_holm(p_values, level)


@given(p_lists)
def test_holm_lies_between_no_correction_and_bonferroni(p_values):
    adjusted, raw = holm(p_values), np.array(p_values)
    assert (adjusted >= raw).all()
    assert (adjusted <= np.minimum(1, len(raw) * raw) + 1e-15).all()
    assert (np.diff(adjusted[np.argsort(raw, kind="stable")]) >= 0).all()


@given(p_lists, st.randoms())
def test_holm_keeps_the_order_given(p_values, random):
    places = list(range(len(p_values)))
    random.shuffle(places)
    np.testing.assert_array_equal(holm([p_values[i] for i in places]), holm(p_values)[places])


def test_a_test_without_a_p_value_counts_and_stays_nan():
    np.testing.assert_allclose(holm([0.01, np.nan, 0.2]), [0.03, np.nan, 0.4])


def test_holm_of_one_and_of_no_test():
    assert holm([0.3]) == [0.3] and holm([]).shape == (0,)


def test_false_rejections_stay_rare_by_simulation():
    """Ten classes, five seeds, nothing to find: at most 5 % of the tables say otherwise."""
    rng, tables = np.random.default_rng(0), 2000
    draws = rng.normal(size=(tables, 10, 5))
    p_values = np.array([[paired_p_value(row) for row in table] for table in draws])
    alarms = np.mean([(holm(p) <= 0.05).any() for p in p_values])
    slack = 4 * math.sqrt(0.05 * 0.95 / tables)
    assert alarms < 0.05 + slack
    assert (p_values <= 0.05).any(axis=1).mean() > 0.3  # without a correction: 1 - 0.95^10 = 0.40


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [([0.5, 1.2], "holds 1.2: allowed are 0 to 1"), ([-0.1], "-0.1"), (0.5, "one value per test")],
)
def test_what_is_no_list_of_p_values_is_refused(wrong, complaint):
    with pytest.raises(SettingError, match=complaint):
        holm(wrong)
