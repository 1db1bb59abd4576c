"""A family of runs: one teacher and students that differ from each other in their objective only.

Students of a family share initial weights, data order and crops, so that differences between two
of them are paired. The teacher has seeds of its own: a one-hot student is not its teacher.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan

from kdbook.profiles import Profile
from kdlib.models import AnyModel
from kdlib.runs import (
    AdaptiveMix,
    ConstantMix,
    DataSpec,
    HardestRemovedMix,
    MarginCost,
    Objective,
    PriorCost,
    RunSpec,
    ShuffledMix,
)
from kdlib.training import Recipe

Named = tuple[str, float, RunSpec]
"""A method, the temperature at which it listens to its teacher (NaN where to none), and its run."""
_TEACHER_SEEDS = 1_000_000
_INITIAL_TEACHER_SEEDS = 2_000_000
_ROUND_SEEDS = 10_000_000


@dataclass(frozen=True)
class Family:
    """The runs of one seed at one imbalance ratio.

    Attributes:
        profile: the scale.
        imbalance: long-tail ratio.
        seed: of the students; the teachers' seeds follow from it.
        model: the students' network; by default the profile's.
        teacher_model: the teachers' network; by default the profile's.
        teacher_stops_after: epochs after which the teachers stop early; by default they do not.
        class_share: share of the classes that there are.
        class_seed: which classes these are.
        sees_dev: whether all train on the dev examples too. Where they do not, dev can judge them,
            and the initial teacher teaches.
    """

    profile: Profile
    imbalance: float
    seed: int
    model: AnyModel | None = None
    teacher_model: AnyModel | None = None
    teacher_stops_after: int | None = None
    class_share: float = 1.0
    class_seed: int = 0
    sees_dev: bool = True

    @property
    def scale(self) -> Profile:
        """The profile with the recipes of this ratio."""
        return self.profile.at(self.imbalance)

    def data(self) -> DataSpec:
        """The long-tailed training set; its subset follows the seed where the profile says so."""
        return DataSpec(
            name=self.profile.dataset,
            imbalance=self.imbalance,
            subset_seed=self.seed if self.profile.new_subset_each_seed else 0,
            class_share=self.class_share,
            class_seed=self.class_seed,
            part="train" if self.sees_dev else "train_minus_dev",
        )

    def teacher(self) -> RunSpec:
        """The final teacher: trained on one-hot labels of all training examples.

        Where the family does not see dev, it is the initial teacher.
        """
        if not self.sees_dev:
            return self.initial_teacher()
        return self._teacher(self.data(), _TEACHER_SEEDS + self.seed)

    def initial_teacher(self) -> RunSpec:
        """Trained without the dev examples, so that they can judge it (section 5)."""
        held_out = self.data().model_copy(update={"part": "train_minus_dev"})
        return self._teacher(held_out, _INITIAL_TEACHER_SEEDS + self.seed)

    def one_hot(self) -> RunSpec:
        """The student without a teacher."""
        return self._run()

    def distilled(self, temperature: float = 1.0, alpha: float = 1.0) -> RunSpec:
        """Equation (1): the same trust ``alpha`` for every class; one-hot where it is 0."""
        if alpha == 0:
            return self.one_hot()
        objective = Objective(mix=ConstantMix(alpha=alpha), temperature=temperature)
        return self._run(objective=objective, teacher=self.teacher())

    def plain_three(self, temperature: float = 1.0, alpha: float = 1.0) -> list[Named]:
        """The teacher, the one-hot student and the distilled one."""
        distilled = self.distilled(temperature, alpha)
        return [*self.blind_two(), ("distilled", temperature, distilled)]

    def blind_two(self) -> list[Named]:
        """The teacher and the one-hot student, who listen to nobody."""
        return [("teacher", nan, self.teacher()), ("one-hot", nan, self.one_hot())]

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

    def logit_adjusted(self, temperature: float | None = None) -> RunSpec:
        """Margins from the class prior (Menon et al. 2020): distilled at a temperature, or not."""
        if temperature is None:
            return self._run(objective=Objective(log_cost=PriorCost()))
        mix = ConstantMix(alpha=1.0)
        objective = Objective(mix=mix, log_cost=PriorCost(), temperature=temperature)
        return self._run(objective=objective, teacher=self.teacher())

    def hardest_removed(
        self, temperature: float = 1.0, alpha: float = 1.0, share: float = 0.1
    ) -> RunSpec:
        """Table 4: distilled, but for the classes of smallest dev margin, which get the label."""
        mix = HardestRemovedMix(alpha=alpha, share=share, estimated_by=self.initial_teacher())
        objective = Objective(mix=mix, temperature=temperature)
        return self._run(objective=objective, teacher=self.teacher())

    def shuffled(self, temperature: float = 1.0) -> RunSpec:
        """Table 4: AdaAlpha with its weights dealt out at random; a new deal each seed."""
        mix = ShuffledMix(shuffle_seed=self.seed, estimated_by=self.initial_teacher())
        objective = Objective(mix=mix, temperature=temperature)
        return self._run(objective=objective, teacher=self.teacher())

    def weighted_soft_labels(self, temperature: float = 1.0, alpha: float = 1.0) -> RunSpec:
        """Table 4: each example's teacher term weighted as Zhou et al. (2021) do."""
        mix = ConstantMix(alpha=alpha)
        objective = Objective(mix=mix, temperature=temperature, weighted_soft_labels=True)
        return self._run(objective=objective, teacher=self.teacher())

    def distilled_again(self, rounds: int, temperature: float = 1.0, alpha: float = 1.0) -> RunSpec:
        """Appendix C.5: the student becomes the next teacher; 1 round is ``distilled``.

        Each round has a seed of its own, so that no student starts from its teacher's weights.
        """
        student = self.distilled(temperature, alpha)
        objective = Objective(mix=ConstantMix(alpha=alpha), temperature=temperature)
        for number in range(2, rounds + 1):
            seed = _ROUND_SEEDS * number + self.seed
            student = self._run(objective=objective, teacher=student, seed=seed)
        return student

    def _teacher(self, data: DataSpec, seed: int) -> RunSpec:
        return RunSpec.parse(
            data=data,
            model=self.teacher_model or self.profile.model,
            recipe=self._teachers_recipe(),
            seed=seed,
        )

    def _teachers_recipe(self) -> Recipe:
        recipe = self.scale.teachers_recipe
        if self.teacher_stops_after is None:
            return recipe
        values = recipe.model_dump() | {"stop_after": self.teacher_stops_after}
        return Recipe.parse(**values)

    def _run(
        self,
        *,
        seed: int | None = None,
        objective: Objective | None = None,
        teacher: RunSpec | None = None,
    ) -> RunSpec:
        return RunSpec.parse(
            data=self.data(),
            model=self.model or self.profile.model,
            recipe=self.scale.recipe,
            objective=objective or Objective(),
            seed=self.seed if seed is None else seed,
            teacher=teacher,
        )


def families(profile: Profile, imbalance: float | None = None) -> Sequence[Family]:
    """One family per seed: the profile's full number at its own ratio, fewer elsewhere."""
    ratio = profile.imbalance if imbalance is None else imbalance
    count = profile.seeds if ratio == profile.imbalance else profile.sweep_seeds
    return [Family(profile, ratio, seed) for seed in range(count)]


def families_at(profile: Profile, imbalance: float | None) -> Sequence[Family]:
    """One family per seed at one ratio (``None``: the profile's), as many as the profile has."""
    ratio = profile.imbalance if imbalance is None else imbalance
    return families(profile.model_copy(update={"imbalance": ratio}))
