"""Is robust twice best? Teacher x student objectives, main Table 1 of "Robust distillation"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import nan

import pandas as pd

from kdbook import tables
from kdbook.chapters.teacher_and_student.objective_cells import worst_on_validation
from kdbook.collapse import paths
from kdbook.robust_families import (
    OBJECTIVES,
    Alpha,
    RobustFamily,
    ValidationLabels,
    cell_member,
    heats_of,
    objective_name,
)
from kdbook.settings import TaughtSettings, Teaching, teaching
from kdbook.study import Study
from kdbook.tables import Member
from kdlib.runs import RunResult

_SEEDS_AT_QUICK = 4


class Settings(TaughtSettings):
    """What the chapter lets a reader set; ``seeds`` is 4 at ``quick`` where it is not given."""


def cell_name(teacher: Alpha, student: Alpha, labels: ValidationLabels) -> str:
    """A cell, e.g. ``std / rob-d (one-hot labels)``: only robust students ask for labels."""
    words = {"teacher": " (teacher labels)", "one_hot": " (one-hot labels)"}
    measured = words[labels] if student == 1 else ""
    return f"{objective_name(teacher)} / {objective_name(student, distilled=True)}{measured}"


def rows(of: Sequence[Member], results: Sequence[RunResult | None]) -> pd.DataFrame:
    """One row per run, as ``kdbook.tables.per_seed`` gives it, with three more columns.

    They choose and are no results: ``validation_worst``, ``first_half`` and ``second_half``, the
    worst class in percent on all validation images and on either half of them.
    """
    table = tables.per_seed(of, results, "robust_distillation")
    chosen = [worst_on_validation(result) for result in results if result is not None]
    return pd.concat([table, pd.DataFrame(chosen, index=table.index)], axis=1)


def _cells() -> list[tuple[Alpha, Alpha, ValidationLabels]]:
    """Robust students come with both kinds of validation labels."""
    cells: list[tuple[Alpha, Alpha, ValidationLabels]] = []
    for teacher in OBJECTIVES:
        cells += [(teacher, None, "teacher"), (teacher, 0.0, "teacher")]
        cells += [(teacher, 1.0, "teacher"), (teacher, 1.0, "one_hot")]
    return cells


class TeacherAndStudent(Study[Settings]):
    """Its runs and their tables."""

    seeds_by_default = _SEEDS_AT_QUICK
    question = "Is a robust student of a robust teacher the best?"
    Settings = Settings

    @property
    def teaching(self) -> Teaching:
        """How its students are taught."""
        return teaching(self.settings)

    def per_seed(self, results: Sequence[RunResult | None]) -> pd.DataFrame:
        """One row per run; see ``rows``."""
        return rows(self.members(), results)

    def multiplier_paths(self, results: Sequence[RunResult]) -> pd.DataFrame:
        """The multipliers' way: one row per move and class; see ``multiplier_paths``."""
        return paths(self.members(), results)

    def family_members(self, family: RobustFamily) -> list[Member]:
        """Teachers of each objective, and students of each objective under each of them."""
        how = teaching(self.settings)
        alone = replace(family, fixed_teacher=False) if how.more_teachers else family
        teachers = [
            cell_member(f"teacher {objective_name(t)}", family, (nan, nan), how, alone.teacher(t))
            for t in OBJECTIVES
        ]
        students = [
            cell_member(
                cell_name(t, s, labels), family, heats, how, family.student_at(t, s, labels, heats)
            )
            for t, s, labels in _cells()
            for heats in heats_of(s, labels, how)
        ]
        return teachers + students
