"""Does a stronger teacher do more harm? Section 3.2 of Teacher's pet: size and architecture."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations, product
from typing import Annotated, Literal, get_args

import pandas as pd
from pydantic import Field

from kdbook import compare, tables
from kdbook.chapters.architectures.worst_classes import BY_TEACHER, BY_VALIDATION, by_each_ordering
from kdbook.compare import paired_rows, signed
from kdbook.families import Family
from kdbook.profiles import Profile
from kdbook.settings import TEMPERATURE, Alpha, FromText, Imbalance, ProfileName, Temperature
from kdbook.settings import Settings as BaseSettings
from kdbook.study import Study
from kdbook.tables import Member
from kdlib.models import ModelSpec
from kdlib.runs import RunResult, RunSpec

Size = Literal["small", "medium", "large"]
SIZES: tuple[Size, ...] = get_args(Size)
NETWORKS: dict[ProfileName, dict[Size, ModelSpec]] = {
    "quick": {
        "small": ModelSpec(depth=8, width=8),
        "medium": ModelSpec(depth=8),
        "large": ModelSpec(depth=14),
    },
    "standard": {
        "small": ModelSpec(depth=8),
        "medium": ModelSpec(depth=20),
        "large": ModelSpec(depth=32),
    },
    "paper": {
        "small": ModelSpec(depth=20),
        "medium": ModelSpec(depth=32),
        "large": ModelSpec(depth=56),
    },
}
"""Three networks per profile; its own one is among them, so that runs are shared."""

_SEEDS = 4


class Settings(BaseSettings):
    """What the chapter lets a reader set; ``seeds`` is 4, or the profile's fewer, if not given.

    Attributes:
        imbalance: long-tail ratio, 1 to 1000; ``None``: the profile's.
        temperature: of the teacher's probabilities, 0.05 to 100.
        alpha: trust in the teacher, 0 to 1 (equation 1).
        sizes: which of the networks teach and learn.
        teacher_stops_after: epochs after which teachers stop early, as section 3 of the paper has
            it on ImageNet; ``None``: they do not.
    """

    imbalance: Annotated[Imbalance | None, FromText] = None
    temperature: Temperature = TEMPERATURE
    alpha: Alpha = 1.0
    sizes: Annotated[tuple[Size, ...], Field(min_length=1, max_length=3), FromText] = SIZES
    teacher_stops_after: Annotated[Annotated[int, Field(ge=1)] | None, FromText] = None


def stronger_minus_weaker(differences: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """For each student and each two teachers: the effect of the stronger minus that of the weaker.

    Negative where the stronger teacher harms more.

    Args:
        differences: ``teacher``, ``student``, ``difference`` (distilled minus one-hot, percentage
            points) and perhaps ``seed``; a teacher that a student lacks is left out.
        order: the teachers, the weakest first.

    Returns:
        Columns: student, weaker, stronger, difference, and ``seed`` where it was given.
    """
    keys = [name for name in ("student", "seed") if name in differences.columns]
    wide = differences.pivot(index=keys, columns="teacher", values="difference")
    taught = [teacher for teacher in order if teacher in wide.columns]
    columns = [*keys, "weaker", "stronger", "difference"]
    pieces = [
        (wide[stronger] - wide[weaker])
        .dropna()
        .rename("difference")
        .reset_index()
        .assign(weaker=weaker, stronger=stronger)[columns]
        for weaker, stronger in combinations(taught, 2)
    ]
    return pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame(columns=columns)


def strength_effects(differences: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """``stronger_minus_weaker``, averaged over students within a seed, with intervals over seeds.

    The students of a seed share teachers, so they are averaged before seeds are counted.

    Returns:
        Columns: weaker, stronger, mean, low, high, seeds.
    """
    rows, keys = stronger_minus_weaker(differences, order), ["weaker", "stronger"]
    averaged = rows.groupby([*keys, "seed"], sort=False)["difference"].mean().reset_index()
    return compare.with_intervals(averaged, "difference", keys)


def overview(table: pd.DataFrame) -> pd.DataFrame:
    """Distilled minus one-hot in each cell, as text, for the mean and the worst by each ordering.

    Args:
        table: as ``per_seed`` gives it, or a record of it.
    """
    tenth = "worst_10" if "worst_10" in table else "worst_1"
    wanted = {
        "mean": "mean",
        tenth: "own worst",
        BY_TEACHER: "teacher's worst, by test",
        BY_VALIDATION: "teacher's worst, by validation",
        "rarest": "rarest fifth",
    }
    columns = {}
    for key, words in wanted.items():
        rows = paired_rows(table, key, ("distilled", "one-hot"), ["teacher", "student"])
        cells = compare.with_intervals(rows, "difference", ["teacher", "student"])
        columns[words] = cells.set_index(["teacher", "student"]).apply(signed, axis=1)
    return pd.DataFrame(columns)


class Architectures(Study[Settings]):
    """Its runs and their tables."""

    question = "Does a stronger teacher do more harm?"
    Settings = Settings

    def sizes(self) -> tuple[Size, ...]:
        """The sizes of the grid, ascending, each once."""
        return tuple(size for size in SIZES if size in self.settings.sizes)

    def family(self, teacher: Size, student: Size, seed: int) -> Family:
        """The runs of one cell of the grid and one seed."""
        profile, networks = self.profile, NETWORKS[self.settings.profile]
        return Family(
            profile,
            profile.imbalance if self.settings.imbalance is None else self.settings.imbalance,
            seed,
            model=networks[student],
            teacher_model=networks[teacher],
            teacher_stops_after=self.settings.teacher_stops_after,
        )

    def members(self) -> list[Member]:
        """A teacher, a one-hot and a distilled student for each seed and cell of the grid.

        The columns ``teacher`` and ``student`` name the cell. A teacher stands in every cell where
        it teaches, and a one-hot student in every cell of its size, so that each cell is complete.
        """
        seeds = range(self.number_of_seeds(self.profile))
        cells = list(product(self.sizes(), repeat=2))
        return [
            member
            for seed in seeds
            for teacher, student in cells
            for member in self._cell(teacher, student, seed)
        ]

    def number_of_seeds(self, profile: Profile) -> int:
        """The settings' seeds; without them 4, or the profile's own where that is smaller."""
        return self.settings.seeds or min(_SEEDS, profile.seeds)

    def per_seed(self, results: Sequence[RunResult | None]) -> pd.DataFrame:
        """One row per run and cell; see ``kdbook.tables.per_seed``.

        Beside ``worst_k``, the worst of the evaluated model itself, the columns
        ``worst_by_teacher`` and ``worst_by_validation`` hold its accuracy over the worst classes
        of the cell's teacher (see ``worst_classes``). A run that is not finished, or whose cell's
        teacher is not, has no row.
        """
        placed = [
            (member, result, teacher)
            for at, (member, result) in enumerate(zip(self.members(), results, strict=True))
            if result is not None
            and (teacher := results[at - at % 3])  # a cell starts with its teacher
        ]
        table = tables.per_seed([m for m, _, _ in placed], [result for _, result, _ in placed])
        orderings = [by_each_ordering(result, teacher) for _, result, teacher in placed]
        return table.join(pd.DataFrame(orderings)[[BY_TEACHER, BY_VALIDATION]])

    def _cell(self, teacher: Size, student: Size, seed: int) -> list[Member]:
        runs_of = self.family(teacher, student, seed)
        temperature = self.settings.temperature
        named: list[tuple[str, float, RunSpec]] = [
            ("teacher", float("nan"), runs_of.teacher()),
            ("one-hot", float("nan"), runs_of.one_hot()),
            ("distilled", temperature, runs_of.distilled(temperature, self.settings.alpha)),
        ]
        place = (("teacher", teacher), ("student", student))
        return [Member(name, runs_of.imbalance, t, seed, spec, place) for name, t, spec in named]
