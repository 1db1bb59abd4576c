"""Accuracy by class and its summaries, against scikit-learn and plain loops."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import accuracy_score, balanced_accuracy_score, recall_score

from kdlib.errors import SettingError
from kdlib.metrics import (
    EmptyGroupWarning,
    balanced_accuracy,
    bucket_means,
    cumulative_gain,
    delta_k,
    mean_accuracy,
    per_class_accuracy,
    summary,
    top_fraction,
    worst_k,
)

NAN = float("nan")
accuracies = arrays(float, st.integers(1, 12), elements=st.floats(0, 1))


def sample(seed=0, n=200, classes=7):
    rng = np.random.default_rng(seed)
    return rng.integers(classes, size=n), rng.integers(classes, size=n)


# --- per_class_accuracy, mean_accuracy ---


def test_against_scikit_learn():
    predictions, labels = sample()
    per_class = per_class_accuracy(predictions, labels, 7)
    np.testing.assert_allclose(per_class, recall_score(labels, predictions, average=None))
    assert mean_accuracy(predictions, labels) == accuracy_score(labels, predictions)
    assert balanced_accuracy(per_class) == pytest.approx(
        balanced_accuracy_score(labels, predictions)
    )


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
@pytest.mark.filterwarnings("ignore::kdlib.metrics.EmptyGroupWarning")
def test_per_class_accuracy_against_a_loop(pairs):
    predictions, labels = zip(*pairs, strict=True)
    expected = []
    for y in range(4):
        hits = [p == y for p, label in pairs if label == y]
        expected.append(sum(hits) / len(hits) if hits else NAN)
    np.testing.assert_allclose(per_class_accuracy(predictions, labels, 4), expected)


def test_rows_of_predictions_give_rows_of_results():
    rows = np.stack([sample(seed)[0] for seed in range(6)]).reshape(2, 3, -1)
    labels = sample(9)[1]
    table = per_class_accuracy(rows, labels, 7)
    assert table.shape == (2, 3, 7)
    for i in np.ndindex(2, 3):
        np.testing.assert_allclose(table[i], per_class_accuracy(rows[i], labels, 7))
        assert mean_accuracy(rows, labels)[i] == mean_accuracy(rows[i], labels)
        assert worst_k(table, 2)[i] == pytest.approx(worst_k(table[i], 2))
        assert delta_k(table, 3)[i] == pytest.approx(delta_k(table[i], 3))
        assert top_fraction(table, 0.3)[i] == pytest.approx(top_fraction(table[i], 0.3))


def test_torch_tensors_and_lists():
    predictions, labels = sample()
    expected = per_class_accuracy(predictions, labels, 7)
    tensors = torch.tensor(predictions), torch.tensor(labels)
    np.testing.assert_array_equal(per_class_accuracy(*tensors, 7), expected)
    lists = predictions.tolist(), labels.tolist()
    np.testing.assert_array_equal(per_class_accuracy(*lists, 7), expected)
    half = torch.tensor([0.5, 1.0], dtype=torch.bfloat16, requires_grad=True)
    assert worst_k(half, 1) == 0.5


def test_empty_classes_are_nan_and_named():
    with pytest.warns(EmptyGroupWarning, match="no examples in class 1, 3"):
        per_class = per_class_accuracy([0, 2, 0], [0, 2, 2], 4)
    np.testing.assert_array_equal(per_class, [1.0, NAN, 0.5, NAN])


def test_many_empty_classes_are_counted():
    with pytest.warns(EmptyGroupWarning, match=r"class 1, 2, .*, 10 and 89 more: "):
        per_class_accuracy([0], [0], 100)


def test_no_example_at_all():
    with pytest.warns(EmptyGroupWarning, match="N = 0"):
        assert math.isnan(mean_accuracy([], []))
    with pytest.warns(EmptyGroupWarning, match="class 0, 1"):
        assert np.isnan(per_class_accuracy([], [], 2)).all()


@pytest.mark.parametrize(
    ("predictions", "labels", "words"),
    [
        ([0, 3], [0, 1], "predictions holds class 3: allowed are 0 to 2"),
        ([0, 1], [0, -1], "labels holds class -1: allowed are 0 to 2"),
        ([0, 1], [0, 1, 2], "labels has shape (3,)"),
        ([[0], [1]], [0, 1], "labels has shape (2,)"),  # would broadcast to a 2 x 2 table
        ([0.2, 0.8], [0, 1], "predictions has type float64"),
        (1, [1], "predictions = 1 is not allowed"),
    ],
)
def test_predictions_that_do_not_fit_are_refused(predictions, labels, words):
    with pytest.raises(SettingError) as refusal:
        per_class_accuracy(predictions, labels, 3)
    assert words in str(refusal.value)


# --- summaries ---


@given(accuracies, st.data())
def test_worst_k_against_sorting(per_class, data):
    k = data.draw(st.integers(1, len(per_class)))
    assert worst_k(per_class, k) == pytest.approx(np.mean(sorted(per_class)[:k]))
    gap = np.mean(per_class) - np.mean(sorted(per_class)[:k])
    assert delta_k(per_class, k) == pytest.approx(gap, abs=1e-12)


@given(accuracies)
def test_worst_k_grows_from_the_minimum_to_the_mean(per_class):
    curve = [worst_k(per_class, k) for k in range(1, len(per_class) + 1)]
    assert curve[0] == per_class.min()
    assert curve[-1] == pytest.approx(balanced_accuracy(per_class))
    assert (np.diff(curve) >= -1e-12).all()


@pytest.mark.parametrize(
    ("classes", "fraction", "count"),
    [(100, 0.1, 10), (100, 0.07, 7), (10, 0.1, 1), (16, 0.1, 2), (3, 0.01, 1), (5, 1.0, 5)],
)
def test_top_fraction_counts_classes(classes, fraction, count):
    per_class = np.random.default_rng(0).random(classes)
    best = sorted(per_class, reverse=True)[:count]
    assert top_fraction(per_class, fraction) == pytest.approx(np.mean(best))


def test_nan_classes_are_left_out():
    per_class = [0.2, NAN, 0.4, 0.9]
    assert balanced_accuracy(per_class) == pytest.approx(0.5)
    assert worst_k(per_class, 2) == pytest.approx(0.3)
    assert delta_k(per_class, 2) == pytest.approx(0.2)
    assert top_fraction(per_class, 0.67) == pytest.approx(0.65)  # round(0.67 * 3) = 2


def test_too_few_measured_classes_give_nan_not_a_mean_of_fewer():
    assert math.isnan(worst_k([0.2, NAN], 2))
    assert math.isnan(balanced_accuracy([NAN, NAN]))
    assert math.isnan(top_fraction([NAN, NAN], 0.5))


def test_single_samples_give_plain_floats():
    values = [0.0, 0.5]
    results = [balanced_accuracy(values), worst_k(values, 1), delta_k(values, 1)]
    results += [top_fraction(values, 0.5), mean_accuracy([0], [0])]
    assert [type(result) for result in results] == [float] * 5
    assert str(top_fraction([0.0], 1.0)) == "0.0"  # not -0.0


def test_summary_names_its_numbers():
    assert summary([0.2, 0.4, 0.9], ks=(1, 2)) == pytest.approx(
        {"balanced": 0.5, "worst_1": 0.2, "worst_2": 0.3}
    )


@pytest.mark.parametrize("k", [0, -1, 4, 1.0, True, None])
def test_k_out_of_range_is_refused(k):
    for measure in (worst_k, delta_k):
        with pytest.raises(SettingError, match=r"k = .* is not allowed: .* from 1 to 3"):
            measure([0.1, 0.2, 0.3], k)


@pytest.mark.parametrize("fraction", [0, -0.1, 1.1, NAN, "all"])
def test_fraction_out_of_range_is_refused(fraction):
    with pytest.raises(SettingError, match="fraction = "):
        top_fraction([0.1], fraction)


def test_no_classes_are_refused():
    for empty in ([], 0.5):
        with pytest.raises(SettingError, match="expected one value per class"):
            worst_k(empty, 1)


# --- bucket_means ---


def test_buckets_follow_the_other_array():
    values, keys = [1.0, 2.0, 3.0, 4.0, 5.0], [50, 40, 30, 20, 10]
    np.testing.assert_allclose(bucket_means(values, keys, 2), [4.0, 1.5])  # {5, 4, 3}, {2, 1}


@given(st.integers(1, 30), st.data())
def test_buckets_against_pandas_style_splitting(classes, data):
    rng = np.random.default_rng(classes)
    values, keys = rng.random(classes), rng.permutation(classes)
    count = data.draw(st.integers(1, classes))
    means = bucket_means(values, keys, count)
    by_key = [values[list(keys).index(rank)] for rank in range(classes)]
    small, larger = divmod(classes, count)
    sizes = [small + (i < larger) for i in range(count)]
    ends = np.cumsum(sizes)
    expected = [np.mean(by_key[e - s : e]) for s, e in zip(sizes, ends, strict=True)]
    np.testing.assert_allclose(means, expected)
    assert np.dot(means, sizes) == pytest.approx(values.sum())


def test_ties_keep_the_order_of_classes():
    np.testing.assert_allclose(bucket_means(np.arange(20.0), np.zeros(20), 20), np.arange(20))


def test_unmeasured_classes_stay_out_of_buckets():
    means = bucket_means([1.0, NAN, 3.0, 4.0], [1, 2, 3, NAN], 2)
    np.testing.assert_allclose(means, [1.0, 3.0])


def test_buckets_without_classes_are_nan_and_named():
    with pytest.warns(EmptyGroupWarning, match="bucket 1: the result is NaN"):
        np.testing.assert_array_equal(bucket_means([1.0, NAN], [1, 2], 2), [1.0, NAN])


def test_bucket_settings_are_checked():
    with pytest.raises(SettingError, match="num_buckets = 4"):
        bucket_means([1.0, 2.0, 3.0], [1, 2, 3], 4)
    with pytest.raises(SettingError, match="order_by has shape"):
        bucket_means([1.0, 2.0], [1, 2, 3], 1)


# --- cumulative_gain ---


def test_cumulative_gain_against_a_loop():
    rng = np.random.default_rng(0)
    candidate, baseline = rng.random(30), rng.random(30)
    curve = cumulative_gain(candidate, baseline)
    for k in range(1, 31):
        worst = np.argsort(baseline, kind="stable")[:k]
        assert curve[k - 1] == pytest.approx((candidate[worst] - baseline[worst]).mean())
    assert curve[-1] == pytest.approx(candidate.mean() - baseline.mean())


def test_cumulative_gain_in_another_order():
    curve = cumulative_gain([0.9, 0.3], [0.5, 0.6], order_by=[2, 1])
    np.testing.assert_allclose(curve, [-0.3, 0.05])


def test_cumulative_gain_leaves_out_unmeasured_classes():
    curve = cumulative_gain([0.9, NAN, 0.3], [0.5, 0.1, 0.6])
    np.testing.assert_allclose(curve, [0.4, 0.05])
    with pytest.raises(SettingError, match="baseline has shape"):
        cumulative_gain([0.9], [0.5, 0.1])
