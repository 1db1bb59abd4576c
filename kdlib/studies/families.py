"""A family of runs: one teacher and students that differ from each other in their objective only.

Students of a family share initial weights, data order and crops, so that differences between two
of them are paired. The teacher has seeds of its own: a one-hot student is not its teacher.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kdlib.runs import (
    AdaptiveMix,
    ConstantMix,
    DataSpec,
    MarginCost,
    Objective,
    RunSpec,
)
from kdlib.studies.profiles import Profile

_TEACHER_SEEDS = 1_000_000
_INITIAL_TEACHER_SEEDS = 2_000_000


@dataclass(frozen=True)
class Family:
    """The runs of one seed at one imbalance ratio."""

    profile: Profile
    imbalance: float
    seed: int

    def data(self) -> DataSpec:
        """The long-tailed training set; its subset follows the seed where the profile says so."""
        subset_seed = self.seed if self.profile.new_subset_each_seed else 0
        name = self.profile.dataset
        return DataSpec(name=name, imbalance=self.imbalance, subset_seed=subset_seed)

    def teacher(self) -> RunSpec:
        """The final teacher: trained on one-hot labels of all training examples."""
        return self._run(seed=_TEACHER_SEEDS + self.seed)

    def initial_teacher(self) -> RunSpec:
        """Trained without the dev examples, so that they can judge it (section 5)."""
        held_out = self.data().model_copy(update={"part": "train_minus_dev"})
        return self._run(seed=_INITIAL_TEACHER_SEEDS + self.seed, data=held_out)

    def one_hot(self) -> RunSpec:
        """The student without a teacher."""
        return self._run()

    def distilled(self, temperature: float = 1.0, alpha: float = 1.0) -> RunSpec:
        """Equation (1): the same trust ``alpha`` for every class; one-hot where it is 0."""
        if alpha == 0:
            return self.one_hot()
        objective = Objective(mix=ConstantMix(alpha=alpha), temperature=temperature)
        return self._run(objective=objective, teacher=self.teacher())

    def ada_alpha(self, temperature: float = 1.0) -> RunSpec:
        """Equations (2) and (3): trust by class, from dev margins at ``temperature``."""
        mix = AdaptiveMix(estimated_by=self.initial_teacher())
        objective = Objective(mix=mix, temperature=temperature)
        return self._run(objective=objective, teacher=self.teacher())

    def ada_margin(self, temperature: float = 1.0, offset: float = 0.01) -> RunSpec:
        """Equation (4): all trust in the teacher, margins by class."""
        cost = MarginCost(offset=offset, estimated_by=self.initial_teacher())
        mix = ConstantMix(alpha=1.0)
        objective = Objective(mix=mix, log_cost=cost, temperature=temperature)
        return self._run(objective=objective, teacher=self.teacher())

    def _run(
        self,
        *,
        seed: int | None = None,
        data: DataSpec | None = None,
        objective: Objective | None = None,
        teacher: RunSpec | None = None,
    ) -> RunSpec:
        return RunSpec.parse(
            data=data or self.data(),
            model=self.profile.model,
            recipe=self.profile.recipe,
            objective=objective or Objective(),
            seed=self.seed if seed is None else seed,
            teacher=teacher,
        )


def families(profile: Profile, imbalance: float | None = None) -> Sequence[Family]:
    """One family a seed: the profile's full number at its own ratio, fewer elsewhere."""
    ratio = profile.imbalance if imbalance is None else imbalance
    count = profile.seeds if ratio == profile.imbalance else profile.sweep_seeds
    return [Family(profile, ratio, seed) for seed in range(count)]
