"""Do rare classes pay for distillation? Section 3.4 of Teacher's pet: the long tail."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from kdbook import compare, tables
from kdbook.chapters.rare_classes import batch_size, findings
from kdbook.families import Family, families
from kdbook.profiles import PROFILES
from kdbook.protocol import reported_split
from kdbook.records import Record, book_record
from kdbook.settings import TEMPERATURE, Alpha, FromText, Imbalance, Temperature
from kdbook.settings import Settings as BaseSettings
from kdbook.study import Study
from kdbook.tables import Member
from kdlib.data import Dataset, load
from kdlib.metrics import POINTS
from kdlib.runs import RunResult
from kdlib.training import Recipe

Ratios = Annotated[tuple[Imbalance, ...], Field(min_length=1)]


class Settings(BaseSettings):
    """What the chapter lets a reader set.

    Attributes:
        imbalances: long-tail ratios to sweep, each from 1 to 1000; ``None``: the profile's.
        temperature: of the teacher's probabilities, 0.05 to 100.
        alpha: trust in the teacher, 0 to 1 (equation 1).
    """

    imbalances: Annotated[Ratios | None, FromText] = None
    temperature: Temperature = TEMPERATURE
    alpha: Alpha = 1.0


def _subgroups(accuracy: np.ndarray) -> dict[str, float]:
    """Classes are numbered from the most to the least frequent."""
    tenth = compare.a_tenth(len(accuracy))
    one = tenth == 1
    return {
        "average": float(accuracy.mean()),
        "rarest class" if one else f"rarest {tenth} classes": float(accuracy[-tenth:].mean()),
        "worst class" if one else f"worst {tenth} classes": float(np.sort(accuracy)[:tenth].mean()),
    }


class RareClasses(Study[Settings]):
    """Its runs and their tables."""

    question = "Do rare classes pay for distillation?"
    Settings = Settings

    def ratios(self) -> tuple[float, ...]:
        """The swept imbalance ratios, ascending, each once."""
        return tuple(sorted(set(self.settings.imbalances or self.profile.imbalances)))

    def study_families(self) -> Sequence[Family]:
        """A family per ratio and seed."""
        return [f for ratio in self.ratios() for f in families(self.profile, ratio)]

    @property
    def ratio(self) -> float:
        """The profile's ratio where it is swept, else the largest that is."""
        main, swept = self.profile.imbalance, self.ratios()
        return main if main in swept else swept[-1]

    def figure_one_members(self) -> list[Member]:
        """One-hot, distilled and AdaAlpha students at the main ratio."""
        found = []
        for family in families(self.profile, self.ratio):
            plain, *taught = self.family_members(family)[1:]
            t = self.settings.temperature
            ada = Member("AdaAlpha", family.imbalance, t, family.seed, family.ada_alpha(t))
            found += [plain, *taught, ada]
        return found

    def figure_one(self, results: Sequence[RunResult]) -> pd.DataFrame:
        """Figure 1 of Teacher's pet: the change to the one-hot student, mean and tail.

        Args:
            results: of the runs of ``figure_one_members``.

        Returns:
            One row per subgroup and method: ``group`` (average; the rarest tenth of the classes by
            training count; the tenth that is worst for each student itself), ``method``, mean, low,
            high (percentage points of test accuracy, paired by seed, 95 % t-interval), seeds.
        """
        rows = [
            {"method": m.method, "temperature": m.temperature, "imbalance": m.imbalance,
             "seed": m.seed, **_subgroups(100 * r.accuracy(reported_split(m.spec)))}
            for m, r in zip(self.figure_one_members(), results, strict=True)
        ]  # fmt: skip
        table = pd.DataFrame(rows)
        groups = [name for name in table.columns if name not in tables.KEYS]
        found = [
            compare.paired_differences(table, group, "one-hot", scale=POINTS).assign(group=group)
            for group in groups
        ]
        kept = ["group", "method", "mean", "low", "high", "seeds"]
        return pd.concat(found, ignore_index=True)[kept]

    @cached_property
    def recorded_lengths(self) -> Record:
        """The record of ``teacher_length``, at the profile of the page if there is one."""
        return book_record("teacher_length", self.settings.profile)

    @cached_property
    def recorded_batches(self) -> pd.DataFrame:
        """The effects of the record of ``batch_size``, likewise."""
        return batch_size.effects(book_record("batch_size", self.settings.profile).table)

    def in_short(self) -> str:
        """What the two records say."""
        return findings.in_short(self.recorded_lengths, self.recorded_batches)

    def teachers_of(self, record: Record) -> Recipe:
        """How the teachers of a record's profile are trained."""
        return PROFILES[record.about.profile].teachers_recipe

    def data_at(self, ratio: float) -> Dataset:
        """The images at a long-tail ratio."""
        return load(self.profile.dataset, imbalance=ratio)
