"""How much of a bad worst class is bad luck? The errors of section 2, Teacher's pet."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kdbook.families import Family, Named
from kdbook.settings import TEMPERATURE, FromText
from kdbook.settings import Settings as BaseSettings
from kdbook.study import Study
from kdbook.worst_by_chance import (
    exact_worst,
    expected_worst,
    halves,
    simulated_worst,
)

__all__ = ["Measuring", "Settings", "exact_worst", "expected_worst", "halves", "simulated_worst"]

_SEEDS = 5


class Settings(BaseSettings):
    """What the chapter lets a reader set; ``seeds`` is 5, or the profile's fewer, if not given.

    Attributes:
        classes: L of the simulation, 1 to 100.
        images: test images per class in the simulation, 5 to 500.
        accuracy: true accuracy of every class in the simulation, 50 to 99 percent.
        repeats: simulated test sets, 100 to 100,000.
    """

    classes: Annotated[int, Field(ge=1, le=100), FromText] = 10
    images: Annotated[int, Field(ge=5, le=500), FromText] = 30
    accuracy: Annotated[float, Field(ge=50, le=99), FromText] = 90.0
    repeats: Annotated[int, Field(ge=100, le=100_000), FromText] = 10_000


class Measuring(Study[Settings]):
    """Its runs and their tables."""

    seeds_by_default = _SEEDS
    question = "How much of a bad worst class is bad luck?"
    Settings = Settings

    def named_runs(self, family: Family) -> list[Named]:
        """Teacher, one-hot student, and one distilled at alpha = 1."""
        return family.plain_three(TEMPERATURE)
