"""Theory of good teachers on problems that are known exactly ("Robust distillation", section 4).

Theorem 2 bounds how far the distilled robust risk is from the true one by the teacher's
calibration. Proposition 3 says what Algorithm 1 comes to when each step is solved exactly.
Theorem 4 adds up what the guarantee costs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kdlib.metrics import class_calibration_error, class_risks

Floats = NDArray[np.float64]

PLOTTED_PANDA = (0.529, 0.0503)
"""Peak and width of the panda's curve, read off the paper's Figure 2."""


@dataclass(frozen=True, eq=False)
class Problem:
    """A finite problem with known probabilities.

    Attributes:
        eta: true class probabilities ``[N, L]``.
        teacher: the teacher's ``[N, L]``.
        losses: a student's loss at each point for each label ``[N, L]``, from 0 to ``bound``.
        mass: of the points ``[N]``.
        bound: B of Theorem 2.
    """

    eta: Floats
    teacher: Floats
    losses: Floats
    mass: Floats
    bound: float = 1.0

    def gap(self) -> float:
        """Left side of Theorem 2 without its sampling: distilled minus true robust risk."""
        distilled = class_risks(self.teacher, self.losses, self.mass).max()
        return float(abs(distilled - class_risks(self.eta, self.losses, self.mass).max()))

    def bound_of_gap(self) -> float:
        """Right side without its estimation error: B times the largest calibration error."""
        errors = class_calibration_error(self.teacher, self.eta, self.mass)
        return float(self.bound * errors.max())


def random_problem(seed: int, points: int = 20, classes: int = 4) -> Problem:
    """A problem with a teacher and a student that know nothing of each other or of the truth."""
    random = np.random.default_rng(seed)
    eta, teacher = (random.dirichlet(np.full(classes, 0.7), points) for _ in range(2))
    losses = random.uniform(0, 1, (points, classes))
    return Problem(eta, teacher, losses, random.dirichlet(np.ones(points)))


def worst_ratio(problems: int, seed: int = 0) -> float:
    """The largest share of Theorem 2's bound that the gap takes up in random problems."""
    made = (random_problem(seed + number) for number in range(problems))
    return max(problem.gap() / problem.bound_of_gap() for problem in made)


def hardest_student(problem: Problem) -> Problem:
    """The same problem with the losses whose gap is the largest possible.

    All loss lies on the worst calibrated class, where the teacher's share of a point is above the
    true one. The two shares have the same mean, so the gap is half of Theorem 2's bound (our
    observation: half of the bound would do).
    """
    errors = class_calibration_error(problem.teacher, problem.eta, problem.mass)
    label = int(errors.argmax())
    teacher, eta = problem.teacher[:, label], problem.eta[:, label]
    above = teacher / (problem.mass @ teacher) > eta / (problem.mass @ eta)
    losses = np.zeros_like(problem.losses)
    losses[:, label] = problem.bound * above
    return replace(problem, losses=losses)


def cat_and_panda(shrink: float, stretch: float = 1.8, points: int = 81) -> pd.DataFrame:
    """The paper's Figure 2: a teacher that is calibrated up to scale and never says panda.

    Points are uniform on [0, 1]. The true curves are those that the figure shows. The teacher's are
    ``stretch`` times that of the cat and ``shrink`` times that of the panda.

    Returns:
        Columns: x, label (cat, panda, other), truth, teacher.
    """
    x = np.linspace(0, 1, points)
    peak, width = PLOTTED_PANDA
    cat = np.exp(-((x - 0.5) ** 2) / 2) / math.sqrt(2 * math.pi)
    panda = peak * np.exp(-((x - 0.5) ** 2) / (2 * width**2))
    truth = {"cat": cat, "panda": panda, "other": 1 - cat - panda}
    said = {"cat": stretch * cat, "panda": shrink * panda}
    said["other"] = 1 - said["cat"] - said["panda"]
    return _curves(x, truth, said)


