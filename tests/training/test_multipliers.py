"""Class multipliers: the update by hand, its limits, resuming, and that no loss is changed."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from small_training import CLASSES, RECIPE, one_hot, random_split, run, same_state

from kdlib.errors import SettingError
from kdlib.losses import (
    class_errors,
    exponentiated_gradient,
    soft_target_loss,
    traded_off_log_weights,
)
from kdlib.training import (
    CheckpointError,
    ClassMultipliers,
    HeldOut,
    LossVectors,
    MultiplierRule,
)
from kdlib.training.objective import batch_loss

PRIOR = torch.tensor([0.4, 0.3, 0.2, 0.1])
errors = st.lists(st.floats(0, 1, width=32), min_size=2, max_size=12)


def held_out(n=40, seed=9):
    split = random_split(n, seed=seed)
    targets = F.one_hot(split.labels, CLASSES).float()
    return HeldOut(split.images, targets, RECIPE.input_scaling, "")


def multipliers(**rule):
    values = {"update_every": 2, "step": 0.5} | rule
    return ClassMultipliers(MultiplierRule(**values), PRIOR, held_out(), seed=3)


# --- the update ---


def test_one_step_by_hand():
    start = torch.tensor([0.5, 0.25, 0.25]).log()
    found = exponentiated_gradient(start, torch.tensor([0.0, 1.0, 0.5]), step=0.1).exp()
    raw = [0.5, 0.25 * math.exp(0.1), 0.25 * math.exp(0.05)]
    torch.testing.assert_close(found, torch.tensor(raw) / sum(raw))


@given(errors, st.floats(0, 2))
def test_the_weights_stay_on_the_simplex_and_follow_the_errors(values, step):
    start = torch.full((len(values),), -math.log(len(values)))
    found = exponentiated_gradient(start, torch.tensor(values), step)
    assert found.exp().sum().item() == pytest.approx(1, abs=1e-5)
    order = torch.tensor(values).argsort(stable=True)
    assert (found[order].diff() >= -1e-5).all()


def test_equal_errors_move_nothing():
    start = torch.tensor([0.7, 0.2, 0.1]).log()
    torch.testing.assert_close(exponentiated_gradient(start, torch.full((3,), 0.4), 5.0), start)


def test_thousands_of_steps_do_not_underflow():
    log = torch.full((3,), 1 / 3).log()
    for _ in range(10_000):
        log = exponentiated_gradient(log, torch.tensor([1.0, 0.0, 0.5]), 0.1)
    assert log.isfinite().all()
    assert log[1].item() == pytest.approx(-1000, rel=1e-3)


@given(st.floats(0, 1))
def test_traded_off_weights_are_the_mixture(alpha):
    lam = torch.tensor([0.6, 0.3, 0.1])
    expected = (1 - alpha) / 3 + alpha * lam
    torch.testing.assert_close(traded_off_log_weights(lam.log(), alpha).exp(), expected)


@pytest.mark.parametrize("alpha", [1.5, -0.1, True, "1", None])
def test_a_trade_off_outside_its_range_is_refused(alpha):
    with pytest.raises(SettingError, match="alpha = "):
        traded_off_log_weights(torch.zeros(3), alpha)


@pytest.mark.parametrize("step", [-0.1, math.inf, math.nan, True, "1", None])
def test_a_step_size_outside_its_range_is_refused(step):
    with pytest.raises(SettingError, match="step = "):
        exponentiated_gradient(torch.zeros(3), torch.zeros(3), step)


# --- the errors of the classes ---


def test_zero_one_errors_are_one_minus_recall():
    logits = torch.randn(60, CLASSES, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(60) % 3  # class 3 has no example
    targets = F.one_hot(labels, CLASSES).float()
    found = class_errors(logits, targets, targets.mean(0))
    for y in range(3):
        right = (logits.argmax(1)[labels == y] == y).float().mean()
        assert found[y].item() == pytest.approx(1 - right.item(), abs=1e-6)
    assert found[3] == 0


@pytest.mark.parametrize("error", ["zero_one", "cross_entropy"])
def test_soft_errors_by_plain_loops(error):
    stream = torch.Generator().manual_seed(1)
    logits, scores = torch.randn(2, 20, CLASSES, generator=stream)
    targets = scores.softmax(1)
    found = class_errors(logits, targets, targets.mean(0), error)
    for j in range(CLASSES):
        total = 0.0
        for p, f in zip(targets, logits, strict=True):
            loss = float(f.argmax() != j) if error == "zero_one" else -float(f.log_softmax(0)[j])
            total += float(p[j]) * loss
        assert found[j].item() == pytest.approx(total / float(targets[:, j].sum()), abs=1e-5)


# --- where they enter the loss ---


def test_the_margin_loss_is_the_papers_equation_9():
    state = multipliers()
    state.log_multipliers = torch.tensor([0.1, 0.2, 0.3, 0.4]).log()
    cost = torch.tensor([0.1, 0.2, 0.3, 0.4]) / PRIOR
    logits = torch.randn(8, CLASSES, generator=torch.Generator().manual_seed(2))
    labels = torch.arange(8) % CLASSES
    ours = batch_loss(logits, labels, None, state.vectors(one_hot()))
    pairs = [
        sum(
            math.exp(math.log(cost[y] / cost[j]) - float(f[y] - f[j]))
            for j in range(CLASSES)
            if j != y
        )
        for f, y in zip(logits, labels.tolist(), strict=True)
    ]
    expected = sum(math.log1p(pair) for pair in pairs) / len(pairs)
    assert ours.item() == pytest.approx(expected, rel=1e-5)


def test_outer_weights_multiply_the_target():
    state = multipliers(placement="outer", alpha=0.0)
    weights = state.vectors(one_hot()).class_weight
    torch.testing.assert_close(weights, 1 / (CLASSES * PRIOR))
    assert (weights * PRIOR).sum().item() == pytest.approx(1)  # the mean weight is 1
    logits = torch.randn(8, CLASSES, generator=torch.Generator().manual_seed(2))
    labels = torch.arange(8) % CLASSES
    ours = soft_target_loss(logits, labels, class_weight=weights)
    by_torch = F.cross_entropy(logits, labels, weight=weights, reduction="sum") / 8
    torch.testing.assert_close(ours, by_torch)


def test_outer_weights_of_a_soft_target_are_equation_6():
    stream = torch.Generator().manual_seed(4)
    logits, scores = torch.randn(2, 8, CLASSES, generator=stream)
    probs, weight = scores.softmax(1), 1 / (CLASSES * PRIOR)
    labels = torch.zeros(8, dtype=torch.long)
    ours = soft_target_loss(logits, labels, probs, mix=1.0, class_weight=weight)
    by_class = -(probs * logits.log_softmax(1)).mean(0) / PRIOR
    torch.testing.assert_close(ours, by_class.mean())


def test_the_plain_vectors_are_left_as_they_are():
    plain = LossVectors(torch.zeros(CLASSES), torch.arange(CLASSES).float())
    before = plain.log_cost.clone()
    state = multipliers()
    state.log_multipliers = torch.tensor([0.7, 0.1, 0.1, 0.1]).log()
    moved = state.vectors(plain)
    assert torch.equal(plain.log_cost, before)
    assert not torch.equal(moved.log_cost, before)
    logits = torch.randn(8, CLASSES)
    kept = logits.clone()
    batch_loss(logits, torch.arange(8) % CLASSES, None, moved)
    assert torch.equal(logits, kept)


# --- in training ---


def test_balanced_training_is_logit_adjustment():
    balanced = ClassMultipliers(MultiplierRule(alpha=0.0), PRIOR, held_out())
    first, _ = run(multipliers=balanced)
    second, _ = run(vectors=LossVectors(torch.zeros(CLASSES), -PRIOR.log()))
    for ours, adjusted in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(ours, adjusted, rtol=1e-3, atol=1e-4)
    assert len(balanced.state()["steps"]) == 0


def test_moves_come_when_they_are_due_and_follow_the_measured_errors():
    state = multipliers(update_every=3)
    _, outcome = run(multipliers=state)
    path = outcome.multipliers
    assert path["steps"].tolist() == list(range(3, 6 * 4 + 1, 3))
    log = torch.full((CLASSES,), 1 / CLASSES).log()
    for errors_then, log_then in zip(path["errors"], path["log_multipliers"], strict=True):
        log = exponentiated_gradient(log, errors_then, 0.5)
        torch.testing.assert_close(log, log_then)


def test_errors_are_measured_on_the_network_as_it_is_in_evaluation_mode():
    state = multipliers(update_every=24)  # the last step of the training
    model, outcome = run(multipliers=state)
    data = held_out()
    with torch.no_grad():
        scores = model.eval()(data.images.float() / 255 - 0.5)
    expected = class_errors(scores, data.targets, data.targets.mean(0))
    torch.testing.assert_close(outcome.multipliers["errors"][0], expected)


def test_a_step_of_zero_changes_no_bit_of_the_training_but_the_loss_shift():
    still = multipliers(step=0.0)
    shifted = still.vectors(one_hot())
    first, _ = run(multipliers=still)
    second, _ = run(vectors=shifted)
    assert same_state(first, second)


def test_group_dro_measures_the_training_batch():
    rule = MultiplierRule(
        placement="outer", measured_on="training", error="cross_entropy", update_every=1
    )
    state = ClassMultipliers(rule, PRIOR)
    _, outcome = run(multipliers=state)
    assert len(outcome.multipliers["steps"]) == 24
    assert (outcome.multipliers["errors"] > 0).all()


def test_draws_of_held_out_examples_are_functions_of_seed_and_step():
    first, second = multipliers(batch_size=10), multipliers(batch_size=10)
    assert torch.equal(first._rows(2, 40), second._rows(2, 40))
    assert not torch.equal(first._rows(2, 40), first._rows(4, 40))
    assert len(first._rows(2, 40).unique()) == 10


@pytest.mark.parametrize("batch_size", [None, 10])
def test_a_training_killed_between_moves_goes_on_to_the_same_bits(tmp_path, batch_size):
    class Killed(Exception):
        pass

    def kill(record):
        if record["epoch"] == 3:
            raise Killed

    def options():
        return {
            "multipliers": multipliers(update_every=5, batch_size=batch_size),
            "checkpoint": tmp_path / "c.safetensors",
            "checkpoint_every": 1,
        }

    whole, expected = run(multipliers=multipliers(update_every=5, batch_size=batch_size))
    with pytest.raises(Killed):
        run(on_epoch=kill, **options())
    resumed, outcome = run(**options())
    assert same_state(whole, resumed)
    for name, tensor in expected.multipliers.items():
        assert torch.equal(tensor, outcome.multipliers[name])


def test_a_checkpoint_of_other_multipliers_is_refused(tmp_path):
    path = tmp_path / "c.safetensors"
    run(multipliers=multipliers(), checkpoint=path, checkpoint_every=1)
    for other in (multipliers(step=0.4), None):
        with pytest.raises(CheckpointError, match="its multipliers is"):
            run(multipliers=other, checkpoint=path, checkpoint_every=1)


# --- what is refused ---


def test_held_out_examples_are_needed_and_must_fit():
    with pytest.raises(SettingError, match="held_out"):
        ClassMultipliers(MultiplierRule(), PRIOR)
    with pytest.raises(SettingError, match="expected"):
        ClassMultipliers(MultiplierRule(), torch.ones(3) / 3, held_out())
    with pytest.raises(SettingError, match="3 multipliers for 4 classes"):
        three = ClassMultipliers(MultiplierRule(measured_on="training"), torch.ones(3) / 3)
        run(multipliers=three)


@pytest.mark.parametrize(
    ("values", "named"),
    [({"alpha": 2}, "alpha = 2"), ({"step": -1}, "step = -1"), ({"update_every": 0}, "update_e")],
)
def test_a_rule_out_of_range_is_refused(values, named):
    with pytest.raises(SettingError, match=named):
        MultiplierRule.parse(**values)
