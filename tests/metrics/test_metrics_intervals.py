"""Intervals over seeds against scipy, by hand, and by simulated coverage."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from kdlib.errors import SettingError
from kdlib.metrics import (
    FREE,
    NOT_NEGATIVE,
    PERCENT,
    POINTS,
    SHARE,
    SIGNED,
    error_interval,
    prediction_interval,
    t_interval,
)
from kdlib.metrics.spread import grid_step

TRIALS = 3000
# As the accuracy of a class over seeds: in the middle, near a bound, and hard against it.
BETAS = [(20, 5), (5, 5), (1, 9), (2, 38), (90, 3)]
percents = st.lists(st.floats(0, 100), min_size=3, max_size=8)


def share_that_holds(intervals, truths):
    found = [i.low <= truth <= i.high for i, truth in zip(intervals, truths, strict=True)]
    return np.mean(found)


# --- t_interval ---


@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.99])
def test_t_interval_is_scipys(confidence):
    values = np.random.default_rng(0).normal(size=7)
    ours = t_interval(values, confidence)
    low, high = stats.t.interval(confidence, 6, loc=values.mean(), scale=stats.sem(values))
    assert (ours.low, ours.high) == pytest.approx((low, high))
    assert (ours.mean, ours.confidence, ours.n) == (values.mean(), confidence, 7)


def test_t_interval_golden_value():
    # (1, 2, 3): standard error 1 / sqrt(3); the 97.5 % point of t with 2 degrees is 4.302653.
    interval = t_interval([1.0, 2.0, 3.0])
    assert interval.high - 2 == pytest.approx(4.302653 / math.sqrt(3), abs=1e-6)


@pytest.mark.parametrize(
    "values", [[0.5], [0.2, 0.8], [0.5] * 3, [0.5] * 40, [0.1 + 0.2, 0.3, 0.3]]
)
@pytest.mark.parametrize("interval_of", [t_interval, prediction_interval])
def test_where_nothing_shows_a_spread_there_is_no_interval(values, interval_of):
    interval = interval_of(values)
    assert interval.mean == pytest.approx(np.mean(values)) and interval.n == len(values)
    assert math.isnan(interval.low) and math.isnan(interval.high)


def test_a_missing_repeat_is_not_hidden():
    assert math.isnan(t_interval([0.5, float("nan"), 0.6]).mean)


@pytest.mark.parametrize("values", [[], 0.5, [[0.5, 0.6]]])
def test_t_interval_refuses_other_shapes(values):
    with pytest.raises(SettingError, match="expected one number per repeat"):
        t_interval(values)


def test_recorded_numbers_that_differ_by_their_rounding_alone_are_equal():
    # 100 / 45 is recorded in six digits: two accuracies, and their difference in two seeds.
    differences = [57.7778 - 55.5556, 77.7778 - 75.5556, 5.55556 - 3.33333]
    assert np.ptp(differences) > 0
    assert math.isnan(t_interval(differences, scale=POINTS).low)
    assert t_interval(differences).low < t_interval(differences).high


# --- bounds ---


@given(percents, st.sampled_from([t_interval, prediction_interval]))
def test_intervals_keep_bounds_and_are_never_a_point(values, interval_of):
    interval = interval_of(values, scale=PERCENT)
    if not math.isnan(interval.low):
        assert (
            0 <= interval.low <= interval.mean + 1e-9
            and interval.mean - 1e-9 <= interval.high <= 100
        )
        assert interval.low < interval.high


@given(st.lists(st.floats(-100, 100), min_size=3, max_size=8))
def test_a_difference_is_cut_and_nothing_else(values):
    plain, cut = t_interval(values, scale=FREE), t_interval(values, scale=POINTS)
    if not math.isnan(cut.low):
        assert cut.low == max(plain.low, -100) and cut.high == min(plain.high, 100)


def test_the_bend_by_hand():
    # Mean 20 %, s = 10, n = 3: on the logit scale the error is 10 / sqrt(3) / (20 * 80) * 100.
    interval = t_interval([10.0, 20.0, 30.0], scale=PERCENT)
    half = stats.t.ppf(0.975, 2) * 10 / math.sqrt(3) * 100 / (20 * 80)
    ends = [100 / (1 + math.exp(-(math.log(20 / 80) + side * half))) for side in (-1, 1)]
    assert (interval.low, interval.high) == pytest.approx(ends)


@pytest.mark.parametrize("images", [20, 45, 1000])
def test_one_miss_in_ten_seeds_leaves_the_others_near_their_bound(images):
    """Nine of ten at 100 %: the values' own spread bends it, and a step of the grid widens it."""
    step = 100 / images
    interval = t_interval([100.0] * 9 + [100 - step], scale=PERCENT)
    assert 100 - 1.5 * step < interval.low < 100 - step / 2 and interval.high == 100
    low = t_interval([0.0] * 9 + [step], scale=PERCENT)
    assert (low.low, low.high) == pytest.approx((0, 100 - interval.low))


