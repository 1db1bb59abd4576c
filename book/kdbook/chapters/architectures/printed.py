"""Table 2 of the paper, and what it says beside ours."""

from __future__ import annotations

import pandas as pd
from pandas.io.formats.style import Styler

from kdbook import compare
from kdbook.chapters.architectures import Architectures, stronger_minus_weaker
from kdbook.chapters.architectures.findings import CELL, Findings
from kdbook.chapters.architectures.worst_classes import BY_TEACHER
from kdbook.tables import shown, unbroken

NAMES = {
    "efficientnet": "EfficientNet", "resnet50": "ResNet-50",
    "resnet34": "ResNet-34", "resnet18": "ResNet-18",
}  # fmt: skip
"""Table 2's networks in words, the strongest first."""
PRINTED = {"delta_mean_accuracy": "mean", "delta_worst_10": "worst 10"}


def table_2(study: Architectures) -> pd.DataFrame:
    """Table 2 of the paper: a row per teacher, student and metric."""
    return study.published(table="Table 2")


def printed_table(study: Architectures) -> Styler:
    """Table 2 in words."""
    rows = table_2(study).pivot(index=CELL, columns="metric", values="value")
    rows = rows.reindex(list(NAMES), level="teacher").rename(index=NAMES)[list(PRINTED)]
    table = rows.map("{:+.2f}".format).rename(columns=PRINTED)
    return shown(table, "Table 2 of Teacher's pet: distilled minus one-hot on ImageNet, in points.")


def printed_drops(study: Architectures) -> pd.DataFrame:
    """The worst ten of Table 2: teacher, student, difference."""
    rows = table_2(study)
    rows = rows[rows["metric"] == "delta_worst_10"].rename(columns={"value": "difference"})
    return rows[[*CELL, "difference"]]


def pairs_table(found: Findings) -> Styler:
    """In how many pairs of teachers the stronger one harms more: the paper's and ours."""
    paper = stronger_minus_weaker(printed_drops(found.study), list(NAMES)[::-1])["difference"]
    ours = stronger_minus_weaker(found.changes[BY_TEACHER], found.study.sizes())
    means = ours.groupby(["student", "weaker", "stronger"])["difference"].mean()
    counts = {"paper": paper, "ours, mean of the seeds": means}
    rows = {name: [(d < 0).sum(), (d > 0).sum(), len(d)] for name, d in counts.items()}
    columns = ["stronger harms more", "stronger harms less", "pairs"]
    return shown(pd.DataFrame(rows, columns).T.rename_axis("of"), "By the teacher's worst classes.")


def loses_said(found: Findings) -> str:
    """In how many pairs the teacher's worst classes lose: the paper's and ours."""
    drops, cells = printed_drops(found.study)["difference"], found.tested[BY_TEACHER]
    fell = cells["mean"] < 0
    sure = int((fell & (cells["p_holm"] <= compare.LEVEL)).sum())
    return (
        f"Pairs in which the teacher's worst classes lose: {(drops < 0).sum()} of {len(drops)} in "
        f"print, {fell.sum()} of {len(cells)} here, {sure} of these with p < 0.05 after Holm."
    )


def self_taught_table(found: Findings) -> Styler:
    """The diagonal, ours and printed."""
    ours = {"mean": "mean of the classes", BY_TEACHER: "teacher's worst, by test"}
    cells = {name: _diagonal(found.tested[key]) for key, name in ours.items()}
    printed = table_2(found.study).query("teacher == student")
    wide = printed.pivot(index="student", columns="metric", values="value")
    wide = wide.reindex(["resnet18", "resnet34", "resnet50"]).rename(index=NAMES)
    paper = wide[list(PRINTED)].map("{:+.2f}".format).set_axis(list(ours.values()), axis=1)
    both = pd.concat({"here": pd.DataFrame(cells), "printed": paper}, names=["where", "student"])
    return shown(
        unbroken(both), "Networks that teach themselves: distilled minus one-hot, in points."
    )


def _diagonal(cells: pd.DataFrame) -> pd.Series:
    rows = cells[cells["teacher"] == cells["student"]].set_index("student")
    return rows.apply(compare.signed, axis=1)
