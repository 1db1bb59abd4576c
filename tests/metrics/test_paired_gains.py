"""Gains by group on the same examples: closed forms, the crossed model, coverage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kdlib.errors import SettingError
from kdlib.metrics import crossed_interval, paired_gains, sign_test
from kdlib.metrics.paired_gains import joined

CHANGES = st.lists(st.sampled_from([-1, 0, 1]), min_size=1, max_size=60)


def gains_of(gained, lost, same):
    return paired_gains([1] * gained + [-1] * lost + [0] * same, [0] * (gained + lost + same), 1)


@pytest.mark.parametrize("counts", [(0, 0, 7), (3, 9, 40), (6, 0, 0), (0, 12, 88), (250, 200, 50)])
def test_of_one_training_the_test_is_the_sign_test(counts):
    found = gains_of(*counts)
    assert found.p_value[0] == pytest.approx(sign_test(counts[0], counts[1]))


@pytest.mark.parametrize("size", [5, 50, 5000])
def test_where_nothing_changed_the_interval_is_about_wilsons(size):
    found = gains_of(0, 0, size)
    wilson = stats.binomtest(0, size).proportion_ci(method="wilson").high
    assert found.low[0] == -found.high[0]
    assert found.high[0] == pytest.approx(wilson, rel=0.35 if size == 5 else 0.05)
    assert found.high[0] >= wilson


def test_with_many_examples_the_interval_is_the_textbooks():
    gained, lost, same = 3000, 4000, 93000
    n = gained + lost + same
    gap = (gained - lost) / n
    half = 1.96 * np.sqrt(((gained + lost) / n - gap**2) / n)
    found = gains_of(gained, lost, same)
    assert found.mean[0] == pytest.approx(gap)
    assert [found.low[0], found.high[0]] == pytest.approx([gap - half, gap + half], rel=0.01)


def test_of_several_trainings_it_is_the_crossed_model_with_two_examples_made_up():
    rng = np.random.default_rng(3)
    table = rng.integers(-1, 2, (4, 30))
    made_up = np.c_[table, np.ones(4), -np.ones(4)]
    found = paired_gains(table, np.zeros(30, int), 1)
    people = table.mean(axis=0)
    by_sign = sign_test((people > 0).sum(), (people < 0).sum())
    expected = max(crossed_interval(made_up).p_value, by_sign)
    assert found.p_value[0] == pytest.approx(expected)
    assert found.by_seed[:, 0] == pytest.approx(table.mean(axis=1))


@given(CHANGES, st.floats(-0.9, 0.9))
def test_swapping_the_models_turns_everything_round(changes, limit):
    codes = [0] * len(changes)
    one, other = paired_gains(changes, codes, 1), paired_gains(np.negative(changes), codes, 1)
    assert one.low == pytest.approx(-other.high)
    assert one.p_below(limit) == pytest.approx(other.p_above(-limit))
    assert one.low[0] <= one.mean[0] <= one.high[0]
    assert one.low[0] >= -1 and one.high[0] <= 1


@given(CHANGES, st.randoms(use_true_random=False))
def test_each_group_is_what_it_is_alone(changes, random):
    codes = [random.choice([-1, 0, 1, 2]) for _ in changes]
    found = paired_gains(changes, codes, 3)
    for group in range(3):
        own = [change for change, code in zip(changes, codes, strict=True) if code == group]
        if own:
            alone = paired_gains(own, [0] * len(own), 1)
            assert found.low[group] == pytest.approx(alone.low[0])
            assert found.p_below(-0.02)[group] == pytest.approx(alone.p_below(-0.02)[0])
        else:
            assert found.count[group] == 0
            assert np.isnan([found.mean[group], found.high[group], found.p_value[group]]).all()


@pytest.mark.parametrize(("lost", "size"), [(0, 100), (0, 400), (3, 1000), (20, 1000)])
def test_a_limit_is_held_to_the_exact_binomial_where_changes_go_one_way(lost, size):
    found = gains_of(0, lost, size - lost)
    exact = stats.binom.cdf(lost, size, 0.01)  # so few losses, were 1 % of the examples lost
    assert found.p_above(-0.01)[0] >= exact - 1e-12
    more = stats.binom.sf(lost - 1, size, 0.01)
    assert found.p_below(-0.01)[0] >= more - 1e-12


def test_parts_are_joined():
    one, two = gains_of(3, 1, 5), gains_of(0, 9, 1)
    both = joined([one, two])
    assert both.p_value == pytest.approx([one.p_value[0], two.p_value[0]])
    assert both.by_seed.shape == (1, 2)


@pytest.mark.slow
@pytest.mark.parametrize("size", [5, 30, 300])
@pytest.mark.parametrize("rates", [(0, 0), (0.02, 0.07), (0.2, 0.2), (0.5, 0.5), (0, 0.5)])
def test_intervals_cover_and_tests_keep_their_level(rates, size):
    rng, repeats = np.random.default_rng(0), 4000
    draws = rng.choice([1, -1, 0], (repeats, size), p=[*rates, 1 - sum(rates)])
    found = paired_gains(draws.ravel(), np.repeat(np.arange(repeats), size), repeats)
    truth = rates[0] - rates[1]
    slack = 3 * np.sqrt(0.05 * 0.95 / repeats)
    assert ((found.low <= truth) & (truth <= found.high)).mean() >= 0.95 - slack
    assert (found.p_below(truth) <= 0.05).mean() <= 0.05 + slack
    assert (found.p_above(truth) <= 0.05).mean() <= 0.05 + slack


@pytest.mark.parametrize(
    ("differences", "groups", "size", "words"),
    [
        ([0, 1], [0], 1, "not of the same examples"),
        ([[0, 1], [1, 0]], [0, 0], 1, "2 trainings: allowed are 1, or 3 and more"),
        ([0, 2], [0, 0], 1, "outside of -1 to 1"),
        ([0, np.nan], [0, 0], 1, "outside of -1 to 1"),
        ([0, 1], [0, 1], 1, "whole numbers below 1"),
        ([0, 1], [0.0, 0.5], 1, "whole numbers below 1"),
        ([0, 1], [0, 0], 0, "num_groups"),
    ],
)
def test_what_does_not_fit_is_refused(differences, groups, size, words):
    with pytest.raises(SettingError, match=words):
        paired_gains(differences, groups, size)
