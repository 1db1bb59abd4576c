"""What do the class multipliers of "Robust distillation" do, and which open choices matter?

Each choice that the paper leaves open is changed alone. All students of a seed have one standard
teacher.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from typing import Annotated

import pandas as pd
from pydantic import Field

from kdbook import collapse as collapse
from kdbook.collapse import collapses, paths
from kdbook.compare import compare_corrected
from kdbook.families import Named
from kdbook.profiles import multiplier_rule
from kdbook.robust_families import RobustFamily, ValidationLabels
from kdbook.settings import FromText, RobustSettings, Temperature
from kdbook.study import Study
from kdlib.runs import AveragedRobustCost, RobustCost, RunResult, RunSpec

DEFAULT = "Algorithm 1"
"""Teacher labels on validation images, base rate of the teacher, last iterate."""

ONE_HOT = "one-hot labels"
AVERAGED = "averaged iterate"
AVERAGED_ONE_HOT = f"{AVERAGED}, {ONE_HOT}"
STANDARD = "std-d"
BASE_RATE = "base rate of the labels"
LARGER_STEPS, LONGER = (10, 100), 2
"""Factors of the step and of the epochs. 40 moves at 100 times the step may part two classes as far
as 4000 moves at the step itself: the paper's trainings have about so many (see the chapter)."""

_SEEDS_AT_QUICK = 5
_Moves = Annotated[int, Field(ge=1, le=100_000)]


class Settings(RobustSettings):
    """What the chapter lets a reader set; ``seeds`` is 5 at ``quick`` where it is not given.

    Attributes:
        temperature: of the teacher's probabilities in training, 0.05 to 100.
        validation_temperature: of the teacher's probabilities on validation images.
        other_validation_temperature: another one to try there.
        updates: other values of ``update_every`` to try; by default 1, 16 and 32 at ``quick``, and
            8 and 128 elsewhere.
    """

    temperature: Temperature = 1.0
    validation_temperature: Temperature = 1.0
    other_validation_temperature: Temperature = 3.0
    updates: Annotated[tuple[_Moves, ...] | None, FromText] = None


def endings(rows: pd.DataFrame) -> pd.DataFrame:
    """Where the multipliers of each run end.

    Args:
        rows: as ``multiplier_paths`` gives them.

    Returns:
        One row per run: method, seed, moves, effective (classes at the last move), log_ratio,
        collapsed (at the last move), ever (whether at any).
    """
    moves = collapses(rows)
    by_run = moves.groupby(["method", "seed"], sort=False)
    last = by_run[["effective", "log_ratio", "collapsed"]].last()
    return last.assign(moves=by_run.size(), ever=by_run["collapsed"].any()).reset_index()


def averaged(spec: RunSpec) -> RunSpec:
    """The same training, of which the averaged iterate is kept."""
    values = dict(_cost(spec)) | {"kind": "averaged_robust"}
    return _with_cost(spec, AveragedRobustCost.parse(**values))


def _cost(spec: RunSpec) -> RobustCost:
    cost = spec.objective.log_cost
    assert isinstance(cost, RobustCost)
    return cost


def _with_rule(spec: RunSpec, **values: object) -> RunSpec:
    return _changed(spec, rule=_cost(spec).rule.model_copy(update=values))


def _changed(spec: RunSpec, **values: object) -> RunSpec:
    return _with_cost(spec, RobustCost.parse(**dict(_cost(spec)) | values))


def _with_cost(spec: RunSpec, cost: RobustCost) -> RunSpec:
    objective = spec.objective.model_copy(update={"log_cost": cost})
    return RunSpec.parse(**dict(spec) | {"objective": objective})


def _longer(spec: RunSpec) -> RunSpec:
    recipe = spec.recipe.with_epochs(LONGER * spec.recipe.epochs)
    return RunSpec.parse(**dict(spec) | {"recipe": recipe})


