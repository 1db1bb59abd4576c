"""The printed grids of "Robust distillation" beside each other and beside ours."""

from __future__ import annotations

import pandas as pd

from kdbook.chapters.teacher_and_student.objective_cells import printed_cells
from kdbook.compare import signed
from kdbook.published import beside_paper, printed_difference, published

LISTED = ("cifar10", "cifar100", "tinyimagenet", "cifar10_lt", "cifar100_lt", "tinyimagenet_lt")
_KEYS = ["dataset", "teacher_objective", "student_objective", "metric"]
_WORST = ("worst_10", "worst_1")
_TWICE = ("rob", "rob-d")

Cells = dict[tuple[str, str], pd.Series]
"""Printed rows by teacher and student."""


def disagreements() -> pd.DataFrame:
    """Numbers that main Table 1 and supplementary Table 1 print for one cell, where they differ.

    Both name one fixed teacher and teacher labels, so each pair should be one number.

    Returns:
        Columns: dataset, teacher_objective, student_objective, metric, main, supplement.
    """
    tables = [published(paper="robust_distillation", table=name) for name in _TABLES]
    main, supplement = (rows[rows["validation_labels"] != "onehot"] for rows in tables)
    both = main[[*_KEYS, "value"]].merge(supplement[[*_KEYS, "value"]], on=_KEYS)
    both = both.rename(columns={"value_x": "main", "value_y": "supplement"})
    return both[both["main"] != both["supplement"]].reset_index(drop=True)


_TABLES = ("Table 1", "Supp Table 1")


def printed_leaders(table: str = "Supp Table 1") -> pd.DataFrame:
    """Where robust twice stands among the printed cells, worst class (ten on TinyImageNet-LT).

    Returns:
        One row per data set and kind of validation labels: data, labels, best (``teacher /
        student``; of equal ones the first printed), highest, robust twice, rank of it (1 is best),
        gap (percentage points below the best) and error of that gap (95 %, from the standard errors
        of the two cells, which share a teacher in some tables: then it is rough).
    """
    names = set(published(paper="robust_distillation", table=table)["dataset"])
    rows = [row for name in LISTED if name in names for row in _leaders(table, name)]
    return pd.DataFrame(rows)


def beside(compared: pd.DataFrame, table: str, dataset: str, labels: str) -> pd.DataFrame:
    """Robust twice minus each other cell in the worst class: printed, ours, and whether they agree.

    Args:
        compared: rows of ``objective_cells.robust_twice`` of one measure and those labels.
        table: e.g. "Supp Table 3", a teacher for each student.
        dataset: as ``published`` names it.
        labels: ``teacher`` or ``one-hot``, on validation images.

    Returns:
        One row per cell: paper and ours (percentage points with 95 % intervals, as text), sign.
    """
    cells = _students(table, dataset, labels)
    rivals = _rivals(compared)
    printed = [printed_difference(cells[_TWICE], cells[rival]) for rival in rivals]
    columns = {
        "paper": [signed(row) for row in printed],
        "ours": [signed(row) for _, row in compared.iterrows()],
        "sign": beside_paper(compared, printed),
    }
    names = pd.Index([" / ".join(rival) for rival in rivals], name="robust twice minus")
    return pd.DataFrame(columns, names)


def _rivals(compared: pd.DataFrame) -> list[tuple[str, str]]:
    found = compared["comparison"].str.extract(r"− (\w+) / (\w+-d)")
    return list(zip(found[0], found[1], strict=True))


def _students(table: str, dataset: str, labels: str) -> Cells:
    """The printed cells that have a student."""
    cells = printed_cells(table, dataset, dict.fromkeys(_WORST, "worst"))
    kept = cells[(cells["labels"] == labels) & (cells["student"] != "none")]
    names = zip(kept["teacher"], kept["student"], strict=True)
    return dict(zip(names, (row for _, row in kept.iterrows()), strict=True))


def _leaders(table: str, dataset: str) -> list[dict[str, object]]:
    return [_leader(_students(table, dataset, labels), dataset, labels) for labels in _LABELS]


_LABELS = ("teacher", "one-hot")


def _leader(cells: Cells, dataset: str, labels: str) -> dict[str, object]:
    name = max(cells, key=lambda cell: cells[cell]["mean"])
    best, twice = cells[name], cells[_TWICE]
    gap = printed_difference(best, twice)
    return {
        "data": dataset,
        "labels": labels,
        "best": " / ".join(name),
        "highest": best["mean"],
        "robust twice": twice["mean"],
        "rank": 1 + sum(cell["mean"] > twice["mean"] for cell in cells.values()),
        "gap": gap["mean"],
        "error": gap["high"] - gap["mean"],
    }
