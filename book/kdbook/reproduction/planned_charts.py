"""The page on the planned evidence: its charts and their titles, all from records by rule."""

from __future__ import annotations

from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd

from kdbook.charts.classes import change_by_class
from kdbook.charts.controls import one_of
from kdbook.evidence.members import EPOCHS, LONG, LONG_TEMPERATURE, TEMPERATURE
from kdbook.evidence.outcomes import by_frequency
from kdbook.reproduction.planned import changed_groups, row_of, sign_of

ROBUST = {
    "std/rob-d": "robust student",
    "rob/rob-d": "with robust teacher",
    "bal/rob-d": "with balanced teacher",
}
"""What a chart calls the robust students of block c."""

MEASURES = {
    "accuracy": "accuracy (points)",
    "log_loss": "log-loss (nats)",
    "margin": "margin (−1 to 1)",
}
"""By column of a block's classes what the page calls it."""

_ORDER = "training images per class"


def headline(tenths: pd.DataFrame) -> str:
    """One line: in how many tenths of the classes distillation changes something.

    Args:
        tenths: as ``lengths`` gives them.
    """
    lengths = list(dict.fromkeys(tenths["method"]))
    if not lengths:
        return "No distilled students of CIFAR-100-LT are recorded"
    each = [f"{_counts_said(tenths[tenths['method'] == name])} at {name}" for name in lengths]
    return f"Distilled on CIFAR-100-LT, of ten groups of classes {'; '.join(each)}"


def _counts_said(rows: pd.DataFrame) -> str:
    changed = {verb: len(names) for verb, names in changed_groups(rows).items()}
    gain, lose = changed.get("gain", 0), changed.get("lose", 0)
    return f"{gain or 'none'} gain and {lose or 'none'} lose"


def robust_headline(primary: pd.DataFrame) -> str:
    """One line: what a robust student does to the worst class, and then a robust teacher.

    Args:
        primary: as ``kdbook.evidence.outcomes.primary`` gives it.
    """
    row = row_of(primary, 5)
    if np.isnan(row["mean"]):
        return "No robust students of CIFAR-10-LT are recorded"
    if sign_of(row) == 0:
        return "Robust or standard student, the worst class of CIFAR-10-LT does not clearly change"
    verb, points = "raises" if row["mean"] > 0 else "lowers", abs(row["mean"])
    said = f"A robust student {verb} the worst class of CIFAR-10-LT by {points:.1f} points"
    teacher = row_of(primary, 6)
    more = {1: "more", -1: "less"}.get(sign_of(teacher))
    points = abs(teacher["mean"])
    return f"{said}, with a robust teacher by {points:.1f} {more}" if more else said


def lengths(folder: Path | None = None) -> pd.DataFrame:
    """The change in each tenth of the classes under distillation, at both lengths of training.

    Args:
        folder: by default the book's.

    Returns:
        As ``kdbook.evidence.outcomes.by_frequency``; ``method`` says how long, and at which T.
    """
    named = {"b": (EPOCHS, TEMPERATURE), "b2": (LONG, LONG_TEMPERATURE)}
    frames = []
    for block, (epochs, t) in named.items():
        tenths = by_frequency(folder, block=block).query("method == 'distilled'")
        frames.append(tenths.assign(method=f"{epochs} epochs, T = {t:g}"))
    return pd.concat(frames, ignore_index=True)


def lengths_chart(tenths: pd.DataFrame) -> alt.LayerChart:
    """``lengths``, drawn."""
    return change_by_class(tenths, title=headline(tenths), order=_ORDER)


def robust_chart(classes: pd.DataFrame, primary: pd.DataFrame) -> alt.LayerChart:
    """The change in each class of CIFAR-10-LT under robust students."""
    names = classes["class_name"].mask(classes["label"] % 2 == 1, "\n" + classes["class_name"])
    # Every other number stands a line lower, so that on a phone they stay apart.
    named = classes.assign(method=classes["method"].map(ROBUST), class_name=names)
    return change_by_class(named, title=robust_headline(primary), order=_ORDER)


def measures_chart(measure: str = "log-loss (nats)") -> alt.LayerChart:
    """The same for the measures without a floor too; buttons choose one.

    Args:
        measure: which is shown first.

    Raises:
        SettingError: no measure has that name.
    """
    shown_first = one_of("measure", "Measure ", MEASURES.values(), measure)
    frames = [
        by_frequency(measure=column).assign(shown=words) for column, words in MEASURES.items()
    ]
    chart = change_by_class(
        pd.concat(frames, ignore_index=True),
        title="The same classes by three measures",
        order="training images per class",
        axis="change, in the measure's unit",
        asked="datum.shown === measure",
    )
    return chart.add_params(shown_first)
