"""Broken teachers must not become plausible numbers, and no teacher is trained by accident."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from loss_problem import L, N, close, problem

from kdlib.errors import SettingError
from kdlib.losses import (
    adaptive_mix,
    average_margins,
    class_errors,
    margin_log_cost,
    soft_target_loss,
    teacher_probabilities,
)
from kdlib.training import LossVectors

nan, inf = torch.nan, torch.inf


def uses(probs):
    """All that takes a teacher's probabilities ``[N, L]``, as functions without arguments."""
    logits, labels, *_ = problem()
    return [
        lambda: soft_target_loss(logits, labels, probs, mix=0.5),
        lambda: adaptive_mix(probs, labels, L),
        lambda: average_margins(probs, labels, L),
        lambda: class_errors(logits, probs, torch.full((L,), 0.2)),
    ]


LOST = {  # rows that sum to NaN
    "NaN": [nan, 0.25, 0.25, 0.25, 0.25],
    "all NaN": [nan] * L,
    "both infinities": [inf, -inf, 1, 0, 0],
}
BROKEN = {
    "infinite": [inf, 0, 0, 0, 0],
    "logits": [4.0, -1.0, 0.5, -2.0, 0.0],
    "logits that sum to 1": [3.0, -2.0, 0.0, 0.0, 0.0],
    "percent": [80, 5, 5, 5, 5],
    "nothing": [0.0] * L,
    "half of it": [0.1] * L,
    "two labels at once": [1, 1, 0, 0, 0],
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("use", range(4))
def test_a_row_that_is_no_probabilities_is_refused(kind, use):
    _, _, probs, *_ = problem()
    probs[7] = torch.tensor(BROKEN[kind], dtype=probs.dtype)
    with pytest.raises(SettingError, match="no table of probabilities: row 7 holds") as error:
        uses(probs)[use]()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", LOST)
@pytest.mark.parametrize("use", range(4))
def test_a_row_of_nan_is_nan_and_nothing_but_such_rows_is_refused(kind, use):
    _, labels, probs, *_ = problem()
    probs[7] = torch.tensor(LOST[kind], dtype=probs.dtype)
    found = uses(probs)[use]()
    by_class = found.isnan().tolist()
    assert by_class == [c == labels[7] for c in range(L)] if use in (1, 2) else found.isnan().all()
    probs[:] = probs[7]
    with pytest.raises(SettingError, match="no table of probabilities: row 0"):
        uses(probs)[use]()


@pytest.mark.parametrize("kind", BROKEN | LOST)
def test_where_nobody_can_look_it_becomes_nan(kind):
    logits, labels, probs, *_ = problem()
    broken = probs.clone()
    broken[7] = torch.tensor((BROKEN | LOST)[kind], dtype=probs.dtype)
    both = torch.stack([probs, broken])

    def loss(p):
        return soft_target_loss(logits, labels, p, mix=0.5, reduction="none")

    plain, lost = torch.vmap(loss)(both)
    close(plain, loss(probs))
    assert lost.isnan().tolist() == [row == 7 for row in range(N)]
    plain, lost = torch.vmap(lambda p: adaptive_mix(p, labels, L))(both)
    close(plain, adaptive_mix(probs, labels, L))
    assert lost.isnan().tolist() == [label == labels[7] for label in range(L)]
    rates = torch.full((L,), 0.2, dtype=torch.float64)
    plain, lost = torch.vmap(lambda p: class_errors(logits, p, rates))(both)
    close(plain, class_errors(logits, probs, rates))
    assert lost.isnan().all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_rounding_is_no_fault(dtype):
    scores = torch.randn(300, 200, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(300) % 200
    rounded = scores.softmax(1).to(dtype)
    found = adaptive_mix(rounded, labels, 200)
    close(found, adaptive_mix(rounded.double(), labels, 200), check_dtype=False)
    printed = (scores[:, :10].softmax(1) * 1000).round() / 1000  # three decimals
    assert soft_target_loss(scores[:, :10], labels % 10, printed).isfinite()


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.bool])
def test_one_hot_rows_of_whole_numbers_are_probabilities(dtype):
    logits, labels, *_ = problem()
    whole = F.one_hot(labels, L)
    rates = whole.double().mean(0)
    whole = whole.to(dtype)
    for error in ("zero_one", "cross_entropy"):
        expected = class_errors(logits, whole.double(), rates, error)
        close(class_errors(logits, whole, rates, error), expected)
        close(class_errors(logits.numpy(), whole.numpy(), rates.tolist(), error), expected)
    close(soft_target_loss(logits, labels, whole, mix=1.0), F.cross_entropy(logits, labels))
    close(adaptive_mix(whole, labels, L), (rates > 0).float())


