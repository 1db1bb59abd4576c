"""Measures of each example against torch, exact arithmetic and plain loops."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kdlib.errors import SettingError
from kdlib.metrics import EmptyGroupWarning, class_means, log_loss, margin


def sample(seed=0, n=50, classes=6):
    rng = np.random.default_rng(seed)
    return 4 * rng.normal(size=(n, classes)), rng.integers(classes, size=n)


def test_log_loss_is_torch_cross_entropy():
    logits, labels = sample()
    expected = torch.nn.functional.cross_entropy(
        torch.tensor(logits), torch.tensor(labels), reduction="none"
    )
    np.testing.assert_allclose(log_loss(logits, labels), expected)


def test_margin_against_a_loop():
    logits, labels = sample()
    for f, y, ours in zip(logits, labels, margin(logits, labels), strict=True):
        p = [math.exp(value) / sum(map(math.exp, f)) for value in f]
        assert ours == pytest.approx(p[y] - max(p[j] for j in range(6) if j != y))


def test_margin_is_positive_exactly_where_the_prediction_is_right():
    logits, labels = sample()
    np.testing.assert_array_equal(margin(logits, labels) > 0, logits.argmax(1) == labels)


def test_huge_logits():
    logits = [[1e4, -1e4, 0.0]] * 3
    np.testing.assert_allclose(log_loss(logits, [0, 1, 2]), [0.0, 2e4, 1e4])
    np.testing.assert_allclose(margin(logits, [0, 1, 2]), [1.0, -1.0, -1.0])


def test_tiny_losses_keep_their_precision():
    # -log(1 / (1 + e^-50)) is e^-50 to 22 digits; 1 - p would round to 0.
    assert log_loss([[50.0, 0.0]], [0])[0] == pytest.approx(math.exp(-50), rel=1e-12)


@given(st.integers(0, 2**31), st.floats(-1e4, 1e4))
def test_shifting_the_logits_changes_nothing(seed, shift):
    logits, labels = sample(seed)
    np.testing.assert_allclose(
        log_loss(logits + shift, labels), log_loss(logits, labels), rtol=1e-8, atol=1e-10
    )
    np.testing.assert_allclose(margin(logits + shift, labels), margin(logits, labels), atol=1e-10)


def test_rows_of_logits_and_torch_input():
    logits, labels = sample()
    rows = np.stack([logits, 2 * logits])
    for measure in (log_loss, margin):
        expected = [measure(logits, labels), measure(2 * logits, labels)]
        np.testing.assert_allclose(measure(rows, labels), expected)
        both = np.stack([labels, labels])
        np.testing.assert_allclose(measure(torch.tensor(rows), torch.tensor(both)), expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_input_is_measured_in_float64(dtype):
    logits = torch.tensor([[1.0, 2.0, 3.0]], dtype=dtype)
    assert log_loss(logits, [0])[0] == pytest.approx(2.4076059644, abs=1e-9)


def test_class_means_against_a_loop():
    rng = np.random.default_rng(0)
    values, labels = rng.normal(size=40), np.arange(40) % 3
    expected = [values[labels == y].mean() for y in range(3)]
    np.testing.assert_allclose(class_means(values, labels, 3), expected)
    np.testing.assert_allclose(class_means([values, -values], labels, 3)[1], np.negative(expected))


def test_class_means_of_empty_classes():
    with pytest.warns(EmptyGroupWarning, match="no examples in class 0, 2"):
        means = class_means([1.5, 2.5], [1, 1], 3)
    np.testing.assert_array_equal(means, [np.nan, 2.0, np.nan])


@pytest.mark.parametrize("measure", [log_loss, margin])
def test_what_does_not_fit_is_refused(measure):
    with pytest.raises(SettingError, match="expected \\[N, L\\]"):
        measure([0.0, 1.0], [0])
    with pytest.raises(SettingError, match="L at least 2"):
        measure([[0.0]], [0])
    with pytest.raises(SettingError, match="labels holds class 2: allowed are 0 to 1"):
        measure([[0.0, 1.0]], [2])
    with pytest.raises(SettingError, match="labels has shape"):
        measure([[0.0, 1.0]], [0, 1])


def test_class_means_refuses_what_does_not_fit():
    with pytest.raises(SettingError, match="labels has shape"):
        class_means([1.0, 2.0], [0], 1)
    with pytest.raises(SettingError, match="num_classes = 0"):
        class_means([1.0], [0], 0)