def test_a_loss_has_no_upper_bound():
    interval = t_interval([1.0, 2.0, 3.0], scale=NOT_NEGATIVE)
    factor = math.exp(stats.t.ppf(0.975, 2) / math.sqrt(3) / 2)
    assert (interval.low, interval.high) == pytest.approx((2 / factor, 2 * factor))


def test_percents_shares_and_margins_bend_alike():
    shares = np.array([0.02, 0.11, 0.35])
    ends = t_interval(shares, scale=SHARE)
    as_percent = t_interval(100 * shares, scale=PERCENT)
    as_margin = t_interval(2 * shares - 1, scale=SIGNED)
    assert (as_percent.low, as_percent.high) == pytest.approx((100 * ends.low, 100 * ends.high))
    assert (as_margin.low, as_margin.high) == pytest.approx((2 * ends.low - 1, 2 * ends.high - 1))


def test_far_from_its_bounds_an_interval_is_the_plain_one():
    values = np.random.default_rng(0).normal(50, 0.5, size=6)
    plain, bent = t_interval(values), t_interval(values, scale=PERCENT)
    assert (bent.low, bent.high) == pytest.approx((plain.low, plain.high), abs=1e-3)


@pytest.mark.parametrize(
    ("values", "scale", "words"),
    [([50, 101.0, 3], PERCENT, "101: a percentage lies from 0 to 100"),
     ([-0.5, 1, 2], NOT_NEGATIVE, "-0.5"), ([0.1, -120.0, 4], POINTS, "-100 to 100")],
)  # fmt: skip
def test_what_lies_out_of_bounds_is_refused(values, scale, words):
    for interval_of in (t_interval, prediction_interval):
        with pytest.raises(SettingError, match=words):
            interval_of(values, scale=scale)


@pytest.mark.slow
@pytest.mark.parametrize("images", [None, 45])
@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("shape", BETAS)
def test_coverage_of_means_of_percentages(shape, n, images):
    """95 % where a test set is fine; a coarse one widens intervals, and never narrows them."""
    rng = np.random.default_rng(n)
    draws = 100 * rng.beta(*shape, size=(TRIALS, n))
    truth = 100 * shape[0] / sum(shape)
    if images:
        draws = np.rint(draws * images / 100) * 100 / images
        truth = float((np.rint(rng.beta(*shape, size=10**6) * images) * 100 / images).mean())
    intervals = [t_interval(row, scale=PERCENT) for row in draws]
    held = [i for i in intervals if not math.isnan(i.low)]
    coverage = share_that_holds(held, [truth] * len(held))
    assert coverage > 0.925
    if not images:
        assert coverage < 0.97


@pytest.mark.slow
@pytest.mark.parametrize("images", [20, 45])
@pytest.mark.parametrize("n", [5, 10])
@pytest.mark.parametrize("shape", [(90, 3), (99, 1), (200, 1), (1, 99)])
def test_coverage_where_a_step_of_the_grid_leads_beyond_a_bound(shape, n, images):
    rng = np.random.default_rng(n)
    draws = np.rint(rng.beta(*shape, size=(TRIALS, n)) * images) * 100 / images
    truth = float((np.rint(rng.beta(*shape, size=10**6) * images) * 100 / images).mean())
    held = [i for row in draws if not math.isnan((i := t_interval(row, scale=PERCENT)).low)]
    assert share_that_holds(held, [truth] * len(held)) > 0.925
    assert np.mean([i.high - i.low for i in held]) < 4 * 100 / images


# --- error_interval ---


@given(st.lists(st.floats(1, 99), min_size=3, max_size=8))
def test_from_a_mean_and_its_error_it_is_the_same_interval(values):
    values = np.array(values) + np.arange(len(values)) ** 2 / 1000  # neither equal, nor on a grid
    ours = t_interval(values, scale=PERCENT)
    theirs = error_interval(values.mean(), stats.sem(values), len(values), scale=PERCENT)
    if values.std(ddof=1) > grid_step(values):  # else a step of the grid stands for it
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))


