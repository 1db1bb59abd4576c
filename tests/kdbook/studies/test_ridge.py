"""Closed forms of ridge distillation against matrix algebra, limits and each other."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.linear_model import Ridge

from kdbook.chapters.provable_harm import ridge

sizes = st.integers(1, 2000)
lambdas = st.floats(0.01, 100)
weights = st.floats(0.01, 1)
levels = st.floats(0.01, 30)
rounds = st.integers(1, 12)


def shrinkage_by_matrices(n, ridge_lambda, alpha, times):
    """Refit a ridge regression of scikit-learn on n equal unit vectors with the label 1."""
    inputs, labels = np.ones((n, 1)), np.ones(n)
    targets = labels
    for _ in range(times + 1):
        model = Ridge(ridge_lambda, fit_intercept=False).fit(inputs, targets)
        targets = (1 - alpha) * labels + alpha * model.predict(inputs)
    return model.coef_[0]


@given(st.integers(1, 30), lambdas, weights, st.integers(0, 5))
def test_shrinkage_is_that_of_repeated_fits(n, ridge_lambda, alpha, times):
    expected = shrinkage_by_matrices(n, ridge_lambda, alpha, times)
    ours = ridge.shrinkage(n, ridge_lambda, alpha=alpha, rounds=times)
    assert ours == pytest.approx(expected, rel=1e-9)


def test_numbers_of_the_notes():
    assert ridge.added_risk(500, 1, 1, 0) == pytest.approx(1e-5, rel=0.2)
    assert ridge.added_risk(5, 1, 1, 0) == pytest.approx(0.066, abs=5e-4)
    assert ridge.added_risk(5, 1, 1, 0) == pytest.approx(85 / 1296)


@given(sizes, lambdas, levels, levels, weights, rounds)
def test_added_risk_is_the_difference_of_risks(n, ridge_lambda, beta, sigma, alpha, times):
    old = ridge.group_risk(n, ridge_lambda, beta, sigma, rounds=0).excess
    new = ridge.group_risk(n, ridge_lambda, beta, sigma, alpha=alpha, rounds=times).excess
    added = ridge.added_risk(n, ridge_lambda, beta, sigma, alpha=alpha, rounds=times)
    assert added == pytest.approx(new - old, abs=1e-12 * (beta**2 + sigma**2 / n))


@given(sizes, lambdas, levels, levels, weights, rounds)
def test_harm_is_a_positive_added_risk(n, ridge_lambda, beta, sigma, alpha, times):
    world = (n, ridge_lambda, beta, sigma)
    added = ridge.added_risk(*world, alpha=alpha, rounds=times)
    gap = ridge.lost(n, ridge_lambda, alpha=alpha, rounds=times)
    assume(abs(added) > 1e-12 * gap * (beta**2 + sigma**2 / n))
    assert ridge.harms(*world, alpha=alpha, rounds=times) == (added > 0)


@given(sizes, lambdas, levels, levels)
def test_harm_of_one_full_round_is_the_condition_of_the_notes(n, ridge_lambda, beta, sigma):
    s = n / (n + ridge_lambda)
    left, right = beta**2 * n * (1 - s) * (2 + s), sigma**2 * s * (1 + s)
    assume(abs(left - right) > 1e-9 * right)
    assert ridge.harms(n, ridge_lambda, beta, sigma) == (left > right)


@given(sizes, levels, levels, lambdas)
def test_no_ridge_beats_lambda_star(n, beta, sigma, ridge_lambda):
    best = ridge.group_risk(n, ridge.optimal_lambda(beta, sigma), beta, sigma, rounds=0).excess
    plain = ridge.group_risk(n, ridge_lambda, beta, sigma, rounds=0).excess
    distilled = ridge.group_risk(n, ridge_lambda, beta, sigma).excess
    assert best <= min(plain, distilled) * (1 + 1e-12)


@given(sizes, lambdas, weights, rounds)
def test_without_noise_every_group_is_harmed(n, ridge_lambda, alpha, times):
    assert ridge.harms(n, ridge_lambda, 1, 0, alpha=alpha, rounds=times)
    assert ridge.added_risk(n, ridge_lambda, 1, 0, alpha=alpha, rounds=times) > 0


def test_the_largest_harm_without_noise_is_at_lambda_over_root_three():
    n = np.linspace(0.01, 30, 300_001)
    found = n[ridge.added_risk(n, 4.0, 1, 0).argmax()]
    assert found == pytest.approx(4 / np.sqrt(3), abs=2e-4)


@pytest.mark.parametrize("sigma", [0.0, 0.5, 3.0])
def test_harm_of_a_large_group_falls_with_its_square(sigma):
    n = 1e6
    limit = 2.0 * (3 * 2.0 - 2 * sigma**2)  # lambda (3 lambda beta^2 - 2 sigma^2), lambda = 2
    assert n**2 * ridge.added_risk(n, 2.0, 1, sigma) == pytest.approx(limit, rel=1e-4)


def test_a_vanishing_lambda_helps_where_there_is_noise_and_then_not_at_all():
    tiny = 1e-7
    assert ridge.added_risk(5, tiny, 1, 2) / tiny == pytest.approx(-2 * 4 / 25, rel=1e-5)


@given(st.integers(3, 12))
def test_after_many_rounds_the_order_of_the_groups_turns(times):
    """Large groups are harmed above 2 lambda* / (k + 2), small ones above lambda* / 2."""
    between = (2 / (times + 2) + 1 / 2) / 2
    assert ridge.harms(1e6, between, 1, 1, rounds=times)
    assert not ridge.harms(1e-6, between, 1, 1, rounds=times)


@given(st.lists(sizes, min_size=2, max_size=2), lambdas, levels, weights, st.integers(0, 4))
def test_matrix_algebra_gives_the_same_on_orthogonal_directions(two, lam, sigma, alpha, times):
    basis = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0][:2]
    matrices = ridge.risk_of_groups(two, basis, [1, 2], lam, sigma, alpha=alpha, rounds=times)
    closed = ridge.group_risk(
        np.array(two), lam, np.array([1, 2]), sigma, alpha=alpha, rounds=times
    )
    for ours, expected in zip(matrices, closed, strict=True):
        np.testing.assert_allclose(ours, expected, rtol=1e-7, atol=1e-12)


@given(st.floats(0.05, 0.95), sizes, sizes, lambdas)
def test_a_parameter_error_always_grows_without_noise(cosine, first, second, lam):
    """Along every eigenvector, whatever the angle; a group's own error need not."""
    units = np.array([[1, 0], [cosine, np.sqrt(1 - cosine**2)]])
    gram = units.T @ np.diag([first, second]) @ units
    truth = np.linalg.solve(units, [1.0, 1.0])
    s = np.linalg.solve(gram + lam * np.eye(2), gram)
    one_hot, distilled = s @ truth - truth, s @ s @ truth - truth
    assert np.linalg.norm(distilled) > np.linalg.norm(one_hot)
