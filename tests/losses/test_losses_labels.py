"""Labels as they come: left out (-100), out of range, as arrays, lists and tables."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from loss_problem import L, N, arguments, close, problem

from kdlib.errors import SettingError
from kdlib.losses import (
    IGNORED,
    adaptive_mix,
    average_margins,
    soft_label_weights,
    soft_target_loss,
)

subsets = st.lists(st.booleans(), min_size=N, max_size=N).map(torch.tensor)
nan = torch.nan


# --- left out ---


@given(subsets, st.sampled_from(["mean", "sum"]))
def test_an_example_that_is_left_out_counts_as_if_it_were_not_there(left_out, reduction):
    whole = arguments()
    whole["labels"][left_out] = IGNORED
    for name in ("logits", "teacher_probs", "weight"):
        whole[name][left_out] = nan  # padding may hold anything
    expected = soft_target_loss(**arguments(~left_out), reduction=reduction)
    close(soft_target_loss(**whole, reduction=reduction), expected, equal_nan=True)


def test_without_a_teacher_it_is_torchs_own_masked_mean():
    logits, labels, *_ = problem()
    labels[::3] = IGNORED
    for reduction in ("mean", "sum", "none"):
        expected = F.cross_entropy(logits, labels, reduction=reduction, ignore_index=IGNORED)
        close(soft_target_loss(logits, labels, reduction=reduction), expected)


def test_nothing_that_is_left_out_reaches_a_gradient():
    given = arguments()
    given["labels"][2] = IGNORED
    given["logits"][2], given["teacher_probs"][2] = nan, nan
    leaves = [given[name].requires_grad_() for name in ("logits", "mix", "log_cost")]
    soft_target_loss(**given).backward()
    assert all(leaf.grad.isfinite().all() for leaf in leaves)
    assert not leaves[0].grad[2].any() and leaves[0].grad[3].any()


def test_a_mean_over_nothing_is_nan_and_a_sum_is_zero():
    logits, labels, *_ = problem()
    labels[:] = IGNORED
    assert soft_target_loss(logits, labels).isnan()
    assert soft_target_loss(logits, labels, reduction="sum") == 0
    assert adaptive_mix(logits.softmax(1), labels, L).tolist() == [0.0] * L


@given(subsets)
def test_trust_by_class_leaves_them_out_too(left_out):
    _, labels, probs, *_ = problem()
    marked = torch.where(left_out, IGNORED, labels)
    broken = torch.where(left_out[:, None], nan, probs)
    for of in (adaptive_mix, average_margins):
        expected = of(probs[~left_out], labels[~left_out], L)
        close(of(broken, marked, L), expected, equal_nan=True)


def test_their_soft_label_weight_is_zero():
    logits, labels, *_ = problem()
    teacher, *_ = problem(1)
    expected = soft_label_weights(logits, teacher, labels)
    expected[4] = 0.0
    labels[4], logits[4] = IGNORED, nan
    close(soft_label_weights(logits, teacher, labels), expected)


def test_masks_are_seen_under_vmap_and_compile():
    logits, labels, probs, mix, _ = problem()
    labels[::2] = IGNORED
    expected = soft_target_loss(logits, labels, probs, mix=mix)
    both = torch.stack([labels, labels])
    by_row = torch.vmap(lambda y: soft_target_loss(logits, y, probs, mix=mix))(both)
    close(by_row, torch.stack([expected, expected]))
    compiled = torch.compile(soft_target_loss, fullgraph=True, backend="eager")
    close(compiled(logits, labels, probs, mix=mix), expected)


# --- out of range ---

USERS = {
    "soft_target_loss": lambda f, y: soft_target_loss(f, y),
    "adaptive_mix": lambda f, y: adaptive_mix(f.softmax(1), y, L),
    "average_margins": lambda f, y: average_margins(f.softmax(1), y, L),
    "soft_label_weights": lambda f, y: soft_label_weights(f, f, y),
}


@pytest.mark.parametrize("name", USERS)
@pytest.mark.parametrize("label", [-1, -101, L, 2**40])
def test_a_label_out_of_range_is_one_line(name, label):
    logits, labels, *_ = problem()
    labels[3] = label
    with pytest.raises(SettingError) as error:
        USERS[name](logits, labels)
    assert str(error.value) == (
        f"labels holds {label}: allowed are 0 to 4, and -100 for an example to leave out"
    )


def test_where_it_cannot_be_read_it_gives_nan_and_no_error_of_torchs():
    logits, labels, probs, *_ = problem()
    wrong = labels.clone()
    wrong[3] = L
    both = torch.stack([labels, wrong])
    plain, broken = torch.vmap(lambda y: soft_target_loss(logits, y, reduction="none"))(both)
    close(plain, soft_target_loss(logits, labels, reduction="none"))
    assert broken.isnan().tolist() == [row == 3 for row in range(N)]
    trust = torch.vmap(lambda y: adaptive_mix(probs, y, L))(both)
    close(trust[0], adaptive_mix(probs, labels, L))
    assert trust[1].isnan().all()
    compiled = torch.compile(soft_target_loss, fullgraph=True, backend="eager")
    assert compiled(logits, wrong).isnan()