@pytest.mark.parametrize(("error", "runs"), [(math.nan, 10), (0.0, 10), (0.5, 2)])
def test_without_an_error_or_with_few_runs_print_has_no_interval(error, runs):
    interval = error_interval(3.0, error, runs, scale=PERCENT)
    assert interval.mean == 3.0 and math.isnan(interval.low) and math.isnan(interval.high)


def test_a_mean_on_its_bound_is_cut():
    interval = error_interval(0.0, 0.2, 10, scale=PERCENT)
    assert interval.low == 0 and interval.high == pytest.approx(0.2 * stats.t.ppf(0.975, 9))


def test_a_printed_error_must_be_one():
    with pytest.raises(SettingError, match="error = -1"):
        error_interval(3.0, -1.0, 10)


# --- prediction_interval ---


def test_a_prediction_by_hand():
    half = stats.t.ppf(0.975, 2) * math.sqrt(1 + 1 / 3)
    interval = prediction_interval([1.0, 2.0, 3.0])
    assert (interval.low, interval.high) == pytest.approx((2 - half, 2 + half))
    mean_of_three = prediction_interval([1.0, 2.0, 3.0], runs=3)
    assert mean_of_three.high - 2 == pytest.approx(stats.t.ppf(0.975, 2) * math.sqrt(2 / 3))


def test_with_a_printed_error_it_is_welchs_test():
    ours, theirs = np.random.default_rng(1).normal([[0.0], [1.5]], [[1.0], [2.0]], size=(2, 6))
    theirs = theirs[:4]
    p = stats.ttest_ind(ours, theirs, equal_var=False).pvalue
    at_the_edge = prediction_interval(ours, 1 - p, runs=4, error=stats.sem(theirs))
    nearer = min(abs(at_the_edge.low - theirs.mean()), abs(at_the_edge.high - theirs.mean()))
    assert nearer == pytest.approx(0, abs=1e-9)


def test_an_exact_printed_mean_leaves_the_interval_of_our_mean():
    values = [1.0, 2.5, 3.0, 4.0]
    exact, plain = prediction_interval(values, runs=10, error=0.0), t_interval(values)
    assert (exact.low, exact.high) == pytest.approx((plain.low, plain.high))


@pytest.mark.parametrize("wrong", [{"runs": 0}, {"runs": 5, "error": -1.0}, {"error": 0.3}])
def test_a_prediction_refuses(wrong):
    with pytest.raises(SettingError, match=r"runs|error"):
        prediction_interval([1.0, 2.0, 3.0], **wrong)


@pytest.mark.slow
@pytest.mark.parametrize("images", [None, 45])
@pytest.mark.parametrize("n", [3, 5, 10])
@pytest.mark.parametrize("shape", BETAS)
def test_a_single_run_falls_into_its_prediction(shape, n, images):
    rng = np.random.default_rng(100 + n)
    draws = 100 * rng.beta(*shape, size=(TRIALS, n + 1))
    if images:
        draws = np.rint(draws * images / 100) * 100 / images
    intervals = [prediction_interval(row[:-1], scale=PERCENT) for row in draws]
    pairs = [(i, y) for i, y in zip(intervals, draws[:, -1], strict=True) if not math.isnan(i.low)]
    assert share_that_holds(*zip(*pairs, strict=True)) > 0.91


@pytest.mark.slow
def test_coverage_of_predictions_by_simulation():
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(4000, 9))
    single = [prediction_interval(row[:5]) for row in draws]
    slack = 4 * math.sqrt(0.95 * 0.05 / 4000)
    assert share_that_holds(single, draws[:, 5]) == pytest.approx(0.95, abs=slack)
    means = draws[:, 5:].mean(axis=1)
    of_four = [prediction_interval(row[:5], runs=4) for row in draws]
    assert share_that_holds(of_four, means) == pytest.approx(0.95, abs=slack)
    printed = [prediction_interval(r[:5], runs=4, error=stats.sem(r[5:])) for r in draws]
    assert share_that_holds(printed, means) == pytest.approx(
        0.95, abs=0.02
    )  # Welch is no exact test


@pytest.mark.slow
def test_coverage_of_t_intervals_by_simulation():
    rng = np.random.default_rng(0)
    intervals = [t_interval(rng.normal(size=5)) for _ in range(4000)]
    coverage = np.mean([i.low <= 0 <= i.high for i in intervals])
    assert coverage == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 4000))
