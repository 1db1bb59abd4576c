"""Classes masked to -inf: where no target asks for them they count 0, in values and gradients."""

import math

import pytest
import torch
import torch.nn.functional as F
from loss_problem import L, close, problem

from kdlib.errors import SettingError
from kdlib.losses import class_errors, soft_label_weights, soft_target_loss
from kdlib.losses.in_step import example_losses
from kdlib.training import LossVectors, batch_loss

MASKED = 2
KEPT = [0, 1, 3, 4]


def masked_problem():
    """A problem whose class 2 has no example and no probability; and the same without it."""
    logits, labels, probs, mix, log_cost = problem()
    labels[labels == MASKED] = 0
    probs[:, MASKED] = 0
    probs = probs / probs.sum(1, keepdim=True)
    without = (logits[:, KEPT], torch.searchsorted(torch.tensor(KEPT), labels), probs[:, KEPT])
    return (logits, labels, probs, mix, log_cost), (*without, mix[KEPT], log_cost[KEPT])


def gradients(logits, labels, probs, mix, log_cost, **options):
    """Loss, and its gradients in logits, mix and log_cost."""
    leaves = [tensor.clone().requires_grad_() for tensor in (logits, mix, log_cost)]
    loss = soft_target_loss(leaves[0], labels, probs, mix=leaves[1], log_cost=leaves[2], **options)
    return loss, torch.autograd.grad(loss, leaves)


@pytest.mark.parametrize("where", ["logits", "log_cost"])
@pytest.mark.parametrize("extreme", [None, 0.0, 1.0])
@pytest.mark.parametrize("outer", [False, True])
def test_a_class_that_nothing_asks_for_is_as_if_it_were_not_there(where, extreme, outer):
    (logits, labels, probs, mix, log_cost), without = masked_problem()
    if extreme is not None:
        mix[:2], without[3][:2] = extreme, extreme
    if where == "logits":
        logits[:, MASKED] = -math.inf
    else:
        log_cost[MASKED] = math.inf
    weights = torch.linspace(0, 1, L, dtype=torch.float64) if outer else None
    few = weights[KEPT] if outer else None
    loss, found = gradients(logits, labels, probs, mix, log_cost, class_weight=weights)
    expected, grads = gradients(*without, class_weight=few)
    close(loss, expected)
    close(found[0][:, KEPT], grads[0])
    close(found[1][KEPT], grads[1])
    close(found[2][KEPT], grads[2])
    assert not found[0][:, MASKED].any() and not found[2][MASKED].any()


def test_the_step_of_a_training_counts_it_alike():
    (logits, labels, probs, mix, log_cost), without = masked_problem()
    logits[:, MASKED] = -math.inf
    logits.requires_grad_()
    loss = batch_loss(logits, labels, probs.log(), LossVectors(mix, log_cost))
    close(loss, soft_target_loss(*without[:3], mix=without[3], log_cost=without[4]))
    loss.backward()
    assert logits.grad.isfinite().all()


def test_a_label_of_a_masked_class_is_an_infinite_loss():
    logits = torch.tensor([[0.0, -math.inf], [0.0, 1.0]])
    losses = soft_target_loss(logits, [1, 0], [[1.0, 0.0], [0.5, 0.5]], mix=0.5, reduction="none")
    assert losses[0] == math.inf and losses[1].isfinite()


@pytest.mark.parametrize(("mix", "finite"), [(1.0, True), (0.5, False)])
def test_a_label_without_share_asks_for_nothing(mix, finite):
    logits = torch.tensor([[0.0, -math.inf]], requires_grad=True)
    loss = soft_target_loss(logits, [1], [[1.0, 0.0]], mix=mix)
    assert loss.isfinite() == finite
    if finite:
        loss.backward()
        assert logits.grad.isfinite().all()


@pytest.mark.parametrize("zero", ["mix", "weight"])
def test_a_teacher_without_share_asks_for_nothing(zero):
    logits = torch.tensor([[0.0, 1.0, -math.inf]], requires_grad=True)
    shares = {"mix": torch.zeros(3)} if zero == "mix" else {"mix": 0.5, "weight": torch.zeros(1)}
    loss = soft_target_loss(logits, [0], [[0.2, 0.3, 0.5]], **shares)
    share = 1.0 if zero == "mix" else 0.5
    close(loss, share * F.cross_entropy(logits[:, :2], torch.tensor([0])))
    loss.backward()
    assert logits.grad.isfinite().all()


def test_a_broken_teacher_is_not_hidden_by_a_share_of_zero():
    logits, labels, probs, *_ = problem()
    probs[0] = torch.nan
    losses = example_losses(logits, labels, probs, mix=torch.zeros(L, dtype=torch.float64))
    assert losses[0].isnan() and losses[1:].isfinite().all()


@pytest.mark.parametrize("error", ["zero_one", "cross_entropy"])
def test_errors_of_the_classes_count_it_0(error):
    (logits, _, probs, *_), (few, _, few_probs, *_) = masked_problem()
    logits[:, MASKED] = -math.inf
    logits.requires_grad_()
    found = class_errors(logits, probs, probs.mean(0), error)
    expected = class_errors(few, few_probs, few_probs.mean(0), error)
    close(found[KEPT], expected)
    assert found[MASKED] == 0
    if error == "cross_entropy":
        found.sum().backward()
        assert logits.grad.isfinite().all()


def test_soft_label_weights_of_masked_classes():
    logits = torch.tensor([[0.0, 1.0, -math.inf], [0.0, 1.0, -math.inf]])
    close(soft_label_weights(logits, logits[:, [1, 0, 2]], [0, 1]),
          soft_label_weights(logits[:, :2], logits[:, [1, 0]], [0, 1]))  # fmt: skip


# --- options and numbers ---


@pytest.mark.parametrize("name", ["ce", "crossentropy", "cross-entropy", "01", "", None, 1])
def test_an_error_that_nobody_knows_is_refused(name):
    logits, _, probs, *_ = problem()
    with pytest.raises(SettingError, match=r"error = .* is not allowed: 'zero_one'"):
        class_errors(logits, probs, probs.mean(0), name)
