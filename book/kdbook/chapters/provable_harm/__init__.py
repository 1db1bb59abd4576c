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
from kdbook.study import Computed
from kdlib.metrics import FREE, holm, paired_p_value

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
        draws: of the label noise per seed, 10 to 10,000.
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
    """A sentence per group: what the simulation says of the paired difference in excess risk."""
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


class ProvableHarm(Computed[Settings]):
    """Its table, and what the chapter makes of it."""

    question = "When does distillation provably harm a group?"
    scale = FREE
    Settings = Settings

    def compute(self) -> pd.DataFrame:
        """The simulation: one row per seed, method, group and measure.

        Columns: method, group, measure, seed, value. ``distilled − one-hot`` is paired: both
        students of a seed learn from the same labels. The value of one seed is unbiased for each
        measure.
        """
        pieces = [self._one_seed(seed) for seed in range(self.settings.seeds or _SEEDS)]
        return pd.concat(pieces, ignore_index=True)

    def closed_form(self) -> pd.DataFrame:
        """The same measures from the formulas: columns method, group, measure, value."""
        by_rounds = {rounds: self._exact(rounds) for rounds in (0, self.settings.rounds)}
        return _rows(np.array(by_rounds[0]), np.array(by_rounds[self.settings.rounds]))

    def beside(self, simulated: pd.DataFrame) -> pd.DataFrame:
        """The closed form beside the simulation, one row per method, group and measure.

        Columns: method, group, measure, ``formula``, mean, low, high (95 % over seeds), seeds,
        ``p``: of the test that the simulation's mean is the formula's value, Holm-adjusted over
        all rows.
        """
        means = with_intervals(simulated, "value", KEYS, self.scale)
        both = means.merge(self.closed_form().rename(columns={"value": "formula"}), on=KEYS)
        groups = simulated.groupby(KEYS, sort=False)["value"]
        gaps = [
            groups.get_group((row.method, row.group, row.measure)).to_numpy() - row.formula
            for row in both.itertuples()
        ]
        tiny = 1e-12 * self.settings.beta**2  # without noise both are one number, up to rounding
        p_values = [1.0 if np.allclose(gap, 0, atol=tiny) else paired_p_value(gap) for gap in gaps]
        return both.assign(p=holm(p_values))

    def by_cosine(self, cosines: np.ndarray) -> pd.DataFrame:
        """What distillation adds to each group's excess risk at other angles, from matrix algebra.

        Columns: cosine, group, added, one_hot (excess risk of the one-hot student).
        """
        worlds = [self.settings.model_copy(update={"cosine": float(c)}) for c in cosines]
        rows = [
            {"cosine": world.cosine, "group": group, "added": new - old, "one_hot": old}
            for world in worlds
            for group, old, new in zip(
                GROUPS,
                type(self)(world)._exact(0).excess,
                type(self)(world)._exact(self.settings.rounds).excess,
                strict=True,
            )
        ]
        return pd.DataFrame(rows)

    def risks(self, ridge_lambda: float, *, rounds: int) -> ridge.Risk:
        """Of the groups ``[2]``, orthogonal, at another lambda and after so many rounds."""
        sizes, own = np.array(self.settings.sizes), self.settings
        return ridge.group_risk(
            sizes, ridge_lambda, own.beta, own.sigma, alpha=own.alpha, rounds=rounds
        )

    def best_lambda(self, *, rounds: int) -> float:
        """The lambda of the least excess risk averaged over the examples, on a fine grid.

        Orthogonal groups; ``rounds`` 0 is for the one-hot student. The grid has 1 % steps from
        1e-4 to 1e5, and where the best lies outside, its end is returned.
        """
        grid, sizes = np.geomspace(1e-4, 1e5, 2083), np.array(self.settings.sizes)
        risks = ridge.group_risk(
            sizes[:, None],
            grid,
            self.settings.beta,
            self.settings.sigma,
            alpha=self.settings.alpha,
            rounds=rounds,
        )
        return float(grid[np.average(risks.excess, axis=0, weights=sizes).argmin()])

    def _one_seed(self, seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        units = directions(self.settings.cosine, rng)
        inputs = np.repeat(units, self.settings.sizes, axis=0)
        noise = self.settings.sigma * rng.normal(size=(len(inputs), self.settings.draws))
        labels, alpha = self.settings.beta + noise, self.settings.alpha
        students = [
            distil(inputs, labels, self.settings.ridge_lambda, alpha=alpha, rounds=rounds)
            for rounds in (0, self.settings.rounds)
        ]
        return _rows(
            *(_measured(units @ student - self.settings.beta) for student in students), seed=seed
        )

    def _exact(self, rounds: int) -> ridge.Risk:
        """Risks ``[2]`` of the groups: each on its own direction, or by matrix algebra."""
        world = self.settings.ridge_lambda, self.settings.beta, self.settings.sigma
        if self.settings.cosine == 0:
            sizes = np.array(self.settings.sizes)
            return ridge.group_risk(sizes, *world, alpha=self.settings.alpha, rounds=rounds)
        c = self.settings.cosine
        units = np.array([[1, 0], [c, np.sqrt(1 - c**2)]])
        betas = np.full(2, self.settings.beta)
        ridge_lambda, _, sigma = world
        return ridge.risk_of_groups(
            self.settings.sizes,
            units,
            betas,
            ridge_lambda,
            sigma,
            alpha=self.settings.alpha,
            rounds=rounds,
        )
