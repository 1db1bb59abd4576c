"""What the grid of objectives says, in sentences that follow from its numbers by rule."""

from __future__ import annotations

import pandas as pd

from kdbook import selection
from kdbook.chapters.teacher_and_student import TeacherAndStudent
from kdbook.chapters.teacher_and_student.objective_cells import (
    LABELS,
    ROBUST_TWICE,
    against,
    cell_means,
    printed_cells,
    robust_twice,
)
from kdbook.chapters.teacher_and_student.objective_prints import disagreements, printed_leaders
from kdbook.compare import Pair, compare, compare_corrected, signed
from kdbook.published import DATASETS, published

MEASURES = {"worst_1": "worst class", "mean": "mean of the classes"}
"""Columns of ``per_seed``, and the words for them."""

WORST = "worst class"
TEACHERS = {False: "a teacher each", True: "one teacher"}
"""By ``fixed_teacher``, what the students of a cell learn from."""

_STANDARD = "std / std-d"
_SIDES = ("std / rob-d (teacher labels)", "rob / std-d", ROBUST_TWICE.format("teacher"))
_PRINTED_SETS = ("cifar10_lt", "cifar100_lt", "cifar10", "cifar100")
_PRINTED_WORDS = {"worst_1": WORST, "mean_accuracy": "mean of the classes"}


def sides(chosen: pd.DataFrame) -> pd.DataFrame:
    """What a robust student, a robust teacher, and both add to standard twice, within seeds.

    Args:
        chosen: rows of ``TeacherAndStudent.per_seed``, each cell at one temperature.

    Returns:
        Three rows of ``kdbook.compare.compare``, for the worst class.
    """
    rows = chosen.assign(temperature=float("nan"))
    pairs: list[Pair] = [(cell, _STANDARD) for cell in _SIDES]
    return compare(rows, pairs, {"worst_1": WORST})


def remembered(chosen: pd.DataFrame) -> str:
    """The first thing to remember: which side brings more."""
    student, teacher, _ = sides(chosen)["mean"]
    side, other = ("student", "teacher") if student >= teacher else ("teacher", "student")
    return (
        f"Of the two sides the {side} matters more here: a robust {side} moves the worst class by "
        f"{max(student, teacher):+.1f} points, a robust {other} by {min(student, teacher):+.1f}."
    )


def headline(chosen: pd.DataFrame) -> str:
    """The title of the first figure: what either robust side moves, and both."""
    student, teacher, both = sides(chosen)["mean"]
    return (
        f"A robust student moves the worst class by {student:+.1f} points, "
        f"a robust teacher by {teacher:+.1f}, both by {both:+.1f}"
    )


def in_short(chosen: pd.DataFrame) -> str:
    """Two sentences: what each robust side adds, and whether robust twice is the best."""
    student, teacher, both = (row for _, row in sides(chosen).iterrows())
    rows = against(robust_twice(chosen, float("nan"), MEASURES), "teacher", WORST)
    seeds = int(rows["seeds"].max())
    return (
        f"With a standard teacher, making only the student robust moves the accuracy of the worst "
        f"class by {student['mean']:+.1f} points, making only the teacher robust moves it by "
        f"{teacher['mean']:+.1f}, and both by {signed(both)} (test images, {seeds} seeds). "
        f"{_place_said(rows)}"
    )


def _place_said(rows: pd.DataFrame) -> str:
    higher = int((rows["mean"] < 0).sum())
    worse = int((rows["holds"] & (rows["mean"] > 0)).sum())
    unclear = int((~rows["holds"]).sum())
    place = "has the highest mean of the nine" if not higher else f"is topped by {higher} of eight"
    return (
        f"Robust twice {place}, but of the eight others only {worse} are significantly worse after "
        f"correction, and {unclear} show no clear difference."
    )


def all_cells(study: TeacherAndStudent, chosen: pd.DataFrame) -> pd.DataFrame:
    """Our grid, the recorded one with the other way to have teachers, and the paper's grids.

    Args:
        study: the chapter's.
        chosen: its rows, each cell at one temperature.

    Returns:
        As ``objective_cells.cell_means``, for several ``data``.
    """
    data = study.profile.dataset
    fixed = study.teaching.fixed_teacher
    ours = cell_means(chosen, MEASURES, f"ours: {data}")
    paper = [
        printed_cells(table, name, _PRINTED_WORDS).assign(data=f"paper: {DATASETS[name]}, {how}")
        for table, how in (("Supp Table 3", TEACHERS[False]), ("Supp Table 1", TEACHERS[True]))
        for name in _PRINTED_SETS
    ]
    other = _taught_the_other_way(study, f"ours: {data}, {TEACHERS[not fixed]}")
    return pd.concat([ours, *other, *paper], ignore_index=True)


