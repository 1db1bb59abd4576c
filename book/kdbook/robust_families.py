"""Teachers and students that each follow an objective of "Robust distillation".

An objective is named by the trade-off alpha of equation (4): 0 is balanced, 1 is robust, between is
traded off, and ``None`` is the standard objective, which weighs no class.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from math import isnan, nan
from typing import Literal

from kdbook.profiles import Profile, multiplier_rule, robust_profile
from kdbook.selection import VALIDATION_TEMPERATURE
from kdbook.settings import RobustSettings, TaughtSettings, Teaching, teaching, with_seeds
from kdbook.tables import Member
from kdlib.models import AnyModel
from kdlib.runs import (
    AdaptiveMix,
    ConstantMix,
    DataSpec,
    MarginCost,
    NoCost,
    Objective,
    RobustCost,
    RunSpec,
)

Alpha = float | None
OBJECTIVES: tuple[Alpha, ...] = (None, 0.0, 1.0)
"""Standard, balanced, robust."""
ValidationLabels = Literal["teacher", "one_hot"]
Heats = tuple[float, float]
"""Temperatures of the teacher in training and on validation images; NaN where it is not asked."""

_TEACHER_SEEDS = 1_000_000
_INITIAL_TEACHER_SEEDS = 2_000_000


@dataclass(frozen=True)
class RobustFamily:
    """The runs of one seed.

    Attributes:
        settings: of the study.
        seed: of the students.
        fixed_teacher: whether all students learn from the teacher of seed 0 and its long tail (the
            paper's main tables), or each seed has its own (supplementary Table 3).
        student_model: where it is not the teacher's (compression).
    """

    settings: RobustSettings
    seed: int
    fixed_teacher: bool = False
    student_model: AnyModel | None = None

    @cached_property
    def profile(self) -> Profile:
        """The scale."""
        return robust_profile(self.settings)

    @property
    def imbalance(self) -> float:
        """Long-tail ratio."""
        return self.profile.imbalance

    def data(self) -> DataSpec:
        """The long-tailed training set; with a fixed teacher, that teacher's."""
        own = self.profile.new_subset_each_seed and not self.fixed_teacher
        return DataSpec(
            name=self.profile.dataset,
            imbalance=self.profile.imbalance,
            subset_seed=self.seed if own else 0,
        )

    def teacher(self, alpha: Alpha = None) -> RunSpec:
        """Trained on labels: errors are measured with the labels of the validation images."""
        return self._teacher(alpha, _TEACHER_SEEDS, self.data())

    def initial_teacher(self, alpha: Alpha = None) -> RunSpec:
        """Of the same objective, but trained without the dev examples, so that they can judge it.

        The validation examples move its multipliers, as they do those of the final teacher.
        """
        held_out = self.data().model_copy(update={"part": "train_minus_dev"})
        return self._teacher(alpha, _INITIAL_TEACHER_SEEDS, held_out)

    def ada_alpha(self, teacher_alpha: Alpha, *, temperature: float = 1.0) -> RunSpec:
        """AdaAlpha under a teacher of any objective (supplementary Table 4)."""
        mix = AdaptiveMix(estimated_by=self.initial_teacher(teacher_alpha))
        objective = Objective(mix=mix, temperature=temperature)
        return self._run(objective, teacher=self.teacher(teacher_alpha))

    def ada_margin(
        self, teacher_alpha: Alpha, *, temperature: float = 1.0, offset: float = 0.01
    ) -> RunSpec:
        """AdaMargin under a teacher of any objective (supplementary Table 4)."""
        cost = MarginCost(offset=offset, estimated_by=self.initial_teacher(teacher_alpha))
        objective = Objective(mix=ConstantMix(alpha=1.0), log_cost=cost, temperature=temperature)
        return self._run(objective, teacher=self.teacher(teacher_alpha))

    def student(
        self,
        teacher_alpha: Alpha,
        alpha: Alpha,
        *,
        temperature: float = 1.0,
        validation_labels: ValidationLabels = "teacher",
        validation_temperature: float = 1.0,
    ) -> RunSpec:
        """Trained on the teacher's probabilities alone (equations 5 to 8)."""
        cost = self._cost(
            alpha,
            base_rate="teacher",
            validation_labels=validation_labels,
            validation_temperature=validation_temperature,
        )
        mix = ConstantMix(alpha=1.0)
        objective = Objective(mix=mix, log_cost=cost, temperature=temperature)
        return self._run(objective, teacher=self.teacher(teacher_alpha))

    def student_at(
        self, teacher_alpha: Alpha, alpha: Alpha, labels: ValidationLabels, heats: Heats
    ) -> RunSpec:
        """``student`` at one of ``heats_of``."""
        return self.student(
            teacher_alpha,
            alpha,
            temperature=heats[0],
            validation_labels=labels,
            validation_temperature=1.0 if isnan(heats[1]) else heats[1],
        )

    def one_hot(self, alpha: Alpha = None) -> RunSpec:
        """A student without a teacher."""
        return self._run(Objective(log_cost=self._cost(alpha)))

    def group_dro(self, *, held_out: bool) -> RunSpec:
        """Sagawa et al. (2020): outer weights, no teacher; errors on validation or on the batch."""
        rule = multiplier_rule(self.settings)
        changes: dict[str, object] = {"placement": "outer"}
        if not held_out:
            changes |= {"measured_on": "training", "error": "cross_entropy", "update_every": 1}
        cost = RobustCost(rule=rule.model_copy(update=changes))
        return self._run(Objective(log_cost=cost))

    def _teacher(self, alpha: Alpha, first_seed: int, data: DataSpec) -> RunSpec:
        seed = first_seed + (0 if self.fixed_teacher else self.seed)
        objective = Objective(log_cost=self._cost(alpha))
        return RunSpec.parse(
            data=data,
            model=self.profile.model,
            recipe=self.profile.teachers_recipe,
            objective=objective,
            seed=seed,
        )

    def _cost(self, alpha: Alpha, **values: object) -> RobustCost | NoCost:
        if alpha is None:
            return NoCost()
        if alpha == 0:  # nothing moves, so nothing is measured
            values = {"base_rate": values.get("base_rate", "labels")}
        rule = multiplier_rule(self.settings, alpha)
        return RobustCost.parse(rule=rule, validation_part=self.settings.validation_part, **values)

    def _run(
        self,
        objective: Objective,
        *,
        teacher: RunSpec | None = None,
    ) -> RunSpec:
        return RunSpec.parse(
            data=self.data(),
            model=self.student_model or self.profile.model,
            recipe=self.profile.recipe,
            objective=objective,
            seed=self.seed,
            teacher=teacher,
        )


def robust_families(
    settings: RobustSettings, *, fixed_teacher: bool = False, student_model: AnyModel | None = None
) -> Sequence[RobustFamily]:
    """One family per seed."""
    count = robust_profile(settings).seeds
    return [RobustFamily(settings, seed, fixed_teacher, student_model) for seed in range(count)]


def families_of(
    settings: RobustSettings, seeds: int | None = None, *, at_quick: int
) -> Sequence[RobustFamily]:
    """One family per seed of a study's settings, taught as they say.

    Args:
        settings: of the study.
        seeds: how many, where it is not the settings' own number.
        at_quick: how many at ``quick``, where nothing else is said.
    """
    chosen = with_seeds(settings, seeds or settings.seeds, at_quick=at_quick)
    fixed = isinstance(settings, TaughtSettings) and teaching(settings).fixed_teacher
    return robust_families(chosen, fixed_teacher=fixed)


def heats_of(alpha: Alpha, labels: ValidationLabels, how: Teaching) -> list[Heats]:
    """Every pair of temperatures of a student; only teacher labels on validation have a second."""
    asks = alpha is not None and alpha > 0 and labels == "teacher"
    others = how.validation_temperatures if asks else (nan,)
    return list(product(how.temperatures, others))


def cell_member(
    name: str,
    family: RobustFamily,
    heats: Heats,
    how: Teaching,
    spec: RunSpec,
    place: tuple[tuple[str, str], ...] = (),
) -> Member:
    """A run's place in a study; the second temperature is a column where one is chosen."""
    several = len(how.validation_temperatures) > 1
    second = ((VALIDATION_TEMPERATURE, heats[1]),) if several else ()
    return Member(name, family.profile.imbalance, heats[0], family.seed, spec, (*place, *second))


def objective_name(alpha: Alpha, *, distilled: bool = False) -> str:
    """The paper's short name: ``std``, ``bal``, ``rob`` or ``tdf``, with ``-d`` for a student."""
    name = {None: "std", 0.0: "bal", 1.0: "rob"}.get(alpha, "tdf")
    return f"{name}-d" if distilled else name
