"""A small world whose class probabilities are known: the objectives exactly, with no sampling.

"Robust distillation", equations 1 to 4 and Theorem 1. A scorer is a table of logits, one row for
each of finitely many inputs, so that every objective is a convex function of so many numbers. An
objective is named by alpha as in ``kdbook.robust_families``: None is standard, 0 balanced,
1 robust, and between is traded off.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.special import log_softmax

from kdbook.robust_families import Alpha
from kdlib.errors import SettingError

_SETTLED = 1e-12


@dataclass(frozen=True, eq=False)
class World:
    """Inputs with their probability and their class probabilities.

    Attributes:
        mass: ``[N]``, P(x), above 0, summing to 1.
        eta: ``[N, L]``, P(y | x), above 0, rows summing to 1.

    Raises:
        SettingError: shapes do not fit, or a number is not a probability.
    """

    mass: np.ndarray
    eta: np.ndarray

    def __post_init__(self) -> None:
        if self.eta.ndim != 2 or self.mass.shape != self.eta.shape[:1]:
            raise SettingError(
                f"mass {self.mass.shape} and eta {self.eta.shape} are not allowed: [N] and [N, L]"
            )
        sums = np.append(self.eta.sum(1), self.mass.sum())
        if not (np.allclose(sums, 1) and (self.mass > 0).all() and (self.eta > 0).all()):
            raise SettingError("mass and the rows of eta are not allowed: above 0, with sum 1")

    @cached_property
    def prior(self) -> np.ndarray:
        """``[L]``, P(y)."""
        return self.mass @ self.eta

    @cached_property
    def within(self) -> np.ndarray:
        """``[N, L]``, P(x | y): columns sum to 1."""
        return self.mass[:, None] * self.eta / self.prior


def three_bumps(points: int = 41) -> World:
    """Three classes on [0, 1] with priors 0.70, 0.25, 0.05: a bump each, on a floor.

    Args:
        points: of the grid of inputs, 3 to 1001.

    Raises:
        SettingError: ``points`` is out of range.
    """
    if not 3 <= points <= 1001:
        raise SettingError(f"points = {points!r} is not allowed: from 3 to 1001")
    x, centres, widths = (
        inputs(points)[:, None],
        np.array([0.2, 0.6, 0.7]),
        np.array([0.1, 0.1, 0.2]),
    )
    within = 0.02 + np.exp(-(((x - centres) / widths) ** 2) / 2)
    joint = np.array([0.7, 0.25, 0.05]) * within / within.sum(0)
    return World(joint.sum(1), joint / joint.sum(1, keepdims=True))


def inputs(points: int) -> np.ndarray:
    """Where the inputs of ``three_bumps`` lie, ``[points]``."""
    return np.linspace(0, 1, points)


def class_risks(world: World, logits: np.ndarray) -> np.ndarray:
    """``[L]``: E[cross-entropy | Y = y] of a table of logits ``[N, L]``, in nats."""
    return -(world.within * log_softmax(logits, axis=1)).sum(0)


def class_error(world: World, scores: np.ndarray) -> np.ndarray:
    """``[L]``: P(argmax of the scores is not y | Y = y), from 0 to 1."""
    wrong = scores.argmax(1)[:, None] != np.arange(scores.shape[1])
    return (world.within * wrong).sum(0)


def objective(world: World, logits: np.ndarray, alpha: Alpha) -> float:
    """Equations 1 (alpha None), 2 (0), 3 (1) and 4 (between), with the cross-entropy, in nats."""
    risks = class_risks(world, logits)
    if alpha is None:
        return float(world.prior @ risks)
    return float((1 - alpha) * risks.mean() + alpha * risks.max())


def optimum(world: World, weights: np.ndarray) -> np.ndarray:
    """Theorem 1: softmax of the best scorer for sum_y weights_y * (risk of y), ``[N, L]``.

    Proportional to weights_y eta_y / pi_y. The standard objective has the priors as weights, the
    balanced one equal weights.
    """
    scaled = weights * world.eta / world.prior
    return scaled / scaled.sum(1, keepdims=True)


def traded_off(multipliers: np.ndarray, alpha: float) -> np.ndarray:
    """beta_y = (1 - alpha) / m + alpha lambda_y, ``[L]``."""
    return (1 - alpha) / len(multipliers) + alpha * multipliers


def saddle_multipliers(
    world: World, alpha: float, *, step: float = 1.0, moves: int = 2000
) -> np.ndarray:
    """Multipliers ``[L]`` at the saddle point, by exponentiated gradient (Algorithms 1 and 2).

    The inner minimum is ``optimum``: exact, where a network takes some steps of its optimiser. The
    errors are the cross-entropies of the whole world. At a step of at most 1 no move lowers
    min_f sum_y beta_y risk_y, whose negative is the entropy of beta minus a convex function.

    Args:
        world: the inputs.
        alpha: 0 to 1; at 0 nothing moves.
        step: of a move, above 0.
        moves: at most so many; it stops where no logarithm moves by 1e-12.
    """
    log_multipliers = np.full(len(world.prior), -np.log(len(world.prior)))
    for _ in range(moves):
        before = log_multipliers
        best = np.log(optimum(world, traded_off(np.exp(before), alpha)))
        moved = before + step * alpha * class_risks(world, best)
        log_multipliers = moved - np.logaddexp.reduce(moved)
        if np.abs(log_multipliers - before).max() < _SETTLED:
            break
    return np.exp(log_multipliers)


def exact_from(multipliers: np.ndarray) -> float:
    """The trade-off from which on the traded-off optimum is the robust one: 1 - m min lambda.

    From there on (lambda - (1 - alpha) / m) / alpha is a distribution too, and with it beta is the
    robust ``multipliers``. The book's own remark; the paper does not make it.
    """
    return float(1 - len(multipliers) * multipliers.min())


def by_alpha(world: World, alphas: np.ndarray) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The best scorer of each trade-off, and how it treats the classes.

    Returns:
        Two frames. One row per trade-off, input and class: alpha, input (its number), label,
        probability (of the best scorer), eta, chosen (whether the class is predicted there). And
        one row per trade-off and class: alpha, label, multiplier (lambda), weight (beta), risk
        (nats), error (percent), standard_risk, standard_error (of the standard objective's best
        scorer).
    """
    curves, classes = [], []
    for alpha in alphas:
        multipliers = saddle_multipliers(world, float(alpha))
        weights = traded_off(multipliers, float(alpha))
        best = optimum(world, weights)
        curves.append(_curve(world, best).assign(alpha=float(alpha)))
        columns = {
            "multiplier": multipliers, "weight": weights,
            "risk": class_risks(world, np.log(best)), "error": 100 * class_error(world, best),
            "standard_risk": class_risks(world, np.log(world.eta)),
            "standard_error": 100 * class_error(world, world.eta),
        }  # fmt: skip
        rows = pd.DataFrame(columns).rename_axis("label").reset_index()
        classes.append(rows.assign(alpha=float(alpha)))
    return pd.concat(curves, ignore_index=True), pd.concat(classes, ignore_index=True)


def _curve(world: World, best: np.ndarray) -> pd.DataFrame:
    points, labels = np.indices(best.shape)
    chosen = best.argmax(1)[:, None] == labels
    columns = {"input": points, "label": labels, "probability": best, "eta": world.eta}
    return pd.DataFrame({k: v.ravel() for k, v in (columns | {"chosen": chosen}).items()})
