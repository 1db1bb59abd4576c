"""How much of the harm is the recipe's? The same students in smaller and larger batches.

Nothing else changes. The epochs stay, so a smaller batch also means more steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import TYPE_CHECKING, Annotated

import pandas as pd
from pydantic import Field

from kdbook import compare, tables
from kdbook.compare import change, moved, named, signed
from kdbook.families import Family, Named, families_at
from kdbook.profiles import Profile
from kdbook.settings import FromText, Imbalance, Temperature
from kdbook.settings import Settings as BaseSettings
from kdbook.study import Study
from kdbook.tables import Place

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

_Size = Annotated[int, Field(ge=2, le=65_536)]


class Settings(BaseSettings):
    """What the study lets one set.

    Attributes:
        batch_sizes: of teachers and students alike, each from 2 to 65,536.
        temperatures: of the teacher's probabilities, each 0.05 to 100.
        imbalance: long-tail ratio, 1 to 1000; ``None``: the profile's.
    """

    batch_sizes: Annotated[tuple[_Size, ...], Field(min_length=1), FromText] = (32, 64)
    temperatures: Annotated[tuple[Temperature, ...], Field(min_length=1), FromText] = (1.0, 3.0)
    imbalance: Annotated[Imbalance | None, FromText] = None


def with_batches(profile: Profile, size: int) -> Profile:
    """The profile with another batch size for students and teachers, and nothing else changed."""
    recipes = {"recipe": profile.recipe, "teacher_recipe": profile.teacher_recipe}
    changed = {
        name: recipe and recipe.model_copy(update={"batch_size": size})
        for name, recipe in recipes.items()
    }
    return profile.model_copy(update=changed)


def effects(table: pd.DataFrame, measure: str = "rarest") -> pd.DataFrame:
    """Each taught student minus the one-hot student of its seed and batch size, with intervals.

    Args:
        table: as ``per_seed`` gives it, or a record of it.
        measure: a column of it. The default was chosen by no test image.

    Returns:
        Columns: method, temperature, batch_size, mean, low, high, seeds, p (of the paired t-test,
        not corrected).
    """
    return compare.paired_differences(table, measure, "one-hot", by=["batch_size"])


def recipe_said(changes: pd.DataFrame) -> str:
    """What the batch size does to the distilled student at the highest temperature, a sentence.

    Args:
        changes: as ``effects`` gives it.
    """
    hot = changes["temperature"].max()
    rows = changes[(changes["method"] == "distilled") & (changes["temperature"] == hot)]
    said = [f"in batches of {row['batch_size']:g} it {change(row)}" for _, row in rows.iterrows()]
    told = "; ".join(said).replace(" it ", " accuracy in the rarest fifth ", 1)
    return f"The recipe counts. Distilled at T = {hot:g}, {told}."


def recipe_in_short(changes: pd.DataFrame) -> str:
    """The same without intervals, for a sentence after one on the rarest fifth.

    Args:
        changes: as ``effects`` gives it.
    """
    hot = changes["temperature"].max()
    rows = changes[(changes["method"] == "distilled") & (changes["temperature"] == hot)]
    said = [f"in batches of {row['batch_size']:g} it {moved(row)}" for _, row in rows.iterrows()]
    return f"The recipe counts, too: at T = {hot:g}, {', and '.join(said)}."


def cells(changes: pd.DataFrame) -> pd.DataFrame:
    """The effects as text: a row per student, distilled ones first, and a column per batch size."""
    ordered = changes.sort_values(["method", "temperature"], ascending=[False, True], kind="stable")
    table = named(ordered).assign(cell=[signed(row) for _, row in ordered.iterrows()])
    wide = table.pivot(index="method", columns="batch_size", values="cell")
    wide = wide.loc[list(dict.fromkeys(table["method"]))]
    return wide.rename(columns="batches of {:g}".format).rename_axis(columns=None)


def cells_shown(changes: pd.DataFrame) -> Styler:
    """``cells`` as a table."""
    caption = "The rarest fifth, each student minus one-hot, in points, by the size of the batches."
    return tables.shown(tables.unbroken(cells(changes).rename_axis("student")), caption)


class BatchSize(Study[Settings]):
    """Its runs and their tables."""

    question = "How much of the harm to rare classes is the recipe's?"
    Settings = Settings

    def study_families(self) -> Sequence[Family]:
        """A family per batch size and seed."""
        profiles = [with_batches(self.profile, size) for size in self.settings.batch_sizes]
        return [f for used in profiles for f in families_at(used, self.settings.imbalance)]

    def place(self, family: Family) -> Place:
        """The column ``batch_size``."""
        return (("batch_size", float(family.profile.recipe.batch_size)),)

    def named_runs(self, family: Family) -> list[Named]:
        """One-hot, distilled and AdaAlpha students."""
        rows: list[Named] = [("one-hot", nan, family.one_hot())]
        for temperature in self.settings.temperatures:
            rows.append(("distilled", temperature, family.distilled(temperature)))
            rows.append(("AdaAlpha", temperature, family.ada_alpha(temperature)))
        return rows