def calibrated_for_all(points: int = 80) -> pd.DataFrame:
    """Figure 2 with the priors of its text, and a teacher without error for any class.

    The priors are 1/2, 1/4 and 1/4; the teacher's factors are 1.7, 0.5 and 0.1. Such factors exist
    only where the true curves are linearly dependent, so these are made to be (our construction).

    Returns:
        As ``cat_and_panda``.
    """
    x = (np.arange(points) + 0.5) / points
    wave = np.cos(2 * np.pi * x)
    truth = {"cat": (8 + wave) / 16, "panda": (1 - wave) / 4, "other": (4 + 3 * wave) / 16}
    factors = {"cat": 1.7, "panda": 0.5, "other": 0.1}
    return _curves(x, truth, {name: factors[name] * truth[name] for name in truth})


def recall_and_error(curves: pd.DataFrame) -> pd.DataFrame:
    """What a teacher's curves come to: one row per class with recall and calibration error.

    Recall is the share of the class's examples at points where the teacher ranks it highest.
    """
    truth, teacher = (curves.pivot(index="x", columns="label", values=v) for v in _BOTH)
    errors = class_calibration_error(teacher.to_numpy(), truth.to_numpy())
    chosen = teacher.columns[teacher.to_numpy().argmax(axis=1)]
    rows = [
        {
            "label": label,
            "recall": float(truth[label][chosen == label].sum() / truth[label].sum()),
            "error": float(error),
        }
        for label, error in zip(teacher.columns, errors, strict=True)
    ]
    return pd.DataFrame(rows)


_BOTH = ("truth", "teacher")


def _curves(x: Floats, truth: dict[str, Floats], teacher: dict[str, Floats]) -> pd.DataFrame:
    rows = [
        pd.DataFrame({"x": x, "label": name, "truth": truth[name], "teacher": teacher[name]})
        for name in truth
    ]
    return pd.concat(rows, ignore_index=True)


def exact_rounds(
    teacher: Floats, validation: Floats, step: float, rounds: int
) -> tuple[Floats, Floats]:
    """Algorithm 1 with its inner problem solved exactly (Lemma 1), and its average.

    Args:
        teacher: probabilities on the training points ``[N, L]``.
        validation: the teacher's probabilities on the points that measure the errors ``[M, L]``.
            The student answers there as Lemma 1 says, with the multipliers of the round.
        step: of exponentiated gradient.
        rounds: K.

    Returns:
        The averaged scorer on the training points ``[N, L]``, and bar-lambda of Proposition 3
        ``[L]``, the geometric mean of ``lambda / pi^t`` over the rounds.
    """
    share = teacher.mean(axis=0)
    log_lambda = np.zeros(teacher.shape[1])
    scores, weights = np.zeros_like(teacher), np.zeros(teacher.shape[1])
    for _ in range(rounds):
        log_lambda = log_lambda + step * _errors(validation, log_lambda - np.log(share))
        log_lambda -= np.log(np.exp(log_lambda).sum())
        weights += (log_lambda - np.log(share)) / rounds
        scores += (log_lambda - np.log(share) + np.log(teacher)) / rounds
    return scores, np.exp(weights)


def guarantee(
    classes: int, largest_inverse_share: float, bound: float, rounds: int, delta: float = 0.05
) -> dict[str, float]:
    """The terms of Theorem 4 that need no data.

    Args:
        classes: m.
        largest_inverse_share: Z, the largest 1 / pi^t_y.
        bound: B, the largest loss.
        rounds: K, moves of the multipliers.
        delta: the probability that the guarantee fails.

    Returns:
        ``step`` (gamma), ``optimisation`` (4 B Z sqrt(log m / K)), ``validation images`` (the least
        number, 8 Z log(2 m / delta)) and ``rounds for 0.1`` (K at which the optimisation term is
        0.1).
    """
    scale, spread = bound * largest_inverse_share, math.sqrt(math.log(classes) / rounds)
    return {
        "step": spread / (2 * scale),
        "optimisation": 4 * scale * spread,
        "validation images": 8 * largest_inverse_share * math.log(2 * classes / delta),
        "rounds for 0.1": math.log(classes) * (40 * scale) ** 2,
    }


def _errors(validation: Floats, shift: Floats) -> Floats:
    """Teacher-labelled 0-1 errors of the scorer ``log p + shift``."""
    chosen = (np.log(validation) + shift).argmax(axis=1)
    wrong = (np.arange(validation.shape[1]) != chosen[:, None]).astype(float)
    return np.asarray(class_risks(validation, wrong))
