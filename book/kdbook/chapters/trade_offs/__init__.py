"""What does a little robustness cost? Teachers and students of five trade-offs each.

Section 4 of "Robust distillation": the grid of (alpha_t, alpha_s) of its supplementary Figure 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import nan
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from kdbook import tables
from kdbook.robust_families import (
    Alpha,
    Heats,
    RobustFamily,
    ValidationLabels,
    cell_member,
    heats_of,
    objective_name,
)
from kdbook.settings import Alpha as TradeOff
from kdbook.settings import FromText, TaughtSettings, Teaching, teaching
from kdbook.study import Study
from kdbook.tables import Member
from kdlib.data import halves
from kdlib.runs import RunResult, RunSpec
from kdlib.runs.build import dataset_for

STANDARD = "std / std-d"
"""The reference: a standard student of a standard teacher."""

_SEEDS_AT_QUICK = 2
_Grid = Annotated[tuple[TradeOff, ...], Field(min_length=2), FromText]


class Settings(TaughtSettings):
    """What the chapter lets a reader set; ``seeds`` is 2 at ``quick`` where it is not given.

    Attributes:
        alphas: trade-offs of teachers and students alike, two or more, each 0 to 1.
        validation_labels: by whose labels a student's errors are measured while it trains,
            ``teacher`` or ``one_hot``.
    """

    alphas: _Grid = (0.0, 0.25, 0.5, 0.75, 1.0)
    validation_labels: ValidationLabels = "teacher"


def cell_name(teacher: Alpha, student: Alpha) -> str:
    """A cell, e.g. ``0.25 / 0.5``: the teacher's trade-off, then the student's."""
    return STANDARD if student is None else f"{_text(teacher)} / {_text(student)}"


def _alphas(teacher: str, student: str) -> tuple[tuple[str, str], ...]:
    return (("alpha_t", teacher), ("alpha_s", student))


def _text(alpha: Alpha) -> str:
    return objective_name(alpha) if alpha is None else f"{alpha:g}"


def _accuracy_on_second_half(result: RunResult) -> np.ndarray:
    """By class, in [0, 1], on the validation images that no multiplier has seen."""
    second = halves(dataset_for(result.spec).validation)[1]
    rows = np.isin(result.index("validation"), second.index.numpy())
    labels = result.labels("validation")[rows]
    right = result.logits("validation")[rows].argmax(axis=1) == labels
    return np.bincount(labels, right) / np.bincount(labels)


class TradeOffs(Study[Settings]):
    """Its runs and their tables."""

    seeds_by_default = _SEEDS_AT_QUICK
    question = "What does a little robustness cost, in the teacher and in the student?"
    Settings = Settings

    @property
    def teaching(self) -> Teaching:
        """How its students are taught."""
        return teaching(self.settings)

    def per_seed(self, results: Sequence[RunResult | None]) -> pd.DataFrame:
        """One row per run, as ``kdbook.tables.per_seed`` gives it, with three more columns.

        ``alpha_t`` and ``alpha_s`` are text, ``std`` where no class is weighed, and ``none`` for
        the student of a row that is a teacher. ``select_mean`` and ``select_worst`` are the mean
        over classes and the worst class on the validation images that select: all of them, or with
        ``validation_part="first_half"`` the half that no multiplier has seen. They are no results.
        """
        table = tables.per_seed(self.members(), results, "robust_distillation")
        chosen = [self._selecting(result) for result in results if result is not None]
        return pd.concat([table, pd.DataFrame(chosen, index=table.index)], axis=1)

    def family_members(self, family: RobustFamily) -> list[Member]:
        """Teachers, standard distillation, and the grid of students."""
        alphas: list[Alpha] = list(dict.fromkeys(self.settings.alphas))
        how, labels = self.teaching, self.settings.validation_labels
        alone = replace(family, fixed_teacher=False) if how.more_teachers else family
        cells = [(None, None), *((t, s) for t in alphas for s in alphas)]
        teachers = [
            cell_member(
                f"teacher {_text(t)}", family, (nan, nan), how, spec, _alphas(_text(t), "none")
            )
            for t in (None, *alphas)
            for spec in [alone.teacher(t)]
        ]
        students = [
            cell_member(cell_name(t, s), family, heats, how, spec, _alphas(_text(t), _text(s)))
            for t, s in cells
            for heats in heats_of(s, labels, how)
            for spec in [self._student(family, t, s, heats)]
        ]
        return teachers + students

    def _student(
        self, family: RobustFamily, teacher: Alpha, student: Alpha, heats: Heats
    ) -> RunSpec:
        return family.student_at(teacher, student, self.settings.validation_labels, heats)

    def _selecting(self, result: RunResult) -> dict[str, float]:
        if self.settings.validation_part == "all":
            accuracy = result.accuracy("validation")
        elif result.status == "completed":
            accuracy = _accuracy_on_second_half(result)
        else:
            accuracy = np.array([float("nan")])
        return {
            "select_mean": 100 * float(accuracy.mean()),
            "select_worst": 100 * float(accuracy.min()),
        }