def test_no_gradient_reaches_the_teacher():
    logits, labels, scores, *_ = problem()
    student, teacher = logits.requires_grad_(), scores.requires_grad_()
    probs = teacher_probabilities(teacher, 2.0)
    rates = probs.mean(0)
    trust = adaptive_mix(probs, labels, L)
    assert not trust.requires_grad
    loss = soft_target_loss(student, labels, probs, mix=trust)
    (loss + class_errors(student, probs, rates, "cross_entropy").sum()).backward()
    assert student.grad.any() and teacher.grad is None


def test_a_class_without_examples_gets_no_trust_but_a_broken_one_is_never_taken_for_it():
    probs = torch.tensor([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0]])
    assert adaptive_mix(probs, torch.tensor([0, 1]), 3)[2] == 0
    probs[0] = nan
    found = adaptive_mix(probs, torch.tensor([0, 1]), 3)
    assert found.isnan().tolist() == [True, False, False] and found[2] == 0
    with pytest.raises(SettingError, match="mix holds nan"):
        LossVectors(found, torch.zeros(3)).prepared(3, "cpu")


def test_logits_that_are_no_numbers_make_errors_that_are_none():
    logits, _, probs, *_ = problem()
    logits[2, 1] = nan
    for error in ("zero_one", "cross_entropy"):
        assert class_errors(logits, probs, probs.mean(0), error).isnan().all()


@pytest.mark.parametrize("share", [1.5, -0.1, nan])
def test_shares_outside_their_range_are_refused(share):
    logits, labels, probs, mix, _ = problem()
    mix[1] = share
    with pytest.raises(SettingError, match=r"mix holds .*: allowed are 0 to 1"):
        soft_target_loss(logits, labels, probs, mix=mix)
    with pytest.raises(SettingError, match=r"mix holds .*: allowed are 0 to 1"):
        margin_log_cost(mix, 0.1)


# --- temperatures ---


@given(st.floats(1e-37, 1e-3), st.permutations([3.0, 1.0, 2.0]))
def test_a_tiny_temperature_gives_hard_labels(temperature, logits):
    hard = F.one_hot(torch.tensor(logits).argmax(), 3).float()
    assert torch.equal(teacher_probabilities([logits], temperature)[0], hard)


@pytest.mark.parametrize("dtype", [torch.float16, torch.float32, torch.float64])
def test_below_the_smallest_number_of_the_format_is_no_temperature(dtype):
    logits = torch.tensor([[3.0, 1.0, 2.0]], dtype=dtype)
    smallest = torch.finfo(torch.float64 if dtype == torch.float64 else torch.float32).tiny
    assert torch.equal(teacher_probabilities(logits, smallest), logits.softmax(1).round().to(
        torch.promote_types(dtype, torch.float32)))  # fmt: skip
    for temperature in (smallest / 2, 0.0, torch.tensor(smallest / 2, dtype=torch.float64)):
        with pytest.raises(SettingError, match=r"temperature = .*is not allowed: a number above 0"):
            teacher_probabilities(logits, temperature)


@pytest.mark.parametrize("temperature", [True, "2", None, -2.0, inf, 10**400, torch.tensor(-1.0)])
def test_what_is_no_temperature_is_refused(temperature):
    with pytest.raises(SettingError, match="temperature = "):
        teacher_probabilities(torch.zeros(2, 3), temperature)


def test_masked_classes_get_no_probability_and_broken_rows_none_at_all():
    logits = torch.tensor([[0.0, -inf, 0.0], [nan, 0.0, 0.0], [inf, 0.0, 0.0]])
    probs = teacher_probabilities(logits, 3.0)
    close(probs[0], torch.tensor([0.5, 0.0, 0.5]))
    assert probs[1:].isnan().all()
