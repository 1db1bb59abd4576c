"""Do simpler methods do as well as robust distillation, and does it survive compression?

The baselines of "Robust distillation": main Table 2, supplementary Tables 2, 4 and 5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import nan
from typing import Annotated

import pandas as pd
from pydantic import Field

from kdbook import tables
from kdbook.chapters.baselines_and_compression.post_shift import SHIFT, shifted
from kdbook.profiles import robust_profile
from kdbook.robust_families import (
    OBJECTIVES,
    Alpha,
    RobustFamily,
    ValidationLabels,
    cell_member,
    heats_of,
    objective_name,
    robust_families,
)
from kdbook.selection import VALIDATION_WORST
from kdbook.settings import FromText, TaughtSettings, Teaching, teaching, with_seeds
from kdbook.study import Study
from kdbook.tables import Member
from kdlib.models import ModelSpec
from kdlib.runs import RunResult, RunSpec

DISTILLED, ROBUST_STUDENT, BALANCED_STUDENT = "distilled", "robust student", "balanced student"
ROBUST_ALONE = "robust, no teacher"
DRO_HELD_OUT, DRO_TRAINING = "Group DRO, validation", "Group DRO, training"

_SEEDS_AT_QUICK, _COMPRESSION_SEEDS_AT_QUICK, _TEACHERS_AT_QUICK = 3, 2, 5
_Depth = Annotated[int, Field(ge=8, le=1202)]


class Settings(TaughtSettings):
    """What the chapter lets a reader set; ``seeds`` is 3 at ``quick`` where it is not given.

    There the teachers come with 5 seeds, since post-shift asks for nothing else.

    Attributes:
        offset: of AdaMargin, as in the chapter on it.
        compression_seeds: of teachers and students of other depths; 2 at ``quick``.
        teacher_depth: of the compressed teachers, 6n + 2; by default the profile's, at least 14.
        student_depth: of their students; by default 4/7 of that, as in the paper's 56 to 32.
    """

    offset: Annotated[float, Field(gt=0, le=1)] = 0.01
    compression_seeds: Annotated[Annotated[int, Field(ge=1, le=1000)] | None, FromText] = None
    teacher_depth: Annotated[_Depth | None, FromText] = None
    student_depth: Annotated[_Depth | None, FromText] = None


def adaptive_name(method: str, teacher: Alpha) -> str:
    """E.g. ``AdaAlpha, rob teacher``."""
    return f"{method}, {objective_name(teacher)} teacher"


def shift_name(teacher: Alpha) -> str:
    """E.g. ``post shift, rob teacher``."""
    return f"{SHIFT}, {objective_name(teacher)} teacher"


def baselines() -> list[str]:
    """What is compared with standard distillation, in the order of the chapter."""
    adaptive = [
        adaptive_name(method, t) for method in ("AdaAlpha", "AdaMargin") for t in OBJECTIVES
    ]
    shifts = [shift_name(t) for t in OBJECTIVES]
    alone = [ROBUST_ALONE, DRO_HELD_OUT, DRO_TRAINING]
    return [ROBUST_STUDENT, BALANCED_STUDENT, *shifts, *alone, *adaptive]


def _teachers(family: RobustFamily) -> list[Member]:
    specs = {f"teacher {objective_name(t)}": family.teacher(t) for t in OBJECTIVES}
    return _as_members(family, specs)


def compressed_cells() -> list[tuple[Alpha, Alpha, ValidationLabels]]:
    """Teacher, student and validation labels: the corners of supplementary Table 2."""
    kinds: list[ValidationLabels] = ["one_hot", "teacher", "one_hot"]
    students = list(zip((None, 1.0, 1.0), kinds, strict=True))
    return [(teacher, *student) for teacher in (None, 1.0) for student in students]


def _taught(
    family: RobustFamily,
    cells: Mapping[str, tuple[Alpha, Alpha, ValidationLabels]],
    how: Teaching,
) -> list[Member]:
    """A student of each cell (teacher, student, validation labels) at each of its temperatures."""
    return [
        cell_member(name, family, heats, how, family.student_at(teacher, student, labels, heats))
        for name, (teacher, student, labels) in cells.items()
        for heats in heats_of(student, labels, how)
    ]


def _as_members(family: RobustFamily, specs: dict[str, RunSpec]) -> list[Member]:
    """Those that no temperature has a say in."""
    ratio = family.profile.imbalance
    return [Member(name, ratio, nan, family.seed, spec) for name, spec in specs.items()]


def _shift_member(teacher: Member) -> Member:
    objective = teacher.method.removeprefix("teacher ")
    return Member(
        f"{SHIFT}, {objective} teacher", teacher.imbalance, float("nan"), teacher.seed, teacher.spec
    )


def _shifted(result: RunResult | None) -> RunResult | None:
    """None where there is nothing to shift: not finished, or diverged."""
    return shifted(result) if result and result.status == "completed" else None


class RobustBaselines(Study[Settings]):
    """Its runs and their tables."""

    seeds_by_default = _SEEDS_AT_QUICK
    question = "Do simpler methods do as well, and does robust distillation survive compression?"
    Settings = Settings

    def depths(self) -> tuple[int, int]:
        """Depths of the compressed teacher and student: 14, 8 at ``quick``; 56, 32 at ``paper``.

        ResNets have depth 6n + 2, so that 4/7 of a depth is rounded to the next one of these.
        """
        profile = robust_profile(self.settings)
        assert isinstance(profile.model, ModelSpec)
        teacher = self.settings.teacher_depth or max(14, profile.model.depth)
        blocks = max(1, round((teacher * 4 / 7 - 2) / 6))
        return teacher, self.settings.student_depth or 6 * blocks + 2

    def members(self) -> list[Member]:
        """Teachers and baselines of each seed, then the compressed pairs."""
        same = [m for family in self.study_families() for m in self._baselines(family)]
        same += [m for family in self._further_teachers() for m in _teachers(family)]
        smaller = [m for family in self._compressed() for m in self._cells(family)]
        return same + smaller

    def row_members(self) -> list[Member]:
        """A member per row of ``per_seed``: ``members``, and one per post-shifted teacher."""
        both = self.members()
        return both + [_shift_member(m) for m in both if m.method.startswith("teacher ")]

    def per_seed(self, results: Sequence[RunResult | None]) -> pd.DataFrame:
        """One row per run, and one per post-shifted teacher; see ``kdbook.tables.per_seed``.

        Where temperatures are chosen there is a column ``validation_worst``: the worst class on
        validation images, in percent, which chooses.
        """
        both = zip(self.members(), results, strict=True)
        post = [
            (_shift_member(member), _shifted(result))
            for member, result in both
            if member.method.startswith("teacher ")
        ]
        ran = list(zip(self.members(), results, strict=True))
        pieces = [self._rows(pairs) for pairs in (ran, post)]
        return pd.concat(pieces, ignore_index=True)

    def _rows(self, pairs: Sequence[tuple[Member, RunResult | None]]) -> pd.DataFrame:
        table = tables.per_seed([m for m, _ in pairs], [r for _, r in pairs], "robust_distillation")
        if len(teaching(self.settings).temperatures) == 1:
            return table
        done = [result for _, result in pairs if result is not None]
        worst = [100 * float(result.accuracy("validation").min()) for result in done]
        return table.assign(**{VALIDATION_WORST: worst})

    def teachers(self, results: Sequence[RunResult]) -> tuple[list[Member], list[RunResult]]:
        """The teachers of the baselines (not the compressed ones) and their results."""
        pairs = zip(self.members(), results, strict=True)
        kept = [(m, r) for m, r in pairs if m.method.startswith("teacher ")]
        return [m for m, _ in kept], [r for _, r in kept]

    def cell_name(
        self, teacher: Alpha, student: Alpha, labels: ValidationLabels = "one_hot"
    ) -> str:
        """A compressed student, e.g. ``14 to 8: rob / std-d``; one-hot labels go unsaid."""
        pair = f"{objective_name(teacher)} / {objective_name(student, distilled=True)}"
        return f"{self._arrow()}: {pair}{' (teacher labels)' if labels == 'teacher' else ''}"

    def large_teacher_name(self, teacher: Alpha) -> str:
        """A teacher of compressed students, e.g. ``14 to 8: teacher rob``."""
        return f"{self._arrow()}: teacher {objective_name(teacher)}"

    def _arrow(self) -> str:
        return "{} to {}".format(*self.depths())

    def _further_teachers(self) -> Sequence[RobustFamily]:
        """At ``quick``, families beyond those of the baselines: their teachers are trained."""
        if self.settings.seeds is not None or self.settings.profile != "quick":
            return []
        few = with_seeds(self.settings, None, at_quick=_TEACHERS_AT_QUICK)
        return robust_families(few)[_SEEDS_AT_QUICK:]

    def _compressed(self) -> Sequence[RobustFamily]:
        large, small = self.depths()
        wanted = self.settings.compression_seeds or self.settings.seeds
        chosen = with_seeds(self.settings, wanted, at_quick=_COMPRESSION_SEEDS_AT_QUICK)
        deep = chosen.model_copy(update={"depth": large})
        fixed = teaching(self.settings).fixed_teacher
        student = ModelSpec.parse(depth=small)
        return robust_families(deep, fixed_teacher=fixed, student_model=student)

    def _baselines(self, family: RobustFamily) -> list[Member]:
        how = teaching(self.settings)
        alone = {
            ROBUST_ALONE: family.one_hot(1.0),
            DRO_HELD_OUT: family.group_dro(held_out=True),
            DRO_TRAINING: family.group_dro(held_out=False),
        }
        cells: dict[str, tuple[Alpha, Alpha, ValidationLabels]] = {
            DISTILLED: (None, None, "teacher"),
            # With one-hot labels on validation, as the baseline of main Table 2 is to be read.
            ROBUST_STUDENT: (None, 1.0, "one_hot"),
            BALANCED_STUDENT: (None, 0.0, "teacher"),
        }
        own = replace(family, fixed_teacher=False) if how.more_teachers else family
        taught = _taught(family, cells, how) + self._adaptive(family, how)
        return _teachers(own) + _as_members(family, alone) + taught

    def _adaptive(self, family: RobustFamily, how: Teaching) -> list[Member]:
        offset = self.settings.offset
        return [
            cell_member(adaptive_name(method, t), family, (heat, nan), how, spec)
            for heat in how.temperatures
            for method in ("AdaAlpha", "AdaMargin")
            for t in OBJECTIVES
            for spec in [
                family.ada_alpha(t, temperature=heat)
                if method == "AdaAlpha"
                else family.ada_margin(t, temperature=heat, offset=offset)
            ]
        ]

    def _cells(self, family: RobustFamily) -> list[Member]:
        alone = {self.large_teacher_name(t): family.teacher(t) for t in (None, 1.0)}
        cells = {self.cell_name(*cell): cell for cell in compressed_cells()}
        return _as_members(family, alone) + _taught(family, cells, teaching(self.settings))