def _taught_the_other_way(study: TeacherAndStudent, named: str) -> list[pd.DataFrame]:
    turned = {"fixed_teacher": not study.teaching.fixed_teacher}
    other = study.at(study.settings.model_copy(update=turned))
    rows = other.recorded_rows()
    if not {m.method for m in other.members()} <= set(rows["method"]):
        return []
    return [cell_means(selection.at_best(rows)[0], MEASURES, named)]


def twice_headline(rows: pd.DataFrame) -> str:
    """A title for robust twice minus the others: how many it clearly beats, and how many not.

    Args:
        rows: as ``objective_cells.against`` gives them.
    """
    above, below = (int((rows["holds"] & (sign * rows["mean"] > 0)).sum()) for sign in (1, -1))
    return (
        f"Robust twice clearly beats {above} of the {len(rows)} other pairs; "
        f"{below or 'none'} of them clearly beats it"
    )


def labels_told(chosen: pd.DataFrame) -> pd.DataFrame:
    """One-hot minus teacher labels on validation, under each teacher; corrected for three."""
    rows = chosen.assign(temperature=float("nan"))
    return compare_corrected(rows, label_pairs(), {"worst_1": WORST}).assign(
        comparison=["standard teacher", "balanced teacher", "robust teacher"]
    )


def label_pairs() -> list[Pair]:
    """Robust students with one-hot and with teacher labels on validation, under each teacher."""
    names = [f"{teacher} / rob-d ({{}} labels)" for teacher in ("std", "bal", "rob")]
    return [(name.format("one-hot"), name.format("teacher")) for name in names]


def printed_said() -> str:
    """Where robust twice stands in print, with either kind of labels on validation images."""
    leaders = printed_leaders()
    return " ".join(_printed_answer(leaders[leaders["labels"] == one], one) for one in LABELS)


def _printed_answer(rows: pd.DataFrame, labels: str) -> str:
    leads, far = int((rows["rank"] == 1).sum()), int((rows["gap"] > rows["error"]).sum())
    return (
        f"With {labels} labels robust twice is the best printed cell in {leads} of {len(rows)} "
        f"data sets, and lies below the best by more than the error in {far}."
    )


def printed_places() -> pd.DataFrame:
    """``printed_leaders`` with headings in words."""
    words = {
        "data": "data", "labels": "labels", "best": "best cell",
        "highest": "its worst class", "robust twice": "robust twice", "rank": "rank",
        "gap": "gap", "error": "error",
    }  # fmt: skip
    found = printed_leaders()
    whole = found["best"].str.replace(" ", "\u00a0")  # a cell's name in one line
    shown = found.assign(best=whole, data=found["data"].map(DATASETS).str.replace("-", "\u2011"))
    return shown[list(words)].rename(columns=words)


def printed_twice() -> pd.DataFrame:
    """``objective_prints.disagreements`` with headings and cells in words."""
    found = disagreements()
    metrics = {"worst_1": WORST, "worst_10": "worst ten", "mean_accuracy": "mean"}
    pairs = found["teacher_objective"] + " / " + found["student_objective"]
    found = found.assign(pair=pairs).replace({"dataset": DATASETS, "metric": metrics})
    heads = {"dataset": "data", "pair": "teacher / student", "metric": "measure"}
    numbers = {"main": "main text", "supplement": "supplement"}
    shown = found[[*heads, *numbers]].rename(columns=heads | numbers)
    return shown.round(2).astype(dict.fromkeys(numbers.values(), str))


def main_table() -> pd.DataFrame:
    """The paper's Table 1 for long-tailed CIFAR-10, worst class: students by teachers."""
    printed = published(paper="robust_distillation", table="Table 1", dataset="cifar10_lt")
    worst = printed[printed["metric"] == "worst_1"]
    wide = worst.pivot(index="student_objective", columns="teacher_objective", values="value")
    students = {
        "none": "teacher alone",
        "std-d": "standard",
        "bal-d": "balanced",
        "rob-d": "robust",
    }
    shown = wide.loc[list(students), ["std", "bal", "rob"]].rename(index=students)
    shown.columns = pd.Index([f"{name} teacher" for name in ("standard", "balanced", "robust")])
    return shown.rename_axis("student")
