"""The grid of teacher and student objectives: our cells, the papers' cells, and which is best."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from kdbook.compare import Pair, compare_corrected, method_name, with_intervals
from kdbook.published import printed_interval, published
from kdlib.data import halves
from kdlib.metrics import per_class_accuracy
from kdlib.runs import RunResult
from kdlib.runs.build import dataset_for

ROBUST_TWICE = "rob / rob-d ({} labels)"
LABELS = ("teacher", "one-hot")
_CELL = r"^(?P<teacher>std|bal|rob) / (?P<student>\w+-d)(?: \((?P<labels>[\w-]+) labels\))?$"
_TEACHER = r"^teacher (?P<teacher>std|bal|rob)$"
_ALONE = "none"
_PRINTED = ["paper", "table", "dataset", "value", "uncertainty", "uncertainty_kind"]
HALVES = ("first_half", "second_half")
"""Columns: the worst class on either half of validation; the first may move multipliers alone."""


def cell_means(per_seed: pd.DataFrame, measures: Mapping[str, str], data: str) -> pd.DataFrame:
    """Each cell's mean over seeds with its 95 % t-interval, in the layout of the papers' tables.

    Args:
        per_seed: rows of ``teacher_and_student.per_seed`` at one temperature.
        measures: columns of ``per_seed`` and the words for them.
        data: what the cells are called, e.g. "digits".

    Returns:
        Columns: data, labels (of validation), teacher, student (``none``: the teacher itself),
        measure, mean, low, high, seeds. A student that is not robust stands under both labels.
    """
    table = _with_objectives(per_seed)
    by = ["labels", "teacher", "student"]
    rows = [
        with_intervals(table, column, by).assign(measure=words)
        for column, words in measures.items()
    ]
    return pd.concat(rows, ignore_index=True).assign(data=data)


def printed_cells(table: str, dataset: str, measures: Mapping[str, str]) -> pd.DataFrame:
    """A printed grid in the columns of ``cell_means``, and as ``published`` gives it.

    Intervals are those of the printed standard errors, if there are any.

    Args:
        table: "Supp Table 1" (fixed teacher), "Supp Table 2" or "Supp Table 3" (a teacher per run).
        dataset: as ``published`` names it.
        measures: metrics of ``published`` and the words for them.

    Raises:
        SettingError: the table has no such data set.
    """
    found = published(paper="robust_distillation", table=table, dataset=dataset)
    found = found[found["metric"].isin(measures)]
    ends = pd.DataFrame([printed_interval(row) for _, row in found.iterrows()], found.index)
    rows = found[_PRINTED].assign(
        labels=found["validation_labels"].map({"teacher": "teacher", "onehot": "one-hot"}),
        teacher=found["teacher_objective"],
        student=found["student_objective"],
        measure=found["metric"].map(measures),
        **ends,
    )
    return _under_both_labels(rows).assign(data=dataset)


def rivals(labels: str, temperature: float) -> list[Pair]:
    """Robust twice against each other cell at those validation labels and that temperature."""
    others = [
        f"{teacher} / {student}-d" + (f" ({labels} labels)" if student == "rob" else "")
        for teacher in ("std", "bal", "rob")
        for student in ("std", "bal", "rob")
        if (teacher, student) != ("rob", "rob")
    ]
    best = method_name(ROBUST_TWICE.format(labels), temperature)
    return [(best, method_name(other, temperature)) for other in others]


def robust_twice(
    per_seed: pd.DataFrame, temperature: float, measures: Mapping[str, str]
) -> pd.DataFrame:
    """Robust twice minus each other cell, for both kinds of validation labels.

    Returns:
        The rows of ``compare_corrected`` with a column ``labels``: the eight cells of one kind of
        labels are one family of tests in each measure.
    """
    pieces = [
        compare_corrected(per_seed, rivals(labels, temperature), measures).assign(labels=labels)
        for labels in LABELS
    ]
    return pd.concat(pieces, ignore_index=True)


def against(compared: pd.DataFrame, labels: str, measure: str) -> pd.DataFrame:
    """The rows of one kind of labels and one measure, each named by the other cell alone.

    Args:
        compared: as ``robust_twice`` gives it.
        labels: ``teacher`` or ``one-hot``.
        measure: its words.
    """
    rows = compared[(compared["labels"] == labels) & (compared["measure"] == measure)]
    others = rows["comparison"].str.extract(r"− (\w+ / \w+-d)")[0]
    return rows.assign(comparison="minus " + others)


def answer(compared: pd.DataFrame, labels: str) -> str:
    """Whether robust twice is best in the first measure of ``compared``, as a sentence.

    Args:
        compared: as ``robust_twice`` gives it.
        labels: ``teacher`` or ``one-hot``.
    """
    rows = compared[compared["labels"] == labels]
    rows = rows[rows["measure"] == rows["measure"].iloc[0]]
    above = int((rows["holds"] & (rows["mean"] < 0)).sum())
    below = int((rows["holds"] & (rows["mean"] > 0)).sum())
    higher = int((rows["mean"] < 0).sum())
    return (
        f"With {labels} labels on validation, {higher} of {len(rows)} other cells have a higher "
        f"mean than robust twice; {above} are significantly better after correction, {below} "
        f"worse, and {len(rows) - above - below} show no clear difference (Holm, 5 %)."
    )


def worst_on_validation(result: RunResult) -> dict[str, float]:
    """Worst-class accuracy of a run in percent: ``validation_worst``, and on each half of it.

    Both halves have as many images of a class, so their minima are alike in noise. NaN where the
    training diverged.
    """
    if result.status != "completed":
        return dict.fromkeys(("validation_worst", *HALVES), float("nan"))
    logits, labels = result.logits("validation"), result.labels("validation")
    rows = result.index("validation")
    parts = [np.isin(rows, half.index) for half in halves(dataset_for(result.spec).validation)]
    by_half = [_worst_class(logits[part], labels[part]) for part in parts]
    return {"validation_worst": _worst_class(logits, labels)} | dict(
        zip(HALVES, by_half, strict=True)
    )


def _with_objectives(per_seed: pd.DataFrame) -> pd.DataFrame:
    """Rows with teacher, student and labels read from ``method``; each under its labels."""
    cells = per_seed["method"].str.extract(_CELL)
    alone = per_seed["method"].str.extract(_TEACHER)["teacher"]
    cells["teacher"] = cells["teacher"].fillna(alone)
    cells["student"] = cells["student"].fillna(_ALONE)
    return _under_both_labels(pd.concat([per_seed, cells], axis=1))


def _under_both_labels(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows that ask for no labels, once under each kind."""
    asks = rows["labels"].notna()
    copies = [rows[~asks].assign(labels=labels) for labels in LABELS]
    return pd.concat([rows[asks], *copies], ignore_index=True)


def _worst_class(logits: np.ndarray, labels: np.ndarray) -> float:
    accuracy = per_class_accuracy(logits.argmax(1), labels, logits.shape[1])
    return 100 * float(accuracy.min())
