"""What a study trains: at which scale, which families of runs, and where each run stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Generic, TypeVar

from kdbook.families import Named, families_at
from kdbook.profiles import Profile, profile_of, robust_profile
from kdbook.protocol import Paper, paper_of
from kdbook.robust_families import families_of
from kdbook.settings import RobustSettings, Settings
from kdbook.tables import Member, Place
from kdlib.runs import RunSpec

AnySettings = TypeVar("AnySettings", bound=Settings)


class Members(Generic[AnySettings]):
    """The runs of a study, which follow from its settings.

    Attributes:
        settings: of the study.
        seeds_by_default: its most seeds where the settings name no number; of "Robust distillation"
            the number at ``quick``. ``None``: as many as the profile has.
    """

    settings: AnySettings
    seeds_by_default: ClassVar[int | None] = None

    @property
    def paper(self) -> Paper:
        """The paper whose experiments it repeats."""
        return paper_of(self.settings)

    @property
    def profile(self) -> Profile:
        """The scale: data, network, recipe and number of seeds."""
        if isinstance(self.settings, RobustSettings):
            return robust_profile(self.settings)
        return profile_of(self.settings)

    @property
    def ratio(self) -> float:
        """The long-tail ratio at which it compares its methods."""
        own = getattr(self.settings, "imbalance", None)
        return self.profile.imbalance if own is None else float(own)

    def members(self) -> list[Member]:
        """Its runs, each with its place: by default those of each of its families."""
        return [m for family in self.study_families() for m in self.family_members(family)]

    def study_families(self) -> Sequence[Any]:
        """Families of runs, by default one per seed at the settings' ratio."""
        if isinstance(self.settings, RobustSettings):
            return families_of(self.settings, at_quick=self.seeds_by_default or 1)
        most, used = self.seeds_by_default, self.profile
        if most and self.settings.seeds is None:
            used = used.model_copy(update={"seeds": min(used.seeds, most)})
        return families_at(used, getattr(self.settings, "imbalance", None))

    def family_members(self, family: Any) -> list[Member]:
        """The runs of one family, each with its place."""
        return [
            Member(name, family.imbalance, temperature, family.seed, spec, self.place(family))
            for name, temperature, spec in self.named_runs(family)
        ]

    def place(self, family: Any) -> Place:
        """Columns of ``table`` and what they hold for all runs of a family; by default none."""
        return ()

    def named_runs(self, family: Any) -> Sequence[Named]:
        """The methods of one family with their temperatures: what a chapter fills in.

        By default the teacher, the one-hot student and the distilled one.
        """
        return family.plain_three(self.settings.temperature, self.settings.alpha)  # type: ignore[attr-defined]

    def row_members(self) -> list[Member]:
        """A member for each row of ``per_seed``; another list where a run makes several rows."""
        return self.members()

    def runs(self) -> list[RunSpec]:
        """The runs that it needs; their teachers are trained too."""
        return [member.spec for member in self.members()]
