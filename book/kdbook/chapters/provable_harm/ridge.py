"""Closed forms of ridge self-distillation, direction by direction. The book's own derivation.

The setting: y = X theta + noise of standard deviation sigma. Student and teacher are ridge
regressions with the same lambda on the same inputs. The one-hot student learns the labels y. A
student of round k learns (1 - alpha) y + alpha f, where f are the predictions of round k - 1 on the
training inputs, and round 0 is the one-hot student.

Along an eigenvector of X'X with eigenvalue d, every student is the least-squares fit times a
*shrinkage* between 0 and 1: s = d / (d + lambda) for the one-hot student. A group of n examples
that all are one unit vector, orthogonal to those of other groups, has d = n. Its *excess risk* is
E[(f(u) - beta)^2], where beta is the noise-free label of its input u.

All functions broadcast over arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Risk(NamedTuple):
    """Excess risk of a group and the two parts that it is the sum of."""

    bias_squared: Floats
    variance: Floats
    excess: Floats


def shrinkage(d: Any, ridge_lambda: Any, *, alpha: Any = 1.0, rounds: int = 1) -> Floats:
    """What a student keeps of the least-squares fit along a direction.

    phi_0 = s and phi_k = s ((1 - alpha) + alpha phi_{k-1}); with alpha = 1 this is s^(k+1).

    Args:
        d: eigenvalue of X'X, above 0; for a group on its own direction its size n.
        ridge_lambda: lambda, above 0.
        alpha: weight of the teacher in the target, 0 to 1.
        rounds: k, how often distillation is repeated; 0 is the one-hot student.
    """
    s, _ = _kept_and_cut(d, ridge_lambda)
    return s - lost(d, ridge_lambda, alpha=alpha, rounds=rounds)


def lost(d: Any, ridge_lambda: Any, *, alpha: Any = 1.0, rounds: int = 1) -> Floats:
    """What distillation takes from the shrinkage s of the one-hot student: s - phi_k.

    It is alpha s (1 - s) (1 + alpha s + ... + (alpha s)^(k-1)), so never below 0. Arguments are
    those of ``shrinkage``.
    """
    s, rest = _kept_and_cut(d, ridge_lambda)
    powers = [np.power(alpha * s, j) for j in range(rounds)]
    return np.asarray(alpha * s * rest * np.sum(powers, axis=0) if powers else 0 * s)


def optimal_lambda(beta: Any, sigma: Any) -> Floats:
    """lambda* = sigma^2 / beta^2: it gives a one-hot student the least excess risk at any size."""
    return np.square(sigma) / np.square(beta)


def group_risk(
    n: Any, ridge_lambda: Any, beta: Any, sigma: Any, *, alpha: Any = 1.0, rounds: int = 1
) -> Risk:
    """Bias^2 (1 - phi)^2 beta^2, variance sigma^2 phi^2 / n, and their sum, of a group.

    Args:
        n: examples of the group, all the same unit vector.
        ridge_lambda: lambda, above 0.
        beta: noise-free label of the group, not 0.
        sigma: standard deviation of the label noise, 0 or more.
        alpha: weight of the teacher in the target, 0 to 1.
        rounds: of distillation; 0 is the one-hot student.
    """
    phi = shrinkage(n, ridge_lambda, alpha=alpha, rounds=rounds)
    bias_squared = np.asarray(np.square((1 - phi) * beta))
    variance = np.asarray(np.square(sigma * phi) / n)
    return Risk(bias_squared, variance, bias_squared + variance)


def added_risk(
    n: Any, ridge_lambda: Any, beta: Any, sigma: Any, *, alpha: Any = 1.0, rounds: int = 1
) -> Floats:
    """Excess risk of the distilled student minus the one-hot student's.

    (s - phi) [beta^2 (2 - s - phi) - (sigma^2 / n) (s + phi)], which loses no digits to
    cancellation. Arguments are those of ``group_risk``.
    """
    s, rest = _kept_and_cut(n, ridge_lambda)
    gap = lost(n, ridge_lambda, alpha=alpha, rounds=rounds)
    bias, noise = 2 * rest + gap, 2 * s - gap
    return np.asarray(gap * (np.square(beta) * bias - np.square(sigma) / n * noise))


def harms(
    n: Any, ridge_lambda: Any, beta: Any, sigma: Any, *, alpha: Any = 1.0, rounds: int = 1
) -> NDArray[np.bool_]:
    """Whether distillation raises the group's excess risk.

    It does where the mean of both shrinkages lies below the best one, n / (n + lambda*). Arguments
    are those of ``group_risk``, with alpha above 0 and rounds 1 or more.
    """
    s = shrinkage(n, ridge_lambda, rounds=0)
    middle = s - lost(n, ridge_lambda, alpha=alpha, rounds=rounds) / 2
    return np.asarray(middle < n / (n + optimal_lambda(beta, sigma)))


def risk_of_groups(
    sizes: Sequence[int],
    directions: Any,
    betas: Any,
    ridge_lambda: float,
    sigma: float,
    *,
    alpha: float = 1.0,
    rounds: int = 1,
) -> Risk:
    """Exact risks ``[G]`` of groups on any unit vectors, orthogonal or not, by matrix algebra.

    The fit of the least norm has the noise-free labels, so what the inputs do not span is left out.

    Args:
        sizes: examples of each group ``[G]``.
        directions: linearly independent unit vectors ``[G, p]``, one per group.
        betas: noise-free labels ``[G]``.
        ridge_lambda: lambda, above 0.
        sigma: standard deviation of the label noise.
        alpha: weight of the teacher in the target, 0 to 1.
        rounds: of distillation; 0 is the one-hot student.
    """
    u, truth = np.asarray(directions, float), np.asarray(betas, float)
    gram = u.T @ (np.asarray(sizes, float)[:, None] * u)
    ridge = np.linalg.solve(gram + ridge_lambda * np.eye(len(gram)), gram)
    phi = ridge
    for _ in range(rounds):
        phi = ridge @ ((1 - alpha) * np.eye(len(gram)) + alpha * phi)
    bias_squared = np.square(u @ phi @ np.linalg.pinv(u) @ truth - truth)
    spread = phi @ np.linalg.pinv(gram, rcond=1e-12, hermitian=True) @ phi.T
    variance = sigma**2 * np.einsum("gi,ij,gj->g", u, spread, u)
    return Risk(bias_squared, variance, bias_squared + variance)


def _kept_and_cut(d: Any, ridge_lambda: Any) -> tuple[Floats, Floats]:
    """The shrinkage s and 1 - s; the second is exact where the first rounds to 1."""
    total = np.add(d, ridge_lambda)
    return np.asarray(d / total), np.asarray(ridge_lambda / total)
