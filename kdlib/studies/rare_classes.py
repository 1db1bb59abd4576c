"""Do rare classes pay for distillation? Section 3.4 of Teacher's pet: the long tail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import pandas as pd
from pydantic import Field

from kdlib.runs import RunResult, RunSpec
from kdlib.studies import tables
from kdlib.studies.families import Family, families
from kdlib.studies.profiles import profile_of
from kdlib.studies.settings import Alpha, FromText, Imbalance, Temperature
from kdlib.studies.settings import Settings as BaseSettings
from kdlib.studies.tables import Member

Ratios = Annotated[tuple[Imbalance, ...], Field(min_length=1)]

QUESTION = "Do rare classes pay for distillation?"


class Settings(BaseSettings):
    """What the chapter lets a reader set.

    Attributes:
        imbalances: long-tail ratios to sweep, each from 1 to 1000; ``None``: the profile's.
        temperature: of the teacher's probabilities, 0.05 to 100.
        alpha: trust in the teacher, 0 to 1 (equation 1).
    """

    imbalances: Annotated[Ratios | None, FromText] = None
    temperature: Temperature = 1.0
    alpha: Alpha = 1.0


def ratios(settings: Settings) -> tuple[float, ...]:
    """The swept imbalance ratios, ascending, each once."""
    return tuple(sorted(set(settings.imbalances or profile_of(settings).imbalances)))


def members(settings: Settings) -> list[Member]:
    """One-hot and distilled students, and their teachers, at every ratio and seed."""
    profile = profile_of(settings)
    return [
        member
        for ratio in ratios(settings)
        for family in families(profile, ratio)
        for member in _family_members(family, settings)
    ]


def runs(settings: Settings) -> list[RunSpec]:
    """The runs that the study needs."""
    return [member.spec for member in members(settings)]


def per_seed(settings: Settings, results: Sequence[RunResult]) -> pd.DataFrame:
    """One row a run; see ``kdlib.studies.tables.per_seed``."""
    return tables.per_seed(members(settings), results)


def per_class(settings: Settings, results: Sequence[RunResult]) -> pd.DataFrame:
    """One row a run and class; see ``kdlib.studies.tables.per_class``."""
    return tables.per_class(members(settings), results)


def _family_members(family: Family, settings: Settings) -> list[Member]:
    temperature = settings.temperature
    named: list[tuple[str, float, RunSpec]] = [
        ("teacher", float("nan"), family.teacher()),
        ("one-hot", float("nan"), family.one_hot()),
        ("distilled", temperature, family.distilled(temperature, settings.alpha)),
    ]
    return [Member(name, family.imbalance, t, family.seed, spec) for name, t, spec in named]
