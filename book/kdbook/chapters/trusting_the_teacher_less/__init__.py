"""Does trusting the teacher less on rare classes mend them? Section 4.1 of Teacher's pet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from kdbook import tables
from kdbook.families import Family, families_at
from kdbook.settings import Alpha, FromText, Imbalance, Temperature
from kdbook.shelf import BookStore
from kdbook.study import Study
from kdbook.tables import Member
from kdbook.tuning import Results, TunedSettings, tuning_members, with_scores
from kdlib.runs import RunSpec, Store, dev_mix


class Settings(TunedSettings):
    """What the chapter lets a reader set.

    Attributes:
        imbalance: long-tail ratio, 1 to 1000; ``None``: the profile's.
        temperatures: of the teacher's probabilities, each 0.05 to 100; distillation and AdaAlpha
            are trained at each.
        alpha: trust of plain distillation in the teacher, 0 to 1.
    """

    imbalance: Annotated[Imbalance | None, FromText] = None
    temperatures: Annotated[tuple[Temperature, ...], Field(min_length=1), FromText] = (1.0, 3.0)
    alpha: Alpha = 1.0


def mean_trust(family: Family, temperature: float, store: Store | None = None) -> float:
    """Mean a_y over the training images, to two digits: how much of the teacher AdaAlpha hears."""
    mix = dev_mix(family.initial_teacher(), temperature, store or BookStore()).numpy()
    return round(float(np.average(mix, weights=tables.training_counts(family.teacher()))), 2)


class TrustingTheTeacherLess(Study[Settings]):
    """Its runs and their tables."""

    question = "Does trusting the teacher less on rare classes mend them?"
    Settings = Settings

    def study_families(self) -> Sequence[Family]:
        """One family a seed at the settings' ratio."""
        return families_at(self.profile, self.settings.imbalance)

    def members(self) -> list[Member]:
        """Teacher and one-hot, then distilled and AdaAlpha students at every temperature."""
        return [m for family in self.study_families() for m in self._family_members(family)]

    def choosing(self) -> list[Member]:
        """The students that choose the temperatures, where the reported ones may not."""
        families = self.study_families()
        return tuning_members(
            families, lambda f: self._family_members(f), self.settings.tuning_seeds
        )

    def runs(self) -> list[RunSpec]:
        """The runs that the study needs: those of ``members``, then those of ``choosing``."""
        return [member.spec for member in (*self.members(), *self.choosing())]

    def per_seed(self, results: Results) -> pd.DataFrame:
        """One row a run of ``members``; see ``kdbook.tables.per_seed``.

        Where dev images choose, the column ``dev`` holds what ``choosing`` scores at the row's
        method and temperature.
        """
        named = self.members()
        rows = tables.per_seed(named, results[: len(named)])
        return with_scores(rows, self.choosing(), results[len(named) :])

    def per_class(self, results: Results) -> pd.DataFrame:
        """One row a run of ``members`` and class; see ``kdbook.tables.per_class``."""
        named = self.members()
        return tables.per_class(named, results[: len(named)])

    def trust(self, temperatures: Sequence[float], store: Store | None = None) -> pd.DataFrame:
        """a_y of equation (3), recomputed at each of ``temperatures`` from the stored dev logits.

        Columns: seed, temperature, label, mix. Trains nothing: the study's runs must be there.
        """
        shelf = store or BookStore()
        rows = [
            {"seed": family.seed, "temperature": temperature, "label": label, "mix": float(value)}
            for family in self.study_families()
            for temperature in temperatures
            for label, value in enumerate(dev_mix(family.initial_teacher(), temperature, shelf))
        ]
        return pd.DataFrame(rows)

    def _family_members(self, family: Family) -> list[Member]:
        blind: list[tuple[str, float, RunSpec]] = [
            ("teacher", float("nan"), family.teacher()),
            ("one-hot", float("nan"), family.one_hot()),
        ]
        taught = [
            (name, t, spec)
            for t in self.settings.temperatures
            for name, spec in (
                ("distilled", family.distilled(t, self.settings.alpha)),
                ("AdaAlpha", family.ada_alpha(t)),
            )
        ]
        return [
            Member(name, family.imbalance, t, family.seed, spec) for name, t, spec in blind + taught
        ]
