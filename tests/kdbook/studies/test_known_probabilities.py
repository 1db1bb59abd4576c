"""Theorem 1 and Lemma 1 of "Robust distillation" on worlds whose class probabilities are known."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kdbook.chapters.objectives import known, minima
from kdlib.errors import SettingError
from kdlib.losses import soft_target_loss

ALPHAS = [None, 0.0, 0.3, 1.0]
seeds = st.integers(0, 2**32 - 1)
few = settings(max_examples=15, deadline=None)


def random_world(seed, points=6, classes=3):
    rng = np.random.default_rng(seed)
    eta = rng.dirichlet(np.full(classes, 2.0), points) + 0.02
    mass = rng.dirichlet(np.full(points, 3.0)) + 0.02
    return known.World(mass / mass.sum(), eta / eta.sum(1, keepdims=True))


def weights_of(world, alpha):
    if alpha is None:
        return world.prior
    return known.traded_off(known.saddle_multipliers(world, alpha), alpha)


def test_the_world_of_the_chapter():
    world = known.three_bumps(41)
    np.testing.assert_allclose(world.prior, [0.7, 0.25, 0.05])
    np.testing.assert_allclose(world.within.sum(0), 1)


@pytest.mark.parametrize("points", [2, 1002])
def test_a_grid_out_of_range_is_refused(points):
    with pytest.raises(SettingError, match=f"points = {points} is not allowed"):
        known.three_bumps(points)


@pytest.mark.parametrize(
    ("mass", "eta"),
    [
        ([0.5, 0.5], [[0.5, 0.5]]),
        ([0.5, 0.6], [[0.5, 0.5], [0.5, 0.5]]),
        ([0.5, 0.5], [[1.0, 0.0], [0.5, 0.5]]),
    ],
)
def test_what_is_no_probability_is_refused(mass, eta):
    with pytest.raises(SettingError):
        known.World(np.array(mass), np.array(eta))


def test_objectives_by_hand():
    """Two inputs, two classes, a scorer that knows nothing at one of them."""
    world = known.World(np.array([0.5, 0.5]), np.array([[0.8, 0.2], [0.4, 0.6]]))
    logits = np.log([[0.75, 0.25], [0.5, 0.5]])
    first = (0.4 * np.log(4 / 3) + 0.2 * np.log(2)) / 0.6
    second = (0.1 * np.log(4) + 0.3 * np.log(2)) / 0.4
    np.testing.assert_allclose(known.class_risks(world, logits), [first, second])
    expected = {None: 0.6 * first + 0.4 * second, 0.0: (first + second) / 2, 1.0: second}
    for alpha, value in expected.items():
        assert known.objective(world, logits, alpha) == pytest.approx(value)
    between = 0.7 * expected[0.0] + 0.3 * expected[1.0]
    assert known.objective(world, logits, 0.3) == pytest.approx(between)
    np.testing.assert_allclose(known.class_error(world, logits - [[0, 0], [0, 0.1]]), [0, 1])


def test_risks_are_those_of_sampled_examples():
    world, logits = random_world(3), np.random.default_rng(4).normal(size=(6, 3))
    rng = np.random.default_rng(5)
    x = rng.choice(6, 200_000, p=world.mass)
    y = (rng.random((len(x), 1)) > world.eta[x].cumsum(1)).sum(1).clip(max=2)
    losses = soft_target_loss(torch.tensor(logits[x]), torch.tensor(y), reduction="none").numpy()
    means = [losses[y == label].mean() for label in range(3)]
    np.testing.assert_allclose(known.class_risks(world, logits), means, atol=0.02)


@few
@given(seed=seeds, alpha=st.sampled_from(ALPHAS), classes=st.integers(2, 4))
def test_theorem_1(seed, alpha, classes):
    """The minimum that an optimiser finds, which knows nothing of the theorem, has its form."""
    world = random_world(seed, classes=classes)
    found = minima.minimise(world, alpha)
    constants = minima.constants(world, found)
    assert constants["spread"].max() < 2e-3
    weights = weights_of(world, alpha)
    np.testing.assert_allclose(constants["constant"], weights / weights.sum(), atol=1e-3)
    best = np.log(known.optimum(world, weights))
    lowest = known.objective(world, best, alpha)
    assert known.objective(world, found, alpha) == pytest.approx(lowest, abs=1e-6)


def test_another_scorer_has_no_constants():
    """The check of Theorem 1 can fail."""
    world = known.three_bumps(11)
    other = np.log(known.optimum(world, world.prior)) + np.eye(11, 3)
    assert minima.constants(world, other)["spread"].max() > 1


def test_an_unfinished_search_is_refused(monkeypatch):
    halted = lambda *a, **k: type("Found", (), {"x": a[1]})  # noqa: E731
    monkeypatch.setattr(minima, "minimize", halted)
    with pytest.raises(SettingError, match="no minimum was found"):
        minima.minimise(known.three_bumps(11), 1.0)


@few
@given(seed=seeds, alpha=st.sampled_from(ALPHAS))
def test_no_neighbour_of_the_optimum_is_better(seed, alpha):
    world, rng = random_world(seed), np.random.default_rng(seed)
    best = np.log(known.optimum(world, weights_of(world, alpha)))
    lowest = known.objective(world, best, alpha)
    for size in (1e-3, 0.1, 1.0):
        other = best + size * rng.normal(size=best.shape)
        assert known.objective(world, other, alpha) >= lowest - 1e-9


@few
@given(seed=seeds)
def test_at_the_robust_optimum_only_the_worst_classes_have_weight(seed):
    """Complementary slackness: a class with a multiplier has the largest risk."""
    world = random_world(seed)
    multipliers = known.saddle_multipliers(world, 1.0)
    risks = known.class_risks(world, np.log(known.optimum(world, multipliers)))
    assert multipliers.sum() == pytest.approx(1)
    np.testing.assert_allclose(multipliers * (risks.max() - risks), 0, atol=1e-4)


@few
@given(seed=seeds)
def test_a_step_of_one_never_lowers_the_lower_bound(seed):
    """min_f sum_y lambda_y risk_y is below the robust optimum and rises with every move."""
    world, bounds = random_world(seed), []
    for moves in range(1, 30):
        multipliers = known.saddle_multipliers(world, 1.0, moves=moves)
        best = np.log(known.optimum(world, multipliers))
        bounds.append(multipliers @ known.class_risks(world, best))
    assert (np.diff(bounds) >= -1e-12).all()


def test_from_some_trade_off_on_nothing_changes():
    """Where (lambda - (1 - alpha)/m) / alpha is a distribution, the optimum is the robust one."""
    world = known.three_bumps(41)
    robust = known.saddle_multipliers(world, 1.0)
    edge = known.exact_from(robust)
    for alpha in (edge + 0.02, (1 + edge) / 2):
        weights = known.traded_off(known.saddle_multipliers(world, alpha), alpha)
        np.testing.assert_allclose(weights, robust, atol=1e-5)
    below = known.traded_off(known.saddle_multipliers(world, edge - 0.1), edge - 0.1)
    assert np.abs(below - robust).max() > 0.01


def test_frames_by_trade_off():
    world = known.three_bumps(11)
    curves, classes = known.by_alpha(world, np.array([0.0, 1.0]))
    assert len(curves) == 2 * 11 * 3 and len(classes) == 2 * 3
    np.testing.assert_allclose(curves.groupby(["alpha", "input"])["probability"].sum(), 1)
    assert (curves.groupby(["alpha", "input"])["chosen"].sum() == 1).all()
    balanced = classes[classes["alpha"] == 0]
    np.testing.assert_allclose(balanced["weight"], 1 / 3)
    robust = classes[classes["alpha"] == 1]
    np.testing.assert_allclose(robust["risk"], robust["risk"].max(), atol=1e-6)


def gradient(loss, logits):
    moved = logits.clone().requires_grad_()
    loss(moved).backward()
    return moved.grad


@given(seed=seeds, classes=st.integers(2, 6))
@settings(max_examples=40, deadline=None)
def test_lemma_1(seed, classes):
    """log(c p) + C minimises the margin surrogate, and the outer loss for any example weights."""
    random = torch.Generator().manual_seed(seed)
    probs = torch.rand(5, classes, generator=random, dtype=torch.float64).softmax(1)
    cost = torch.rand(classes, generator=random, dtype=torch.float64) * 5 + 0.1
    weight = torch.rand(5, generator=random, dtype=torch.float64) * 3
    shift = torch.randn(5, 1, generator=random, dtype=torch.float64)
    labels = torch.zeros(5, dtype=torch.int64)
    best = (cost * probs).log() + shift
    losses = {
        "margin": lambda f: soft_target_loss(f, labels, probs, mix=1.0, log_cost=cost.log()),
        "outer": lambda f: soft_target_loss(
            f, labels, probs, mix=1.0, class_weight=cost, weight=weight
        ),
    }
    for loss in losses.values():
        assert gradient(loss, best).abs().max() < 1e-12
        other = best + torch.randn(5, classes, generator=random, dtype=torch.float64)
        assert loss(other) >= loss(best)  # convex: where the slope is 0, it is lowest
