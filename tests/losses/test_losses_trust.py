"""The teacher's probabilities, trust by class, and weights by example, by plain loops."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from loss_problem import L, close, problem

from kdlib.errors import SettingError
from kdlib.losses import (
    adaptive_mix,
    average_margins,
    margin_log_cost,
    soft_label_weights,
    teacher_probabilities,
)

seeds = st.integers(0, 2**31)


# --- teacher_probabilities ---


def test_temperature_one_is_softmax_and_high_temperatures_flatten():
    logits, *_ = problem()
    close(teacher_probabilities(logits, 1.0), logits.softmax(1))
    close(teacher_probabilities(logits, 2.0), (logits / 2).softmax(1))
    close(teacher_probabilities(logits, 1e9), torch.full_like(logits, 1 / L), atol=1e-7, rtol=0)


def test_temperature_golden_value():
    # (0, log 4) at T = 2 is (0, log 2): probabilities 1/3 and 2/3.
    close(
        teacher_probabilities(torch.tensor([[0.0, math.log(4)]]), 2.0),
        torch.tensor([[1 / 3, 2 / 3]]),
    )


def test_tiny_temperature_on_huge_logits_gives_hard_labels():
    logits = torch.tensor([[1e4, -1e4, 9e3]])
    close(teacher_probabilities(logits, 1e-36), torch.tensor([[1.0, 0.0, 0.0]]))


# --- adaptive_mix and margin_log_cost ---


def adaptive_mix_by_loops(probs, labels, classes):
    """Equation (3) as it is printed."""
    shares = []
    for y in range(classes):
        margins = [
            p[y] - sum(p[j] for j in range(classes) if j != y) / (classes - 1)
            for p, label in zip(probs, labels, strict=True)
            if label == y
        ]
        shares.append(max(0.0, sum(margins) / len(margins)) if margins else 0.0)
    return torch.tensor(shares, dtype=torch.float64)


@given(seeds, st.integers(0, 20))
def test_adaptive_mix_is_equation_3(seed, n):
    _, labels, probs, *_ = problem(seed, n=n)
    expected = adaptive_mix_by_loops(probs.tolist(), labels.tolist(), L)
    ours = adaptive_mix(probs, labels, L)
    close(ours, expected)
    assert ((ours >= 0) & (ours <= 1)).all()


def test_adaptive_mix_of_clear_cases():
    probs = torch.tensor([[1.0, 0, 0], [0.5, 0.25, 0.25], [1.0, 0, 0]])
    labels = torch.tensor([0, 0, 1])
    # Class 0: (1 + 0.25) / 2. Class 1: the teacher is wrong. Class 2: no example.
    close(adaptive_mix(probs, labels, 3), torch.tensor([0.625, 0.0, 0.0]))


def test_rounding_cannot_push_a_share_above_one():
    probs = torch.tensor([[1.0, -1e-7], [1.0, -1e-7]])
    assert adaptive_mix(probs, torch.tensor([0, 0]), 2)[0] == 1


def test_margin_log_cost_keeps_the_logarithm_finite():
    mix = torch.tensor([1.0, 0.5, 0.0])
    close(margin_log_cost(mix, 0.1), torch.tensor([0.0, math.log(2), math.log(10)]))
    close(margin_log_cost(mix, 1.0), torch.zeros(3))


# --- refusals ---


@pytest.mark.parametrize("temperature", [0, -1.0, float("nan"), float("inf"), "warm"])
def test_impossible_temperatures_are_refused(temperature):
    with pytest.raises(SettingError, match="temperature = "):
        teacher_probabilities(torch.zeros(1, 2), temperature)


@pytest.mark.parametrize("offset", [0, -0.1, 1.1, float("nan"), None, True])
def test_impossible_offsets_are_refused(offset):
    with pytest.raises(SettingError, match="offset = "):
        margin_log_cost(torch.zeros(2), offset)


def test_adaptive_mix_refuses_what_does_not_fit():
    labels = torch.zeros(3, dtype=torch.long)
    with pytest.raises(SettingError, match="teacher_probs has shape"):
        adaptive_mix(torch.zeros(3, 2), labels, 4)
    for number in (1, True, 2.0, None):
        with pytest.raises(SettingError, match="num_classes = "):
            adaptive_mix(torch.zeros(3, 1), labels, number)


# --- average margins, and the weights of Zhou et al. ---


def test_average_margins_by_plain_loops():
    _, labels, probs, *_ = problem(seed=3)
    labels[labels == 2] = 1  # class 2 has no example
    found = average_margins(probs, labels, L)
    for y in range(L):
        rows = probs[labels == y]
        others = [(row.sum() - row[y]) / (L - 1) for row in rows]
        values = [float(row[y] - other) for row, other in zip(rows, others, strict=True)]
        expected = sum(values) / len(values) if values else math.nan
        assert float(found[y]) == pytest.approx(expected, nan_ok=True)


@given(seeds)
def test_the_mix_is_the_average_margin_cut_to_zero_and_one(seed):
    _, labels, probs, *_ = problem(seed)
    cut = average_margins(probs, labels, L).nan_to_num(0.0).clamp(0, 1)
    close(adaptive_mix(probs, labels, L), cut)


def test_soft_label_weights_by_their_formula():
    student, labels, *_ = problem(seed=1)
    teacher, *_ = problem(seed=2)
    own = F.cross_entropy(student, labels, reduction="none")
    theirs = F.cross_entropy(teacher, labels, reduction="none")
    close(soft_label_weights(student, teacher, labels), 1 - torch.exp(-own / theirs))


def test_equal_models_get_the_weight_one_minus_one_over_e():
    student, labels, *_ = problem()
    weights = soft_label_weights(student, student, labels)
    close(weights, torch.full_like(weights, 1 - math.exp(-1)))


def test_soft_label_weights_are_finite_at_the_ends_and_carry_no_gradient():
    sure = torch.tensor([[1e4, 0.0], [0.0, 1e4]], requires_grad=True)
    unsure = torch.zeros(2, 2)
    labels = torch.tensor([0, 0])
    assert soft_label_weights(sure, unsure, labels).tolist() == [0.0, 1.0]
    assert soft_label_weights(unsure, sure, labels)[0] == 1.0  # a teacher without any error
    assert not soft_label_weights(sure, unsure, labels).requires_grad
