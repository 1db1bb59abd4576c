"""The paired bootstrap against the normal approximation, scipy and simulated coverage."""

import math

import numpy as np
import pytest
from scipy import stats

from kdlib.errors import SettingError
from kdlib.metrics import (
    EmptyGroupWarning,
    Interval,
    balanced_accuracy,
    log_loss,
    mean_accuracy,
    paired_bootstrap,
    per_class_accuracy,
    worst_k,
)


def two_models(seed=0, n=400, classes=4, right=(0.7, 0.8)):
    """Labels and the predictions of two models that are right that often."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(classes, size=n)
    wrong = (labels + 1) % classes
    return *(np.where(rng.random(n) < share, labels, wrong) for share in right), labels


def worst_of_four(predictions, labels):
    return worst_k(per_class_accuracy(predictions, labels, 4), 1)


def test_difference_of_accuracies_has_the_normal_interval():
    first, second, labels = two_models(n=2000)
    ours = paired_bootstrap(mean_accuracy, first, second, labels, resamples=8000)
    gain = (second == labels).astype(float) - (first == labels)
    half = 1.959964 * gain.std() / math.sqrt(2000)
    assert ours.mean == pytest.approx(gain.mean())
    assert ours.low == pytest.approx(gain.mean() - half, abs=0.05 * half)
    assert ours.high == pytest.approx(gain.mean() + half, abs=0.05 * half)
    assert (ours.n, ours.confidence) == (2000, 0.95)


def test_against_scipys_bootstrap():
    first, second, labels = two_models()
    gain = (second == labels).astype(float) - (first == labels)
    theirs = stats.bootstrap(
        (gain,), np.mean, n_resamples=5000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    ours = paired_bootstrap(mean_accuracy, first, second, labels, resamples=5000)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.006)


def test_pairing_cancels_what_both_models_share():
    first, _, labels = two_models()
    assert paired_bootstrap(mean_accuracy, first, first, labels) == Interval(0, 0, 0, 0.95, 400)


def test_the_same_seed_gives_the_same_interval():
    models = two_models()
    again = [paired_bootstrap(worst_of_four, *models, resamples=200, seed=s) for s in (3, 3, 4)]
    assert again[0] == again[1]
    assert again[0] != again[2]


def test_all_resamples_go_through_one_call():
    calls = []

    def counting(predictions, labels):
        calls.append(predictions.shape)
        return mean_accuracy(predictions, labels)

    paired_bootstrap(counting, *two_models(), resamples=500)
    assert calls.count((500, 400)) == 2  # one for each model
    assert len(calls) <= 6


def test_statistics_of_one_sample_give_the_same_interval():
    models = two_models()

    def plain(predictions, labels):
        return float(np.mean([p == y for p, y in zip(predictions, labels, strict=True)]))

    def scalar(predictions, labels):
        return (predictions == labels).mean()

    rows = paired_bootstrap(mean_accuracy, *models, resamples=50)
    assert paired_bootstrap(scalar, *models, resamples=50) == rows
    wrapped = np.vectorize(plain, signature="(n),(n)->()")
    assert paired_bootstrap(wrapped, *models, resamples=50) == rows


def test_a_mean_over_the_wrong_axis_of_a_square_block_is_noticed():
    models = two_models(n=50)
    rows = paired_bootstrap(mean_accuracy, *models, resamples=50)
    assert paired_bootstrap(lambda p, y: (p == y).mean(axis=0), *models, resamples=50) == rows


def test_blocks_do_not_change_the_result(monkeypatch):
    models = two_models()
    whole = paired_bootstrap(worst_of_four, *models, resamples=100)
    monkeypatch.setattr("kdlib.metrics.bootstrap._BLOCK", 3 * 400)
    assert paired_bootstrap(worst_of_four, *models, resamples=100) == whole


def test_logits_can_be_compared():
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 4
    first = rng.normal(size=(300, 4))
    second = first + np.eye(4)[labels]
    ours = paired_bootstrap(
        lambda f, y: log_loss(f, y).mean(axis=-1), first, second, labels, resamples=300
    )
    expected = log_loss(second, labels).mean() - log_loss(first, labels).mean()
    assert ours.mean == pytest.approx(expected)
    assert ours.low < expected < ours.high < 0


def test_resamples_without_a_class_are_counted():
    labels = np.array([0] * 9 + [1])  # class 1 is missing in 0.9^10 = 35 % of the resamples
    predictions = np.zeros(10, int)

    def last_class(values, truth):
        return per_class_accuracy(values, truth, 2)[..., 1]

    with pytest.warns(EmptyGroupWarning, match=r"NaN in 3\d\d of 1000 resamples"):
        ours = paired_bootstrap(last_class, predictions, labels, labels, resamples=1000)
    assert (ours.mean, ours.low, ours.high) == (1.0, 1.0, 1.0)


def test_a_statistic_that_is_always_nan():
    labels = np.zeros(5, int)
    with pytest.warns(EmptyGroupWarning, match="NaN in 10 of 10 resamples"):
        ours = paired_bootstrap(lambda v, y: np.nan, labels, labels, labels, resamples=10)
    assert math.isnan(ours.mean) and math.isnan(ours.low)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"second": [0, 1]}, "are not of the same examples"),
        ({"labels": [0]}, "are not of the same examples"),
        ({"labels": []}, "N at least 1"),
        ({"resamples": 0}, "resamples = 0"),
        ({"confidence": 1.0}, "confidence = 1.0"),
    ],
)
def test_what_does_not_fit_is_refused(change, words):
    arguments = {"first": [0, 1, 1], "second": [0, 1, 0], "labels": [0, 1, 1]}
    with pytest.raises(SettingError, match=words):
        paired_bootstrap(mean_accuracy, **{**arguments, **change})


@pytest.mark.slow
def test_coverage_by_simulation():
    """The truth lies in a 90 % interval in 90 % of the trials, within four standard errors."""

    def balanced(predictions, labels):
        return balanced_accuracy(per_class_accuracy(predictions, labels, 4))

    trials, hits = 400, 0
    for seed in range(trials):
        models = two_models(seed, n=300)
        ours = paired_bootstrap(balanced, *models, resamples=400, seed=seed, confidence=0.9)
        hits += ours.low <= 0.1 <= ours.high
    assert hits / trials == pytest.approx(0.9, abs=4 * math.sqrt(0.9 * 0.1 / trials))
