"""What a chapter asks, what it trains to know, and the tables that follow.

A chapter fills in a ``Study``: its question, its settings and its members, which are runs with
their place in the study. The runs, the tables by seed and by class, the comparisons and the record
follow from these. A study that trains no network is ``Computed``: it fills in its table.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from re import sub
from typing import Any, ClassVar, Generic, Self, TypeVar

import pandas as pd

from kdbook import compare, tables
from kdbook.members import AnySettings, Members
from kdbook.published import beside_paper, published
from kdbook.records import recorded, recorded_rows, with_recorded
from kdbook.settings import Settings
from kdbook.shelf import BookStore
from kdbook.shelf import results as results_of_book
from kdbook.tables import Member
from kdlib.data import Dataset
from kdlib.metrics import FREE, Scale
from kdlib.runs import RunResult, RunSpec
from kdlib.runs.build import dataset_for

Results = Sequence[RunResult | None]


class Study(Members[AnySettings]):
    """One question, at some settings.

    Attributes:
        question: that it answers.
        Settings: what a reader may set, with a range for every field.
        trains: whether it has runs, and so members; else it is ``Computed``.
        blanks: columns of its table in which some methods have no value.
        scale: what the values of its table can be, where it has a column ``value``.
        settings: of this one.
        chart: its chapter's charts, where ``kdbook.chapters.chapter`` opened it.
        panel: panels with sliders that need a kernel, likewise; ``explore()`` shows its settings'.
        room: the package of its chapter, likewise.
    """

    question: ClassVar[str]
    Settings: ClassVar[type[Settings]]
    blanks: ClassVar[tuple[str, ...]] = ()
    scale: ClassVar[Scale] = FREE
    trains: ClassVar[bool] = True
    chart: Any
    panel: Any
    explore: Any
    room: Any

    def __init__(self, settings: AnySettings | None = None) -> None:
        self._results: list[RunResult] | None = None
        self.settings = settings or self.Settings()  # type: ignore[assignment]

    def at(self, settings: AnySettings) -> Self:
        """The same study at other settings."""
        return type(self)(settings)

    @classmethod
    def parse(cls, /, **values: Any) -> Self:
        """The study at these values of its settings.

        Raises:
            SettingError: a value that is not allowed, or a name that is not known (one line).
        """
        return cls(cls.Settings.parse(**values))  # type: ignore[arg-type]

    @property
    def name(self) -> str:
        """On the command line and in records: of ``RareClasses`` it is ``rare_classes``."""
        return sub(r"\B([A-Z])", r"_\1", type(self).__name__).lower()

    def results(self) -> list[RunResult]:
        """Those of its runs, in their order: recorded, or trained here, once."""
        if self._results is None:
            self._results = results_of_book(self.runs())
        return self._results

    def per_seed(self, results: Results) -> pd.DataFrame:
        """One row per run; see ``kdbook.tables.per_seed``."""
        return tables.per_seed(self.members(), results, self.paper)

    def per_class(self, results: Results) -> pd.DataFrame:
        """One row per run and class; see ``kdbook.tables.per_class``."""
        return tables.per_class(self.members(), results, self.paper)

    def provenance(self) -> dict[str, Any]:
        """What a record of a study without runs says of dataset, model and recipe."""
        return {"dataset": "simulated", "model": "no network", "recipe": {}}

    @cached_property
    def data(self) -> Dataset:
        """The images of its first run, in splits."""
        return dataset_for(self.runs()[0])

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes in words, by label."""
        return tuple(self.data.class_names)

    @property
    def store(self) -> BookStore:
        """Where runs are read from: those that the book keeps, then those trained here."""
        return BookStore()

    @cached_property
    def class_tags(self) -> dict[int, str]:
        """By label what an axis says of a class: its name, and below it its training images."""
        pairs = zip(self.class_names, self.data.train.class_counts.tolist(), strict=True)
        return {label: f"{name}\n{count}" for label, (name, count) in enumerate(pairs)}

    @cached_property
    def table(self) -> pd.DataFrame:
        """``per_seed`` of ``results``."""
        return self.per_seed(self.results())

    @cached_property
    def class_table(self) -> pd.DataFrame:
        """``per_class`` of ``results``."""
        return self.per_class(self.results())

    @property
    def at_ratio(self) -> pd.DataFrame:
        """The rows of ``table`` at ``ratio``."""
        return self.table[self.table["imbalance"] == self.ratio]

    def measures(self) -> dict[str, str]:
        """What it compares: columns of ``table``, and their names."""
        return compare.measures(len(self.class_names))

    def overview(self) -> pd.DataFrame:
        """Means with intervals as text: a row per method, a column per measure."""
        return compare.overview(self.at_ratio, self.measures())

    def class_lines(self) -> pd.DataFrame:
        """Accuracy of every class by method and ratio, with intervals and the classes' names."""
        by = ["method", "imbalance", "label"]
        rows = compare.with_intervals(self.class_table, "accuracy", by)
        return rows.assign(class_name=rows["label"].map(dict(enumerate(self.class_names))))

    def compare(
        self, method: str, baseline: str, *, measures: Mapping[str, str] | None = None,
        ratio: float | None = None,
    ) -> pd.DataFrame:  # fmt: skip
        """One method minus another, paired by seed: a row per measure.

        Args:
            method: as the column ``method`` names it. Where it was trained at several
                temperatures, with one of them: ``distilled, T = 3``.
            baseline: named alike.
            measures: from columns of ``table`` to their names; by default all ``measures``.
            ratio: the long-tail ratio; by default the study's.

        Returns:
            As ``kdbook.compare.compare``.
        """
        rows = self.table[self.table["imbalance"] == (self.ratio if ratio is None else ratio)]
        pair = compare.full_name(rows, method), compare.full_name(rows, baseline)
        return compare.compare(rows, [pair], measures or self.measures())

    def results_of(self, method: str, ratio: float | None = None) -> list[RunResult]:
        """The results of one method at one long-tail ratio, by seed."""
        wanted = method, self.ratio if ratio is None else ratio
        pairs = zip(self.members(), self.results(), strict=True)
        return [result for m, result in pairs if (m.method, m.imbalance) == wanted]

    def published(self, **wanted: str) -> pd.DataFrame:
        """The numbers that its paper prints; see ``kdbook.published``."""
        return published(paper=self.paper, **wanted)

    @staticmethod
    def train(wanted: Sequence[Member | RunSpec], **how: Any) -> list[RunResult]:
        """Results of further runs, or members: recorded, or trained, ``how`` as by ``execute``."""
        specs = [one.spec if isinstance(one, Member) else one for one in wanted]
        return results_of_book(specs, **how)

    def trained_where(self) -> Any:
        """When and where its runs were trained; see ``kdbook.trained_where``."""
        from kdbook.trained_where import trained_where

        return trained_where(self)

    beside_paper = staticmethod(beside_paper)

    def recorded(self, show: Callable[[pd.DataFrame], pd.DataFrame] | None = None) -> Any:
        """What the book has recorded of it on the paper's data, or how to record that.

        Args:
            show: what to show of a record; see ``kdbook.records.recorded``.
        """
        return say(recorded(self.name, show=show))

    def with_recorded(self, per_seed: pd.DataFrame) -> pd.DataFrame:
        """The rows, and recorded ones of further seeds; see ``kdbook.records.with_recorded``."""
        return with_recorded(self, per_seed)

    def recorded_rows(self, needs: Sequence[str] = ()) -> pd.DataFrame:
        """The recorded rows of its very runs; see ``kdbook.records.recorded_rows``."""
        return recorded_rows(self, needs)


class Computed(Study[AnySettings]):
    """A study that trains no network: its table is computed here and now.

    A chapter fills in ``compute``: one number per row in the column ``value``, a column ``seed``,
    and columns that name what was measured.
    """

    trains = False

    def compute(self) -> pd.DataFrame:
        """The table: what a chapter fills in."""
        raise NotImplementedError

    @cached_property
    def table(self) -> pd.DataFrame:
        """``compute``, once."""
        return self.compute()


AnyStudy = TypeVar("AnyStudy", bound=Study)


@dataclass(frozen=True)
class StudyFindings(Generic[AnyStudy]):
    """What a chapter says of its study, at its settings; what the store lacks is trained."""

    study: AnyStudy

    @cached_property
    def summary(self) -> pd.DataFrame:
        """The study's table."""
        return self.study.table


def say(said: Any) -> Any:
    """Text as Markdown, several sentences as a list of it; anything else as it is."""
    from IPython.display import Markdown

    said = compare.listed(said) if isinstance(said, list | tuple) else said
    return Markdown(said) if isinstance(said, str) else said