class ClassMultipliers(Study[Settings]):
    """Its runs and their tables."""

    seeds_by_default = _SEEDS_AT_QUICK
    question = "What do the class multipliers do, and which open choices matter?"
    Settings = Settings

    def choices(self) -> dict[str, str]:
        """What was changed, by the name of the variant, in the order of the chapter."""
        rule, hot = multiplier_rule(self.settings), self.settings.other_validation_temperature
        return {
            ONE_HOT: "labels of the validation images",
            AVERAGED: "iterate that is returned",
            AVERAGED_ONE_HOT: "iterate that is returned",
            **{f"a move every {n}": "steps between two moves" for n in self.other_updates()},
            **{f"step {factor * rule.step:g}": "step of a move" for factor in LARGER_STEPS},
            BASE_RATE: "base rate",
            f"validation T = {hot:g}": "teacher's temperature on validation images",
            f"{LONGER} times the epochs": "length of the training",
        }

    def other_updates(self) -> list[int]:
        """Values of ``update_every`` beside the default one."""
        quick = self.settings.profile == "quick"
        wanted = self.settings.updates or ((1, 16, 32) if quick else (8, 128))
        return [
            n for n in dict.fromkeys(wanted) if n != multiplier_rule(self.settings).update_every
        ]

    def multiplier_paths(self, results: Sequence[RunResult]) -> pd.DataFrame:
        """One row per move and class; see ``kdbook.collapse``."""
        return paths(self.members(), results)

    def differences(self, summary: pd.DataFrame, wanted: Mapping[str, str]) -> pd.DataFrame:
        """Each variant minus Algorithm 1 within seeds, with Holm's correction over the variants.

        The averaged iterate with one-hot labels is set against the last one with one-hot labels.

        Args:
            summary: as ``per_seed`` gives it.
            wanted: from columns of ``summary`` to words, as ``comparisons.measures`` gives them.

        Returns:
            As ``corrected.compare_corrected``, with ``comparison`` the variant's name alone.
        """
        names = list(self.choices())
        table = summary.assign(temperature=float("nan"))  # one temperature: it need not be named
        pairs = [(name, ONE_HOT if name == AVERAGED_ONE_HOT else DEFAULT) for name in names]
        found = compare_corrected(table, pairs, wanted)
        return found.assign(comparison=names * len(wanted))

    def robust_student(self, family: RobustFamily, labels: ValidationLabels = "teacher") -> RunSpec:
        """Algorithm 1 with the last iterate, as ``teacher_and_student`` trains it."""
        return family.student(
            None,
            1.0,
            temperature=self.settings.temperature,
            validation_labels=labels,
            validation_temperature=self.settings.validation_temperature,
        )

    def named_runs(self, family: RobustFamily) -> list[Named]:
        """Teacher, standard student, Algorithm 1, and its variants."""
        taught = self._students(family).items()
        heat = self.settings.temperature
        return [("teacher", nan, family.teacher()), *((name, heat, spec) for name, spec in taught)]

    def _students(self, family: RobustFamily) -> dict[str, RunSpec]:
        default = self.robust_student(family)
        one_hot = self.robust_student(family, "one_hot")
        rule, hot = _cost(default).rule, self.settings.other_validation_temperature
        steps = [factor * rule.step for factor in LARGER_STEPS]
        return {
            STANDARD: family.student(None, None, temperature=self.settings.temperature),
            DEFAULT: default,
            ONE_HOT: one_hot,
            AVERAGED: averaged(default),
            AVERAGED_ONE_HOT: averaged(one_hot),
            **{
                f"a move every {n}": _with_rule(default, update_every=n)
                for n in self.other_updates()
            },
            **{f"step {step:g}": _with_rule(default, step=step) for step in steps},
            BASE_RATE: _changed(default, base_rate="labels"),
            f"validation T = {hot:g}": _changed(default, validation_temperature=hot),
            f"{LONGER} times the epochs": _longer(default),
        }
