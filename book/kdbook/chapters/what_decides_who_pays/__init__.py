"""What decides who pays? Harm by class beside what the student is told of that class.

Two families of runs: teachers and students of every length at two temperatures, and a sweep of the
imbalance ratio. The first is fitted; the second is what the fit must foretell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
import torch
from IPython.display import Markdown

from kdbook import tables
from kdbook.chapters.rare_classes import RareClasses
from kdbook.chapters.rare_classes.teacher_length import TeacherLength
from kdbook.protocol import reported_split
from kdbook.records import Record, book_record
from kdbook.settings import Settings as Settings
from kdbook.study import Results, Study
from kdbook.tables import Member
from kdbook.trained_where import recorded_where
from kdlib.runs import RunResult, RunSpec

LENGTHS, RATIOS = "lengths", "ratios"
"""The two families of runs."""


@dataclass(frozen=True)
class Pair:
    """A distilled student, and the one-hot student that it is compared with.

    They share data, initial weights, order and crops, and differ in the target alone.
    """

    family: str
    taught: Member
    plain: RunSpec

    @property
    def needs(self) -> set[RunSpec | None]:
        """The runs that its rows are made of."""
        return {self.taught.spec, self.plain, self.taught.spec.teacher}


class WhatDecidesWhoPays(Study[Settings]):
    """Its runs and their table."""

    question = "What decides which classes pay for distillation?"
    Settings = Settings

    @cached_property
    def record(self) -> Record:
        """What the book has recorded of it on digits."""
        return book_record(self.name, "quick")

    @cached_property
    def pairs(self) -> list[Pair]:
        """Every distilled student of both families."""
        own = self.settings.model_dump(include={"profile", "seeds", "epochs", "precision"})
        lengths, ratios = TeacherLength.parse(**own), RareClasses.parse(**own)
        return [*_paired(LENGTHS, lengths.members()), *_paired(RATIOS, ratios.members())]

    def row_members(self) -> list[Member]:
        """A member for each distilled student; each makes a row per class."""
        return [pair.taught for pair in self.pairs]

    def runs(self) -> list[RunSpec]:
        """The runs that it needs, each once."""
        taught = [pair.taught.spec for pair in self.pairs]
        teachers = [spec.teacher for spec in taught if spec.teacher is not None]
        return list(dict.fromkeys([*teachers, *(pair.plain for pair in self.pairs), *taught]))

    def trained_where(self) -> Markdown:
        """When and where the students of the record were trained: the page trains none."""
        students = "distilled students, with their teachers and one-hot students"
        return recorded_where(self.record.about, students)

    def per_seed(self, results: Results) -> pd.DataFrame:
        """One row per distilled run and class.

        Columns: family, method, imbalance, temperature, seed, teacher_epochs, student_epochs,
        label; ``train_count``, training images of the class; ``difference``, test accuracy of the
        distilled student minus that of its one-hot student, in percentage points; ``one_hot``, the
        latter's; ``off_label``, percent of the target off the label, mean over the training images
        of the class; ``told_wrong``, percent of these that the teacher takes for another class;
        ``teacher_margin``, its mean margin on the validation images of the class, from -1 to 1;
        status and run.
        """
        found = {result.spec: result for result in results if result is not None}
        rows = [_by_class(pair, found) for pair in self.pairs if pair.needs <= found.keys()]
        return pd.concat(rows, ignore_index=True)


def _paired(family: str, members: Sequence[Member]) -> list[Pair]:
    plain = {_alike(m.spec): m.spec for m in members if m.method == "one-hot"}
    taught = [m for m in members if m.method == "distilled"]
    return [Pair(family, m, plain[_alike(m.spec)]) for m in taught]


def _alike(spec: RunSpec) -> tuple[object, ...]:
    return spec.data, spec.model, spec.recipe, spec.seed


def _by_class(pair: Pair, found: dict[RunSpec, RunResult]) -> pd.DataFrame:
    member, spec = pair.taught, pair.taught.spec
    assert spec.teacher is not None
    taught, plain = found[spec], found[pair.plain]
    split = reported_split(spec)
    before, after = 100 * plain.accuracy(split), 100 * taught.accuracy(split)
    columns = {
        **{key: value for key, value in member.key().items() if key not in _LENGTHS},
        "family": pair.family,
        "teacher_epochs": spec.teacher.recipe.epochs,
        "student_epochs": spec.recipe.epochs,
        "label": range(len(before)),
        "train_count": tables.training_counts(spec),
        "difference": after - before,
        "one_hot": before,
        **_teacher_says(found[spec.teacher], member.temperature),
        "status": taught.status,
        "run": spec.id,
    }
    return pd.DataFrame(columns)


_LENGTHS = ("teacher_epochs", "student_epochs")


def _teacher_says(teacher: RunResult, temperature: float) -> dict[str, object]:
    """What a student hears of each class on its training images, and how well it is judged."""
    store, validation = teacher.folder.parent, teacher.class_rows("validation")
    return {
        "off_label": tables.off_label_by_class(teacher.spec, store, temperature),
        "told_wrong": _told_wrong(teacher),
        "teacher_margin": validation.sort_values("label")["margin"].to_numpy(),
    }


def _told_wrong(teacher: RunResult) -> list[float]:
    logits, labels = tables.training_logits(teacher)
    wrong = (logits.argmax(dim=1) != labels).to(torch.float64)
    return tables.class_averages(100 * wrong, labels, logits.shape[1])
