"""The names of the published table in words, for pages and charts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from kdbook.published import DATASETS as DATASETS

METHODS = {
    "one_hot": "one-hot",
    "distillation": "distilled",
    "distillation_2x": "distilled twice",
    "distillation_3x": "distilled three times",
    "ada_alpha": "AdaAlpha",
    "ada_margin": "AdaMargin",
    "remove_hardest_10": "without the hardest 10 %",
    "shuffle_alpha": "AdaAlpha, shuffled",
    "weighted_soft_labels": "weighted soft labels",
    "teacher_only": "teacher",
    "balanced_student": "balanced student",
    "group_dro": "Group DRO",
    "group_dro_no_vali": "Group DRO, errors on training data",
    "group_dro_with_vali": "Group DRO, errors on validation data",
    "objective_pair": "",
    "post_shift": "post shift",
    "robust_student": "robust student",
    "selected_alphas": "selected trade-offs",
    "traded_off": "",
}
PAPERS = {"teachers_pet": "Teacher's pet", "robust_distillation": "Robust distillation"}
METRICS = {
    "mean_accuracy": "mean",
    "balanced_accuracy": "balanced",
    "subgroup_accuracy": "group",
    "top_10pct": "best 10 %",
    "top_20pct": "best 20 %",
    "delta_10": "mean − worst 10",
    "delta_20": "mean − worst 20",
    "worst_k": "worst k, k not printed",
}


def metric_words(metric: str) -> str:
    """E.g. ``worst 10``, ``change of the mean``."""
    if metric in METRICS:
        return METRICS[metric]
    if metric.startswith("delta_"):
        return f"change, {metric_words(metric.removeprefix('delta_'))}"
    return metric.replace("_", " ")


def subgroup_words(subgroup: str) -> str:
    """``race=Other,sex=Male,label=0`` as ``Other, Male, label 0``."""
    return ", ".join(
        part.replace("label=", "label ").partition("=")[2] or part.replace("label=", "label ")
        for part in subgroup.split(",")
    )


def table_words(table: str) -> str:
    """The table's name; what stands in no table is ``Running text``."""
    return "Running text" if table == "text" else table


def short(row: Mapping[str, Any] | pd.Series) -> str:
    """Two lines for the axis of a chart: data set and metric, then method; or a group of people."""
    if row["subgroup"]:
        group = subgroup_words(row["subgroup"])
        return group.replace(", ", ",\n", 1) if group.count(",") == 2 else group
    metric = metric_words(row["metric"]).removeprefix("change, ")
    return f"{DATASETS[row['dataset']]}, {metric}\n{method_words(row)}"


def method_words(row: Mapping[str, Any] | pd.Series) -> str:
    """The method; of "Robust distillation" the cell of teacher and student, e.g. ``rob / std-d``.

    Trade-offs are named by their weights, teacher first: ``0.25 / 0.5``.
    """
    if not row["teacher_objective"]:
        return METHODS[row["method"]]
    if row["method"] == "traded_off":
        return f"{row['alpha_t']:g} / {row['alpha_s']:g}"
    labels = {"teacher": " (teacher labels)", "onehot": " (one-hot labels)", "": ""}
    if row["method"] == "objective_pair":
        cell = f"{row['teacher_objective']} / {row['student_objective']}"
        return f"{cell}{labels[row['validation_labels']]}"
    if row["method"] == "teacher_only":
        return f"{row['teacher_objective']} teacher"
    many = row["method"] in ("ada_alpha", "ada_margin", "post_shift")
    return METHODS[row["method"]] + (f", {row['teacher_objective']} teacher" if many else "")


def chart_table(row: Mapping[str, Any] | pd.Series) -> str:
    """The rows that a chart shows at once: a table, or of long tables one data set and metric."""
    if row["paper"] == "teachers_pet":
        return table_words(row["table"])
    return ", ".join([row["table"], DATASETS[row["dataset"]], metric_words(row["metric"])])


def chart_row(row: Mapping[str, Any] | pd.Series) -> str:
    """The name of a row below ``chart_table``."""
    return short(row) if row["paper"] == "teachers_pet" else method_words(row).replace(" (", "\n(")


def what(row: Mapping[str, Any] | pd.Series) -> str:
    """The published number in words, without its table."""
    parts = [DATASETS[row["dataset"]], method_words(row), metric_words(row["metric"])]
    if row["dataset"].startswith("imagenet") and row["teacher"] not in ("none", row["student"]):
        parts.append(f"{row['student']} taught by {row['teacher']}")
    return ", ".join([*parts, *([subgroup_words(row["subgroup"])] if row["subgroup"] else [])])


def printed(row: Mapping[str, Any] | pd.Series) -> str:
    """The number as printed, with its ±."""
    if np.isnan(row["printed"]):
        return "diverges"
    spread = "" if np.isnan(row["printed_spread"]) else f" ± {row['printed_spread']:g}"
    sign = "+" if row["metric"].startswith("delta_") and row["is_change"] else ""
    return f"{row['printed']:{sign}g}{spread}"


def compared(row: Mapping[str, Any] | pd.Series) -> str:
    """What the verdict looks at: the difference, or the value."""
    if np.isnan(row["compared"]):
        return "divergence"
    if not row["is_difference"]:
        return "the value"
    return f"{row['compared']:+.2f}"


def ours(row: Mapping[str, Any] | pd.Series) -> str:
    """Our mean, its interval and the seeds."""
    return _with_span(row, row["low"], row["high"])


def predicted(row: Mapping[str, Any] | pd.Series) -> str:
    """Our mean, the interval in which the printed number should fall, and the seeds."""
    return _with_span(row, row["predicted_low"], row["predicted_high"])


def _with_span(row: Mapping[str, Any] | pd.Series, low: float, high: float) -> str:
    if np.isnan(row["mean"]):
        return f"diverged in {row['diverged']:.0f} of {row['seeds']:.0f} seeds"
    sign = "+" if row["is_difference"] else ""
    seeds = f"{row['seeds']:.0f} seed{'' if row['seeds'] == 1 else 's'}"
    if np.isnan(low):
        return f"{row['mean']:{sign}.2f}, {seeds}"
    return f"{row['mean']:{sign}.2f} ({low:{sign}.2f} to {high:{sign}.2f}), {seeds}"
