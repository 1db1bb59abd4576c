"""What does a little robustness cost? Teachers and students of five trade-offs each.

Section 4 of "Robust distillation": the grid of (alpha_t, alpha_s) of its supplementary Figure 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from kdbook.studies import tables
from kdbook.studies.robust_families import (
    Alpha,
    RobustFamily,
    ValidationLabels,
    objective_name,
    robust_families,
)
from kdbook.studies.robust_profiles import RobustSettings, with_seeds
from kdbook.studies.settings import Alpha as TradeOff
from kdbook.studies.settings import FromText, Temperature
from kdbook.studies.tables import Member
from kdlib.data import halves
from kdlib.runs import RunResult, RunSpec
from kdlib.runs.build import dataset_for

QUESTION = "What does a little robustness cost, in the teacher and in the student?"

STANDARD = "std / std-d"
"""The reference: a standard student of a standard teacher."""

_SEEDS_AT_QUICK = 2
_Grid = Annotated[tuple[TradeOff, ...], Field(min_length=2), FromText]


class Settings(RobustSettings):
    """What the chapter lets a reader set; ``seeds`` is 2 at ``quick`` where it is not given.

    Attributes:
        alphas: trade-offs of teachers and students alike, two or more, each 0 to 1.
        temperatures: of the teacher's probabilities in training, each 0.05 to 100; the paper
            chooses from 1, 3 and 5 by validation.
        validation_labels: by whose labels a student's errors are measured while it trains,
            ``teacher`` or ``one_hot``.
    """

    alphas: _Grid = (0.0, 0.25, 0.5, 0.75, 1.0)
    temperatures: Annotated[tuple[Temperature, ...], Field(min_length=1), FromText] = (1.0,)
    validation_labels: ValidationLabels = "teacher"


def cell_name(teacher: Alpha, student: Alpha) -> str:
    """A cell, e.g. ``0.25 / 0.5``: the teacher's trade-off, then the student's."""
    return STANDARD if student is None else f"{_text(teacher)} / {_text(student)}"


def members(settings: Settings) -> list[Member]:
    """Teachers, standard distillation, and the grid of students, for each seed."""
    return [m for family in study_families(settings) for m in _family_members(family, settings)]


def runs(settings: Settings) -> list[RunSpec]:
    """The runs that the study needs."""
    return [member.spec for member in members(settings)]


def per_seed(settings: Settings, results: Sequence[RunResult | None]) -> pd.DataFrame:
    """One row a run, as ``kdbook.studies.tables.per_seed`` gives it, with three more columns.

    ``alpha_t`` and ``alpha_s`` are text, ``std`` where no class is weighed, and ``none`` for the
    student of a row that is a teacher. ``select_mean`` and ``select_worst`` are the mean over
    classes and the worst class on the validation images that select: all of them, or with
    ``validation_part="first_half"`` the half that no multiplier has seen. They are no results.
    """
    table = tables.per_seed(members(settings), results, "robust_distillation")
    chosen = [_selecting(settings, result) for result in results if result is not None]
    return pd.concat([table, pd.DataFrame(chosen, index=table.index)], axis=1)


def per_class(settings: Settings, results: Sequence[RunResult | None]) -> pd.DataFrame:
    """One row a run and class; see ``kdbook.studies.tables.per_class``."""
    return tables.per_class(members(settings), results, "robust_distillation")


def study_families(settings: Settings) -> Sequence[RobustFamily]:
    """One family a seed, each with teachers of its own."""
    return robust_families(with_seeds(settings, settings.seeds, at_quick=_SEEDS_AT_QUICK))


def pair_at(settings: Settings, alpha_t: float, alpha_s: float) -> list[Member]:
    """Of seed 0, standard distillation and one cell of any two trade-offs from 0 to 1.

    Temperature and validation labels are the first temperature and the labels of ``settings``.
    """
    family, heat = RobustFamily(settings, 0), settings.temperatures[0]
    ratio = family.profile.imbalance
    cells: dict[str, tuple[Alpha, Alpha]] = {
        STANDARD: (None, None),
        "traded off": (alpha_t, alpha_s),
    }
    return [
        Member(name, ratio, heat, 0, _student(family, t, s, heat, settings))
        for name, (t, s) in cells.items()
    ]


def _family_members(family: RobustFamily, settings: Settings) -> list[Member]:
    alphas: list[Alpha] = list(dict.fromkeys(settings.alphas))
    teachers = [
        _member(family, f"teacher {_text(t)}", (_text(t), "none"), float("nan"), family.teacher(t))
        for t in (None, *alphas)
    ]
    cells = [(None, None), *((t, s) for t in alphas for s in alphas)]
    students = [
        _member(family, cell_name(t, s), (_text(t), _text(s)), heat, spec)
        for heat in dict.fromkeys(settings.temperatures)
        for t, s in cells
        for spec in [_student(family, t, s, heat, settings)]
    ]
    return teachers + students


def _student(
    family: RobustFamily, teacher: Alpha, student: Alpha, temperature: float, settings: Settings
) -> RunSpec:
    labels = settings.validation_labels
    return family.student(teacher, student, temperature=temperature, validation_labels=labels)


def _member(
    family: RobustFamily, name: str, alphas: tuple[str, str], temperature: float, spec: RunSpec
) -> Member:
    place = (("alpha_t", alphas[0]), ("alpha_s", alphas[1]))
    return Member(name, family.profile.imbalance, temperature, family.seed, spec, place)


def _text(alpha: Alpha) -> str:
    return objective_name(alpha) if alpha is None else f"{alpha:g}"


def _selecting(settings: Settings, result: RunResult) -> dict[str, float]:
    if settings.validation_part == "all":
        accuracy = result.accuracy("validation")
    elif result.status == "completed":
        accuracy = _accuracy_on_second_half(result)
    else:
        accuracy = np.array([float("nan")])
    return {
        "select_mean": 100 * float(accuracy.mean()),
        "select_worst": 100 * float(accuracy.min()),
    }


def _accuracy_on_second_half(result: RunResult) -> np.ndarray:
    """By class, in [0, 1], on the validation images that no multiplier has seen."""
    second = halves(dataset_for(result.spec).validation)[1]
    rows = np.isin(result.index("validation"), second.index.numpy())
    labels = result.labels("validation")[rows]
    right = result.logits("validation")[rows].argmax(axis=1) == labels
    return np.bincount(labels, right) / np.bincount(labels)
