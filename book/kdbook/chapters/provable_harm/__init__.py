"""When does distillation provably harm a group? Ridge regression on two groups of unequal size.

The closed forms are in ``ridge``. Here they are simulated: labels are drawn, teacher
and student are solved for, and their errors are averaged, with no use of the closed forms.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from kdbook.chapters.provable_harm import ridge
from kdbook.compare import verdict, with_intervals
from kdbook.settings import Alpha, FromText
from kdbook.settings import Settings as BaseSettings
from kdlib.metrics import FREE, holm, paired_p_value

QUESTION = "When does distillation provably harm a group?"
SCALE = FREE
"""What the values of ``table`` can be."""

GROUPS = ("majority", "minority")
MEASURES = ("bias squared", "variance", "excess risk")
KEYS = ["method", "group", "measure"]

_SEEDS = 50
_DIMENSIONS = 5

Size = Annotated[int, Field(ge=1, le=10_000), FromText]


class Settings(BaseSettings):
    """What the chapter lets a reader set; every profile is the same, ``seeds`` is 50 if not given.

    Attributes:
        n_majority: examples of the large group, 1 to 10,000.
        n_minority: examples of the small group, 1 to 10,000.
        ridge_lambda: lambda of teacher and student, 0.001 to 10,000.
        beta: noise-free label of both groups, 0.01 to 100.
        sigma: standard deviation of the label noise, 0 to 100.
        alpha: weight of the teacher in the student's target, 0 to 1.
        rounds: how often distillation is repeated, 1 to 50.
        cosine: of the angle between the groups' inputs, -0.99 to 0.99.
        draws: of the label noise a seed, 10 to 10,000.
    """

    n_majority: Size = 500
    n_minority: Size = 5
    ridge_lambda: Annotated[float, Field(ge=1e-3, le=1e4), FromText] = 1.0
    beta: Annotated[float, Field(ge=0.01, le=100), FromText] = 1.0
    sigma: Annotated[float, Field(ge=0, le=100), FromText] = 0.5
    alpha: Alpha = 1.0
    rounds: Annotated[int, Field(ge=1, le=50), FromText] = 1
    cosine: Annotated[float, Field(ge=-0.99, le=0.99), FromText] = 0.0
    draws: Annotated[int, Field(ge=10, le=10_000), FromText] = 200

    @property
    def sizes(self) -> tuple[int, int]:
        """Examples of the majority and of the minority."""
        return self.n_majority, self.n_minority


def table(settings: Settings) -> pd.DataFrame:
    """The simulation: one row a seed, method, group and measure.

    Columns: method, group, measure, seed, value. ``distilled − one-hot`` is paired: both students
    of a seed learn from the same labels. The value of one seed is unbiased for each measure.
    """
    pieces = [_one_seed(settings, seed) for seed in range(settings.seeds or _SEEDS)]
    return pd.concat(pieces, ignore_index=True)


def closed_form(settings: Settings) -> pd.DataFrame:
    """The same measures from the formulas: columns method, group, measure, value."""
    by_rounds = {rounds: _exact(settings, rounds) for rounds in (0, settings.rounds)}
    return _rows(np.array(by_rounds[0]), np.array(by_rounds[settings.rounds]))


def beside(settings: Settings, simulated: pd.DataFrame) -> pd.DataFrame:
    """The closed form beside the simulation, one row a method, group and measure.

    Columns: method, group, measure, ``formula``, mean, low, high (95 % over seeds), seeds, ``p``:
    of the test that the simulation's mean is the formula's value, Holm-adjusted over all rows.
    """
    means = with_intervals(simulated, "value", KEYS, SCALE)
    both = means.merge(closed_form(settings).rename(columns={"value": "formula"}), on=KEYS)
    groups = simulated.groupby(KEYS, sort=False)["value"]
    gaps = [
        groups.get_group((row.method, row.group, row.measure)).to_numpy() - row.formula
        for row in both.itertuples()
    ]
    tiny = 1e-12 * settings.beta**2  # without noise both are one number, up to rounding
    p_values = [1.0 if np.allclose(gap, 0, atol=tiny) else paired_p_value(gap) for gap in gaps]
    return both.assign(p=holm(p_values))


def agreement(both: pd.DataFrame) -> str:
    """In a sentence, whether the simulation agrees with the formulas; ``both`` is of ``beside``."""
    count = int(both["seeds"].max())
    if both["p"].isna().any():
        return f"With so few seeds ({count}) the simulation has no intervals to compare with."
    least = both["p"].min()
    agrees = "agrees with" if least > 0.05 else "disagrees with"
    return (
        f"The simulation {agrees} the formulas: of {len(both)} comparisons the smallest p-value is "
        f"{least:.2g} after Holm's correction ({count} seeds)."
    )


def who_is_harmed(both: pd.DataFrame) -> list[str]:
    """A sentence a group: what the simulation says of the paired difference in excess risk."""
    verbs = {"up": "is harmed", "down": "gains", "undecided": "neither clearly gains nor loses"}
    paired = both[(both["method"] == "distilled − one-hot") & (both["measure"] == "excess risk")]
    spans = [
        "no interval" if np.isnan(low) else f"{low:+.2g} to {high:+.2g}"
        for low, high in zip(paired["low"], paired["high"], strict=True)
    ]
    return [
        f"The {row['group']} {verbs[verdict(row)]}: its excess risk changes by "
        f"{row['mean']:+.2g} ({span})."
        for (_, row), span in zip(paired.iterrows(), spans, strict=True)
    ]


def by_cosine(settings: Settings, cosines: np.ndarray) -> pd.DataFrame:
    """What distillation adds to each group's excess risk at other angles, from matrix algebra.

    Columns: cosine, group, added, one_hot (excess risk of the one-hot student).
    """
    worlds = [settings.model_copy(update={"cosine": float(c)}) for c in cosines]
    rows = [
        {"cosine": world.cosine, "group": group, "added": new - old, "one_hot": old}
        for world in worlds
        for group, old, new in zip(
            GROUPS, _exact(world, 0).excess, _exact(world, settings.rounds).excess, strict=True
        )
    ]
    return pd.DataFrame(rows)


def best_lambda(settings: Settings, *, rounds: int) -> float:
    """The lambda of the least excess risk averaged over the examples, on a fine grid.

    Orthogonal groups; ``rounds`` 0 is for the one-hot student. The grid has 1 % steps from 1e-4 to
    1e5, and where the best lies outside, its end is returned.
    """
    grid, sizes = np.geomspace(1e-4, 1e5, 2083), np.array(settings.sizes)
    risks = ridge.group_risk(
        sizes[:, None], grid, settings.beta, settings.sigma, alpha=settings.alpha, rounds=rounds
    )
    return float(grid[np.average(risks.excess, axis=0, weights=sizes).argmin()])


def fit(inputs: np.ndarray, targets: np.ndarray, ridge_lambda: float) -> np.ndarray:
    """Ridge regression without an intercept: ``[p, draws]`` from ``[n, p]`` and ``[n, draws]``."""
    gram = inputs.T @ inputs + ridge_lambda * np.eye(inputs.shape[1])
    return np.linalg.solve(gram, inputs.T @ targets)


def distil(
    inputs: np.ndarray, labels: np.ndarray, ridge_lambda: float, *, alpha: float, rounds: int
) -> np.ndarray:
    """The student after ``rounds`` of distillation on the training inputs, as ``fit`` gives it."""
    student = fit(inputs, labels, ridge_lambda)
    for _ in range(rounds):
        targets = (1 - alpha) * labels + alpha * inputs @ student
        student = fit(inputs, targets, ridge_lambda)
    return student


def directions(cosine: float, rng: np.random.Generator) -> np.ndarray:
    """Two unit vectors ``[2, 5]`` with this cosine, turned at random."""
    basis = np.linalg.qr(rng.normal(size=(_DIMENSIONS, _DIMENSIONS)))[0][:2]
    return np.array([basis[0], cosine * basis[0] + np.sqrt(1 - cosine**2) * basis[1]])


def _one_seed(settings: Settings, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    units = directions(settings.cosine, rng)
    inputs = np.repeat(units, settings.sizes, axis=0)
    noise = settings.sigma * rng.normal(size=(len(inputs), settings.draws))
    labels, alpha = settings.beta + noise, settings.alpha
    students = [
        distil(inputs, labels, settings.ridge_lambda, alpha=alpha, rounds=rounds)
        for rounds in (0, settings.rounds)
    ]
    return _rows(*(_measured(units @ student - settings.beta) for student in students), seed=seed)


def _measured(errors: np.ndarray) -> np.ndarray:
    """Unbiased estimates ``[3, 2]`` of the measures from errors ``[2, draws]``."""
    variance = errors.var(axis=1, ddof=1)
    bias_squared = np.square(errors.mean(axis=1)) - variance / errors.shape[1]
    return np.array([bias_squared, variance, np.square(errors).mean(axis=1)])


def _rows(one_hot: np.ndarray, distilled: np.ndarray, **more: int) -> pd.DataFrame:
    """Tidy rows from measures ``[3, 2]`` of both students."""
    methods = {"one-hot": one_hot, "distilled": distilled}
    methods["distilled − one-hot"] = distilled - one_hot
    rows = [
        {"method": method, "group": group, "measure": measure, **more, "value": float(value)}
        for method, values in methods.items()
        for measure, by_group in zip(MEASURES, values, strict=True)
        for group, value in zip(GROUPS, by_group, strict=True)
    ]
    return pd.DataFrame(rows)


def _exact(settings: Settings, rounds: int) -> ridge.Risk:
    """Risks ``[2]`` of the groups: each on its own direction, or by matrix algebra."""
    world = settings.ridge_lambda, settings.beta, settings.sigma
    if settings.cosine == 0:
        sizes = np.array(settings.sizes)
        return ridge.group_risk(sizes, *world, alpha=settings.alpha, rounds=rounds)
    c = settings.cosine
    units = np.array([[1, 0], [c, np.sqrt(1 - c**2)]])
    betas = np.full(2, settings.beta)
    ridge_lambda, _, sigma = world
    return ridge.risk_of_groups(
        settings.sizes, units, betas, ridge_lambda, sigma, alpha=settings.alpha, rounds=rounds
    )
