"""What "Robust distillation" prints of its baselines, and where its tables disagree."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from kdbook.published import printed_interval, published

PAPER = "robust_distillation"
NAMES = {
    "selected_alphas": "selected trade-off",
    "distillation": "distilled",
    "robust_student": "robust student",
    "balanced_student": "balanced student",
    "post_shift": "post shift",
    "ada_alpha": "AdaAlpha",
    "ada_margin": "AdaMargin",
    "group_dro": "Group DRO, validation",
    "group_dro_no_vali": "Group DRO, training",
    "group_dro_with_vali": "Group DRO, validation",
}
"""The paper's methods, as this book calls them."""

_AVERAGE = ("mean_accuracy", "balanced_accuracy")
_KEYS = ["dataset", "method", "teacher_objective"]


def printed_points() -> pd.DataFrame:
    """Average against worst for every baseline and data set of main Table 2 and Supp. 4 and 5.

    Supplementary Table 4 adds other teachers to AdaAlpha and AdaMargin, Table 5 adds Group DRO
    without validation. A number that two tables print is taken from main Table 2.

    Returns:
        Columns: data, method, teacher (``std``, ``bal``, ``rob`` or ``none``), average, worst
        (percent; the worst ten classes on TinyImageNet-LT, else the worst class), table, and
        average_low, average_high, worst_low, worst_high (95 % intervals of the printed standard
        errors; NaN where none is printed).
    """
    pieces = [_points(table) for table in ("Table 2", "Supp Table 4", "Supp Table 5")]
    rows = pd.concat(pieces, ignore_index=True)
    return rows.drop_duplicates(["data", "method", "teacher"]).reset_index(drop=True)


def contradictions() -> pd.DataFrame:
    """Numbers that main Table 2 and the supplement print of one method, where they differ.

    Returns:
        One row per data set, method and metric whose values differ: data, method, metric, Table 2,
        supplement, in (the table), difference (points) and ``z``, the difference over its standard
        error if both were independent. NaN where none is printed.
    """
    found = pd.concat(map(_differences, _others()), ignore_index=True)
    order = found["z"].abs().sort_values(ascending=False, kind="stable").index
    return found.loc[order].reset_index(drop=True)


def imagenet() -> pd.DataFrame:
    """Supplementary Table 6 as printed: columns teacher, student, measure, value (percent)."""
    rows = published(paper=PAPER, table="Supp Table 6")
    labels = rows["validation_labels"].map(
        {"teacher": "teacher labels", "onehot": "one-hot labels"}
    )
    student = rows["student_objective"].where(labels.isna(), "rob-d, " + labels.fillna(""))
    student = student.replace("none", "teacher alone")
    student = student.where(rows["method"] != "post_shift", "post shift")
    return pd.DataFrame(
        {
            "teacher": rows["teacher_objective"],
            "student": student,
            "measure": rows["metric"],
            "value": rows["value"],
        }
    )


def _points(table: str) -> pd.DataFrame:
    rows = published(paper=PAPER, table=table)
    rows = rows[rows["method"].isin(NAMES)].assign(
        side=np.where(rows["metric"].isin(_AVERAGE), "average", "worst"),
        teacher_objective=rows["teacher_objective"].fillna("none"),
    )
    ends = pd.DataFrame([printed_interval(row) for _, row in rows.iterrows()], rows.index)
    rows = rows.join(ends[["low", "high"]])
    wide = rows.pivot(index=_KEYS, columns="side", values=["value", "low", "high"])
    wide.columns = pd.Index(_column(*names) for names in wide.columns)
    wide = wide.reset_index().rename(columns={"dataset": "data", "teacher_objective": "teacher"})
    return wide.assign(method=wide["method"].map(NAMES), table=table)


def _column(what: str, side: str) -> str:
    return side if what == "value" else f"{side}_{what}"


def _others() -> Iterator[pd.DataFrame]:
    """Rows of the supplement, each with the method and metric names of main Table 2."""
    yield published(paper=PAPER, table="Supp Table 4", teacher_objective="std")
    dro = published(paper=PAPER, table="Supp Table 5", method="group_dro_with_vali")
    metric = dro["metric"].replace("balanced_accuracy", "mean_accuracy")
    yield dro.assign(method="group_dro", metric=metric)
    for table in ("Supp Table 1", "Supp Table 3"):
        cells = published(paper=PAPER, table=table, teacher_objective="std")
        yield cells[cells["student_objective"] == "std-d"].assign(method="distillation")


def _differences(other: pd.DataFrame) -> pd.DataFrame:
    """One row per number of main Table 2 that ``other`` prints differently."""
    main = published(paper=PAPER, table="Table 2")
    both = main.merge(other, on=["dataset", "method", "metric"], suffixes=("", "_other"))
    both = both[both["value"] != both["value_other"]]
    gap = both["value"] - both["value_other"]
    return pd.DataFrame(
        {
            "data": both["dataset"],
            "method": both["method"].map(NAMES),
            "metric": both["metric"],
            "Table 2": both["value"],
            "supplement": both["value_other"],
            "in": both["table_other"],
            "difference": gap,
            "z": gap / np.hypot(both["uncertainty"], both["uncertainty_other"]),
        }
    )
