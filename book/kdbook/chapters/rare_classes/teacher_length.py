"""Is the harm that of an unfinished teacher? Teacher's length crossed with student's and with T.

Nothing but epochs and temperature changes. The students of a seed share data, initial weights,
order and shifts; those of one length share the one-hot student that they are compared with.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import pandas as pd
from pydantic import Field

from kdbook import compare, tables
from kdbook.compare import difference_scale_of, with_holm
from kdbook.families import Family, families_at
from kdbook.profiles import profile_of
from kdbook.settings import FromText, Imbalance, Temperature
from kdbook.settings import Settings as BaseSettings
from kdbook.study import Study
from kdbook.tables import Member, off_label_by_class
from kdlib.metrics import DIFFERENCE, SIGNED, Scale
from kdlib.runs import RunResult, RunSpec

Length = Annotated[int, Field(ge=2, le=10_000)]
Lengths = Annotated[tuple[Length, ...], Field(min_length=1)]
nan = float("nan")
_CELL = ["method", "temperature", "teacher_epochs", "student_epochs"]
OFF_LABEL, OFF_LABEL_RAREST = "off_label", "off_label_rarest"


class Settings(BaseSettings):
    """What the chapter lets a reader set.

    Attributes:
        teacher_lengths: epochs of the teachers, each from 2 to 10,000.
        student_lengths: epochs of the students, each from 2 to 10,000.
        temperatures: of the teacher's probabilities, each 0.05 to 100.
        imbalance: long-tail ratio, 1 to 1000; ``None``: the profile's.
    """

    teacher_lengths: Annotated[Lengths, FromText] = (40, 80, 160, 320)
    student_lengths: Annotated[Lengths, FromText] = (40, 80, 160)
    temperatures: Annotated[tuple[Temperature, ...], Field(min_length=1), FromText] = (1.0, 3.0)
    imbalance: Annotated[Imbalance | None, FromText] = None


def changes(table: pd.DataFrame, measure: str = "rarest") -> pd.DataFrame:
    """Each taught student minus the one-hot student of its seed and length, one row per seed.

    Args:
        table: as ``per_seed`` gives it, or a record of it.
        measure: a column of it.

    Returns:
        Columns: method, temperature, teacher_epochs, student_epochs, seed, difference.
    """
    plain = table[table["method"] == "one-hot"].set_index(["student_epochs", "seed"])[measure]
    taught = table[table["method"].isin(["distilled", "AdaAlpha"])]
    taught = taught.join(plain.rename("one-hot"), on=["student_epochs", "seed"])
    taught = taught.assign(difference=taught[measure] - taught["one-hot"])
    return taught[[*_CELL, "seed", "difference"]].dropna(subset="difference")


def effects(table: pd.DataFrame, measure: str = "rarest") -> pd.DataFrame:
    """The changes with intervals over seeds.

    Returns:
        Columns: method, temperature, teacher_epochs, student_epochs, mean, low, high, seeds, p (of
        the paired t-test, not corrected).
    """
    scale = difference_scale_of(measure)
    return compare.with_intervals(changes(table, measure), "difference", _CELL, scale)


def by_teacher(table: pd.DataFrame, measure: str = "rarest") -> pd.DataFrame:
    """The changes by teacher's length, averaged over the students' lengths within each seed.

    Returns:
        Columns: method, temperature, teacher_epochs, mean, low, high, seeds, p, p_holm (corrected
        for all rows of the method).
    """
    means = changes(table, measure).groupby([*_CELL[:3], "seed"], as_index=False, sort=False)
    return _corrected(means[["difference"]].mean(), _CELL[:3], difference_scale_of(measure))


def levers(table: pd.DataFrame, measure: str = "rarest") -> pd.DataFrame:
    """What longer training moves: the change at the longest length minus that at the shortest.

    Of the teachers averaged over the students' lengths within each seed, and the reverse.

    Returns:
        Columns: method, temperature, longer (``teachers`` or ``students``), shortest, longest
        (epochs), mean, low, high, seeds, p, p_holm (corrected for all rows of the method).
    """
    each = changes(table, measure)
    kinds = {"teachers": "teacher_epochs", "students": "student_epochs"}
    rows = [_longest_less_shortest(each, key).assign(longer=name) for name, key in kinds.items()]
    by = [*_CELL[:2], "longer", "shortest", "longest"]
    return _corrected(pd.concat(rows, ignore_index=True), by, DIFFERENCE)


def off_label_shares(table: pd.DataFrame) -> pd.DataFrame:
    """Mean share of the target off the label by teacher's length and temperature, in percent.

    Args:
        table: as ``per_seed`` gives it, or a record of it.

    Returns:
        Columns: teacher_epochs, temperature, off_label, off_label_rarest.
    """
    told = table[table["method"] == "distilled"]
    means = told.groupby(["teacher_epochs", "temperature"])[[OFF_LABEL, OFF_LABEL_RAREST]].mean()
    return means.reset_index()


def dose(table: pd.DataFrame, measure: str = "rarest") -> pd.Series:
    """Does more of the target off the label cost more? Rank correlation within each seed.

    Spearman's, of the share off the label in the rarest fifth and the change of the distilled
    student, over the teachers' lengths and temperatures; both are means over the students' lengths.

    Returns:
        mean, low, high over seeds, seeds.
    """
    by = ["temperature", "teacher_epochs", "seed"]
    told = table[table["method"] == "distilled"].groupby(by)[OFF_LABEL_RAREST].mean()
    each = changes(table, measure)
    moved = each[each["method"] == "distilled"].groupby(by)["difference"].mean()
    both = pd.concat([told, moved], axis=1).dropna()
    ranks = [
        rows[OFF_LABEL_RAREST].corr(rows["difference"], method="spearman")
        for _, rows in both.groupby("seed")
    ]
    return pd.Series(compare.over_seeds(ranks, SIGNED))


def validation_by_length(table: pd.DataFrame) -> pd.DataFrame:
    """What chose the profile's teacher: its validation accuracy at each length, in percent.

    Returns:
        Columns: teacher_epochs, mean, low, high, seeds. No rows where validation images are part of
        the test images, so that they have chosen nothing.
    """
    teachers = table[table["method"] == "teacher"]
    if "validation" not in table:
        return pd.DataFrame(columns=["teacher_epochs", "mean", "low", "high", "seeds"])
    return compare.with_intervals(teachers, "validation", ["teacher_epochs"])


def _corrected(differences: pd.DataFrame, by: Sequence[str], scale: Scale) -> pd.DataFrame:
    each = [with_holm(rows, by, scale) for _, rows in differences.groupby("method", sort=False)]
    return pd.concat(each, ignore_index=True)


def _longest_less_shortest(each: pd.DataFrame, key: str) -> pd.DataFrame:
    by_length = each.groupby([*_CELL[:2], "seed", key])["difference"].mean().unstack(key)
    ends = {"shortest": by_length.columns[0], "longest": by_length.columns[-1]}
    moved = (by_length[ends["longest"]] - by_length[ends["shortest"]]).rename("difference")
    return moved.dropna().reset_index().assign(**ends)


def _member(
    name: str, family: Family, spec: RunSpec, temperature: float, teacher: float, student: float
) -> Member:
    place = (("teacher_epochs", float(teacher)), ("student_epochs", float(student)))
    return Member(name, family.imbalance, temperature, family.seed, spec, place)


def _off_label(member: Member, result: RunResult) -> tuple[float, float]:
    teacher = result.spec.teacher
    if member.method != "distilled" or teacher is None or result.status == "diverged":
        return nan, nan
    off = off_label_by_class(teacher, result.folder.parent, member.temperature)
    counts = tables.training_counts(member.spec)
    return float(off.mean()), float(off[tables.rarest_fifth(counts)].mean())


class TeacherLength(Study[Settings]):
    """Its runs and their tables."""

    question = "Is the harm to rare classes that of an unfinished teacher?"
    blanks = ("teacher_epochs", OFF_LABEL, OFF_LABEL_RAREST)
    Settings = Settings

    def members(self) -> list[Member]:
        """Teachers of every length, and every student of each.

        The columns ``teacher_epochs`` and ``student_epochs`` name the lengths; a teacher's own is
        both, and a one-hot student has no teacher (NaN).
        """
        seeds = range(self.profile.seeds)
        return [member for seed in seeds for member in self._seed_members(seed)]

    def per_seed(self, results: Sequence[RunResult | None]) -> pd.DataFrame:
        """One row per run; see ``kdbook.tables.per_seed``.

        Two more columns tell of distilled students how much of the teacher's probability lies off
        the label on the training images, in percent: ``off_label`` is the mean over classes,
        ``off_label_rarest`` that over the rarest fifth of them. Images are as they are, not
        shifted.
        """
        wanted = self.members()
        table = tables.per_seed(wanted, results)
        told = [
            _off_label(member, result)
            for member, result in zip(wanted, results, strict=True)
            if result is not None
        ]
        return table.join(pd.DataFrame(told, columns=[OFF_LABEL, OFF_LABEL_RAREST]))

    def _seed_members(self, seed: int) -> list[Member]:
        found = [
            _member("teacher", family, family.teacher(), nan, length, length)
            for length in self.settings.teacher_lengths
            for family in [self._family(seed, length, length)]
        ]
        for student in self.settings.student_lengths:
            plain = self._family(seed, student, student)
            found.append(_member("one-hot", plain, plain.one_hot(), nan, nan, student))
            for teacher in self.settings.teacher_lengths:
                found += self._taught(self._family(seed, student, teacher), student, teacher)
        return found

    def _taught(self, family: Family, student: int, teacher: int) -> list[Member]:
        return [
            _member(name, family, spec, temperature, teacher, student)
            for temperature in self.settings.temperatures
            for name, spec in (
                ("distilled", family.distilled(temperature)),
                ("AdaAlpha", family.ada_alpha(temperature)),
            )
        ]

    def _family(self, seed: int, student: int, teacher: int) -> Family:
        lengths = {"epochs": student, "teacher_epochs": teacher}
        profile = profile_of(self.settings.model_copy(update=lengths))
        return families_at(profile, self.settings.imbalance)[seed]
