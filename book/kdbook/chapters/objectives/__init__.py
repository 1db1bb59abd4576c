"""Do outer weights move a network that interpolates, and does the margin surrogate? Equation (9).

Each objective without a teacher, with its class weights outside the loss and inside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import pandas as pd
from pydantic import Field

from kdbook import tables
from kdbook.compare import paired_rows, with_holm
from kdbook.robust_families import RobustFamily
from kdbook.settings import FromText, RobustSettings
from kdbook.study import Study
from kdbook.tables import Member
from kdlib.runs import RobustCost, RunResult, RunSpec

Placement = Literal["outer", "margin"]
PLACEMENTS: tuple[Placement, ...] = ("outer", "margin")
STANDARD = "standard"
OBJECTIVES = {"balanced": 0.0, "robust": 1.0}
"""Objectives with class weights, and their alpha of equation (4)."""

_SEEDS_AT_QUICK = 5
_Factor = Annotated[float, Field(gt=0, le=100)]


class Settings(RobustSettings):
    """What the chapter lets a reader set; ``seeds`` is 5 at ``quick`` where it is not given.

    Attributes:
        lengths: other lengths of the training, as multiples of the profile's epochs, above 0 and at
            most 100; standard and balanced students are trained at each. By default a quarter and
            four times at ``quick``, and none elsewhere.
        length_seeds: for how many seeds, 1 to 1000, at most the study's.
    """

    lengths: Annotated[tuple[_Factor, ...] | None, FromText] = None
    length_seeds: Annotated[int, Field(ge=1, le=1000), FromText] = 4


def method(objective: str, placement: Placement) -> str:
    """As the column ``method`` names it, e.g. ``balanced, margin``."""
    return f"{objective}, {placement}"


def by_length(summary: pd.DataFrame, value: str) -> pd.DataFrame:
    """What each placement of balanced weights changes, at each length of the training.

    Args:
        summary: as ``per_seed`` gives it.
        value: the column to compare.

    Returns:
        One row per pair and length: comparison, epochs, mean, low, high (95 % t-interval of the
        difference within seeds, not corrected), seeds, p, ``p_holm`` (Holm's correction over all
        rows).
    """
    outer, margin = (method("balanced", placement) for placement in PLACEMENTS)
    return _compared(summary, value, [(outer, STANDARD), (margin, STANDARD), (margin, outer)])


def at_usual_length(summary: pd.DataFrame, value: str) -> pd.DataFrame:
    """As ``by_length``, for both objectives and at the profile's own length only."""
    pairs = [
        pair
        for objective in OBJECTIVES
        for outer, margin in [[method(objective, placement) for placement in PLACEMENTS]]
        for pair in ((outer, STANDARD), (margin, STANDARD), (margin, outer))
    ]
    return _compared(summary[summary["factor"] == 1], value, pairs)


def fading(summary: pd.DataFrame, value: str) -> pd.DataFrame:
    """How much of each effect is lost from the shortest training to the longest, within seeds.

    Returns:
        One row per placement: comparison, mean, low, high, seeds, p, p_holm: the difference to the
        standard student after the longest training minus that after the shortest. Empty where only
        one length was trained.
    """
    ends = summary["epochs"].min(), summary["epochs"].max()
    if ends[0] == ends[1]:
        return pd.DataFrame()
    pieces = [
        _change(summary, value, (method("balanced", placement), STANDARD), ends)
        for placement in PLACEMENTS
    ]
    return with_holm(pd.concat(pieces, ignore_index=True), ["comparison"])


def student(family: RobustFamily, alpha: float, placement: Placement) -> RunSpec:
    """A student without a teacher whose class weights stand outside or inside the loss."""
    spec = family.one_hot(alpha)
    cost = spec.objective.log_cost
    assert isinstance(cost, RobustCost)
    rule = cost.rule.model_copy(update={"placement": placement})
    values = dict(cost) | {"rule": rule}
    objective = spec.objective.model_copy(update={"log_cost": RobustCost.parse(**values)})
    return RunSpec.parse(**dict(spec) | {"objective": objective})


def with_length(spec: RunSpec, factor: float) -> RunSpec:
    """The same training, ``factor`` times as long; its schedule is stretched with it."""
    if factor == 1:
        return spec
    epochs = max(2, round(factor * spec.recipe.epochs))
    return RunSpec.parse(**dict(spec) | {"recipe": spec.recipe.with_epochs(epochs)})


def _family_members(family: RobustFamily, factor: float) -> list[Member]:
    """Robust students are trained at the profile's own length only."""
    specs = {STANDARD: family.one_hot()}
    for objective, alpha in OBJECTIVES.items():
        if alpha == 0 or factor == 1:
            for placement in PLACEMENTS:
                specs[method(objective, placement)] = student(family, alpha, placement)
    return [
        _member(family, name, with_length(spec, factor), factor) for name, spec in specs.items()
    ]


def _member(family: RobustFamily, name: str, spec: RunSpec, factor: float) -> Member:
    place = (("factor", factor), ("epochs", float(spec.recipe.epochs)))
    return Member(name, family.profile.imbalance, float("nan"), family.seed, spec, place)


def _compared(summary: pd.DataFrame, value: str, pairs: Sequence[tuple[str, str]]) -> pd.DataFrame:
    pieces = [
        paired_rows(summary, value, pair, ["epochs"]).assign(comparison=f"{pair[0]} − {pair[1]}")
        for pair in pairs
    ]
    return with_holm(pd.concat(pieces, ignore_index=True), ["comparison", "epochs"])


def _change(
    summary: pd.DataFrame, value: str, pair: tuple[str, str], ends: tuple[float, float]
) -> pd.DataFrame:
    rows = paired_rows(summary, value, pair, ["epochs"])
    short, long = (rows[rows["epochs"] == end].set_index("seed")["difference"] for end in ends)
    gaps = (long - short).dropna().rename("difference").reset_index()
    return gaps.assign(comparison=f"{pair[0]} − {pair[1]}")


class RobustObjectives(Study[Settings]):
    """Its runs and their tables."""

    seeds_by_default = _SEEDS_AT_QUICK
    question = "Do class weights outside the loss move a network that interpolates?"
    Settings = Settings

    def lengths(self) -> list[float]:
        """All lengths of the trainings, as multiples of the profile's epochs, ascending."""
        usual = (0.25, 4.0) if self.settings.profile == "quick" else ()
        others = usual if self.settings.lengths is None else self.settings.lengths
        return sorted({1.0, *others})

    def members(self) -> list[Member]:
        """Standard, balanced and robust students of each seed and length; no teacher.

        ``place`` names the length as ``epochs`` and ``factor``, a multiple of the profile's.
        """
        families = self.study_families()
        return [
            member
            for factor in self.lengths()
            for family in (families if factor == 1 else families[: self.settings.length_seeds])
            for member in _family_members(family, factor)
        ]

    def per_seed(self, results: Sequence[RunResult | None]) -> pd.DataFrame:
        """One row per run, as ``kdbook.tables.per_seed``, with what the training reached.

        Further columns: epochs, factor, ``train_error`` (percent of the training images that the
        network gets wrong in the last epoch, while its weights still move, by its raw logits).
        """
        named = self.members()
        table = tables.per_seed(named, results, "robust_distillation")
        done = [result for result in results if result is not None]
        errors = [100 * (1 - float(result.history["accuracy"].iloc[-1])) for result in done]
        return table.assign(train_error=errors)
