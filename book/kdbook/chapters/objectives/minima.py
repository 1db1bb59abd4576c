"""The objectives of a world with known class probabilities, minimised without Theorem 1.

An optimiser searches all logits. What it finds is then compared with "Robust distillation",
Theorem 1, of which it knows nothing.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.optimize import minimize, nnls
from scipy.special import softmax

from kdbook.chapters.objectives.known import World, class_risks
from kdbook.robust_families import Alpha
from kdlib.errors import SettingError


def minimise(world: World, alpha: Alpha) -> np.ndarray:
    """Logits ``[N, L]`` at the minimum of the objective itself, found without Theorem 1.

    The robust part is a maximum, which has kinks. So the bound t on all risks is one more variable:
    minimise mean + alpha t subject to risk_y <= t.

    Raises:
        SettingError: the optimiser stopped elsewhere than at a minimum.
    """
    classes = world.eta.shape[1]
    even = np.full(classes, 1 / classes)
    fixed, bound = (world.prior, 0.0) if alpha is None else ((1 - alpha) * even, alpha)
    start = np.append(np.zeros(world.eta.size), np.log(classes))
    found = minimize(
        lambda v: fixed @ _risks(world, v) + bound * v[-1],
        start,
        jac=lambda v: np.append(fixed @ _slopes(world, v), bound),
        constraints=[_below_bound(world)] if bound else [],
        method="SLSQP" if bound else "L-BFGS-B",
        options={"maxiter": 20_000, "ftol": 1e-15} | ({} if bound else {"gtol": 1e-9}),
    )
    _check_stationary(_slopes(world, found.x), fixed, bound, alpha)
    return found.x[:-1].reshape(world.eta.shape)


def constants(world: World, logits: np.ndarray) -> pd.DataFrame:
    """What Theorem 1 calls constants of the classes, read from a scorer.

    softmax_y / (eta_y / pi_y), divided by the same of class 0, at every input. Theorem 1 says that
    it depends on the class alone.

    Returns:
        One row per class: label, ``constant`` (geometric mean over the inputs; they sum to 1),
        ``spread`` (largest over smallest value over the inputs, minus 1: 0 where it is constant).
    """
    ratio = logits - np.log(world.eta / world.prior)
    ratio = ratio - ratio[:, :1]
    frame = {"constant": softmax(ratio.mean(0)), "spread": np.expm1(np.ptp(ratio, axis=0))}
    return pd.DataFrame(frame).rename_axis("label").reset_index()


def _check_stationary(
    slopes: np.ndarray, fixed: np.ndarray, bound: float, alpha: Alpha, tolerance: float = 1e-5
) -> None:
    """Some multipliers of the constraints must make the whole slope vanish (Karush, Kuhn, Tucker).

    The optimiser's own word is not enough: SLSQP also stops where rounding hides any descent.
    """
    rows = np.vstack([bound * slopes.T, np.ones(len(fixed))])
    multipliers, _ = nnls(rows, np.append(-(fixed @ slopes), 1.0))
    left = np.abs((fixed + bound * multipliers) @ slopes).max()
    if left > tolerance:
        raise SettingError(
            f"alpha = {alpha!r}: no minimum was found, a slope of {left:.1g} is left"
        )


def _below_bound(world: World) -> dict[str, object]:
    ones = np.ones((len(world.prior), 1))
    return {
        "type": "ineq",
        "fun": lambda v: v[-1] - _risks(world, v),
        "jac": lambda v: np.hstack([-_slopes(world, v), ones]),
    }


def _risks(world: World, variables: np.ndarray) -> np.ndarray:
    return class_risks(world, variables[:-1].reshape(world.eta.shape))


def _slopes(world: World, variables: np.ndarray) -> np.ndarray:
    """``[L, N * L]``: derivatives of each risk: P(x | y) (softmax_j - [j = y])."""
    q = softmax(variables[:-1].reshape(world.eta.shape), axis=1)
    residual = q[:, None, :] - np.eye(q.shape[1])  # [N, y, j]
    return (world.within[:, :, None] * residual).transpose(1, 0, 2).reshape(q.shape[1], -1)
