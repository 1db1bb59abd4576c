"""Who pays? Every class at every setting that the front page lets a reader move.

Long-tail ratio crossed with temperature and trust; at the profile's own ratio and full trust, the
teacher's length crossed with temperature too. The students of a seed and ratio share data, initial
weights, order and shifts, and one one-hot student that all are compared with.
"""

from __future__ import annotations

from typing import Annotated

import pandas as pd
from pydantic import Field

from kdbook import tables
from kdbook.chapters.rare_classes import Ratios
from kdbook.chapters.rare_classes.teacher_length import Lengths
from kdbook.families import Family, families
from kdbook.profiles import profile_of
from kdbook.protocol import reported_split
from kdbook.settings import Alpha, FromText, Temperature
from kdbook.settings import Settings as BaseSettings
from kdbook.study import Results, Study
from kdbook.tables import Member
from kdlib.runs import RunSpec

CLASS = "class_"
"""Starts the names of the columns with the accuracy of each class."""
nan = float("nan")


class Settings(BaseSettings):
    """What can be set.

    Attributes:
        imbalances: long-tail ratios, each from 1 to 1000.
        temperatures: of the teacher's probabilities, each 0.05 to 100.
        alphas: trust of the distilled students in teachers of the profile's length, each 0 to 1
            (equation 1); teachers of other lengths are trusted fully.
        teacher_lengths: epochs of the teachers at the profile's own ratio, each from 2 to 10,000.
            At other ratios teachers have the profile's length.
    """

    imbalances: Annotated[Ratios, FromText] = (1.0, 5.0, 20.0, 50.0)
    temperatures: Annotated[tuple[Temperature, ...], Field(min_length=1), FromText] = (1, 3, 5)
    alphas: Annotated[tuple[Alpha, ...], Field(min_length=1), FromText] = (0.5, 1.0)
    teacher_lengths: Annotated[Lengths, FromText] = (40, 80, 160, 320)


class WhoPays(Study[Settings]):
    """Its runs and their table."""

    question = "Which classes pay, at which ratio and temperature, and under which teacher?"
    Settings = Settings
    blanks = ("alpha", "teacher_epochs")

    def members(self) -> list[Member]:
        """Teachers, one-hot, distilled and AdaAlpha students at every ratio and seed.

        The columns ``alpha`` and ``teacher_epochs`` name the trust and the teacher's length; they
        are NaN where there is none.
        """
        return [
            member
            for ratio in self.settings.imbalances
            for family in families(self.profile, ratio)
            for member in _seed_members(self.settings, ratio, family.seed)
        ]

    def per_seed(self, results: Results) -> pd.DataFrame:
        """One row per run; see ``kdbook.tables.per_seed``.

        Columns ``class_0``, ``class_1``, ... hold each class's accuracy on the test images, in
        percent; classes are numbered from the most to the least frequent.
        """
        table = tables.per_seed(self.members(), results)
        accuracies = [
            100 * result.accuracy(reported_split(result.spec))
            for result in results
            if result is not None
        ]
        return table.join(pd.DataFrame(accuracies).add_prefix(CLASS))


def _own_length(settings: Settings, ratio: float) -> int:
    return profile_of(settings).at(ratio).teachers_recipe.epochs


def _lengths_at(settings: Settings, ratio: float) -> tuple[int, ...]:
    own_ratio = ratio == profile_of(settings).imbalance
    return settings.teacher_lengths if own_ratio else (_own_length(settings, ratio),)


def _seed_members(settings: Settings, ratio: float, seed: int) -> list[Member]:
    found = []
    lengths = _lengths_at(settings, ratio)
    for length in lengths:
        family = _family(settings, ratio, seed, length)
        found.append(_member("teacher", family, family.teacher(), length=length))
        found += _taught(settings, family, length)
    plain = _family(settings, ratio, seed, lengths[0])
    return [_member("one-hot", plain, plain.one_hot()), *found]


def _taught(settings: Settings, family: Family, length: float) -> list[Member]:
    own = length == _own_length(settings, family.imbalance)
    distilled = [
        _member("distilled", family, family.distilled(heat, alpha), heat, alpha, length)
        for heat in settings.temperatures
        for alpha in (settings.alphas if own else (1.0,))
    ]
    by_class = [
        _member("AdaAlpha", family, family.ada_alpha(heat), heat, length=length)
        for heat in settings.temperatures
    ]
    return distilled + by_class


def _member(
    name: str, family: Family, spec: RunSpec,
    heat: float = nan, alpha: float = nan, length: float = nan,
) -> Member:  # fmt: skip
    place = (("alpha", float(alpha)), ("teacher_epochs", float(length)))
    return Member(name, family.imbalance, float(heat), family.seed, spec, place)


def _family(settings: Settings, ratio: float, seed: int, length: int) -> Family:
    profile = profile_of(settings.model_copy(update={"teacher_epochs": length}))
    return Family(profile, ratio, seed)
