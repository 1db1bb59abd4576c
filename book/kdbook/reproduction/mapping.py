"""Which of our records answers which published number, as ``published/answers.toml`` lists it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from kdbook.published.lists import listed
from kdlib.training import PRESETS
from kdlib.validated import Frozen

Row = Mapping[Any, Any]
"""Columns of ``kdbook.published`` and their values."""

BLOCKS = "evidence"
"""Stands for the blocks of ``kdbook.evidence``, as ``kdbook.reproduction.blocks`` reads them."""


class Measure(Frozen):
    """A column of our tables, perhaps less another one.

    Attributes:
        column: its name, or ``worst`` for the mean of the ``share`` worst classes.
        share: of the classes, for ``worst``.
        less_worst: whether the mean of the ``share`` worst classes is taken off it.
    """

    column: str
    share: float = 0.0
    less_worst: bool = False


class Setting(Frozen):
    """A paper's setting behind a data set of its tables: what ours must share to be of its kind.

    Attributes:
        dataset: our name of it.
        imbalance: the long-tail ratio; 1 for a balanced set; ``None`` where there is none.
        preset: the recipe of its trainings, in ``kdlib.training.PRESETS``; ``None`` where nothing
            is trained by gradient descent.
        temperatures: those of which each method takes the best.
        chosen_by: the column by which it takes it (``kdbook.selection``).
        test_images: how many test it.
        fitted: what here was chosen by closeness to the printed numbers, so that agreement was
            partly made; empty where nothing was.
    """

    dataset: str
    imbalance: float | None = None
    preset: str | None = None
    temperatures: tuple[float, ...] = ()
    chosen_by: tuple[str, ...] = ()
    test_images: int | None = None
    fitted: str = ""

    @property
    def recipe(self) -> dict[str, Any]:
        """How its networks are trained, field by field; empty where none is."""
        return PRESETS[self.preset].model_dump(mode="json") if self.preset else {}


class Answer(Frozen):
    """Where the numbers whose row has the columns ``when`` are found in our records.

    The head of ``answers.toml`` says what each field is.
    """

    when: dict[str, Any]
    studies: tuple[str, ...] = ()
    method: str = ""
    less: str | None = None
    base: dict[str, Any] = Field(default_factory=dict)
    measure: str | None = None
    one_teacher: bool | None = None
    unanswerable: str = ""


class Paper(Frozen):
    """What the numbers of one paper ask for.

    Attributes:
        unavailable: data sets that this book has no access to, in words.
        settings: of the data sets that it has.
        base: the columns of the numbers that differences are taken from.
        elsewhere: tables that print no such number, and the one whose number is taken.
        same_metric: metrics that the paper prints under two names.
        one_teacher: whether all students of a table learn from one teacher.
        answers: the rules, of which the first that holds counts.
    """

    unavailable: dict[str, str]
    settings: dict[str, Setting]
    base: dict[str, Any]
    elsewhere: dict[str, str] = Field(default_factory=dict)
    same_metric: dict[str, str] = Field(default_factory=dict)
    one_teacher: dict[str, bool] = Field(default_factory=dict)
    answers: tuple[Answer, ...]


def holds(when: Row, row: Row) -> bool:
    """Whether the row has these columns; a list names several values of which it has one."""
    return all(
        row[column] in (wanted if isinstance(wanted, list) else [wanted])
        for column, wanted in when.items()
    )


_LISTED = listed("answers.toml")
NETWORKS: dict[str, str] = _LISTED["networks"]
"""The students of the available data sets, as records name them."""
METRICS = {name: Measure(**m) if m else None for name, m in _LISTED["metrics"].items()}
"""``None``: printed for data sets that are not available only."""
PAPERS = {name: Paper(**paper) for name, paper in _LISTED["papers"].items()}

DIFFERENCES = ("delta_mean_accuracy", "delta_worst_1", "delta_worst_10", "delta_worst_k",
               "delta_subgroup_accuracy")  # fmt: skip
"""Metrics that are printed as differences, distilled minus one-hot."""
