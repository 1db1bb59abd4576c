"""The worst class against the number of classes, judged in several ways."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.charts import caption as caption
from kdbook.charts import paired_differences as paired_differences
from kdbook.charts.controls import one_of
from kdbook.charts.style import (
    WIDTH,
    describe,
    interval_tooltip,
    method_colour,
    method_shape,
    methods_in,
    require_columns,
)

COUNT_COLUMNS = ("method", "student", "imbalance", "classes", "mean", "low", "high")


def class_count_explorer(
    frame: pd.DataFrame, *, ratio: float | None = None, student: str | None = None
) -> alt.LayerChart:
    """Lines over the number of classes, for the ratio and the student that are chosen.

    Args:
        frame: one row per way of judging, student, ratio and number of classes: ``method`` (the
            way), ``student``, ``imbalance`` (ratio), ``classes``, ``mean``, ``low``, ``high``
            (percent; the interval may be NaN).
        ratio: which is shown first; by default the largest.
        student: which is shown first; by default the first in the frame.

    Raises:
        SettingError: a column is missing, or ``ratio`` or ``student`` is not in the frame.
    """
    require_columns(frame, COUNT_COLUMNS)
    ratios = sorted(float(value) for value in frame["imbalance"].unique())
    students = list(dict.fromkeys(frame["student"]))
    buttons = [
        one_of("ratio", "Imbalance ratio ", ratios, ratios[-1] if ratio is None else ratio),
        one_of("student", "Student ", students, student),
    ]
    shown = alt.Chart(frame).transform_filter(
        "datum.imbalance === ratio && datum.student === student"
    )
    chart = alt.layer(*_lines(shown, frame)).add_params(*buttons)
    return describe(
        chart.properties(width=WIDTH, height=260),
        "The worst class and the number of classes",
        "Lines of worst-class accuracy against the number of classes, judged as: "
        f"{', '.join(methods_in(frame))}. Buttons choose the imbalance ratio and the student.",
    )


def _lines(shown: alt.Chart, frame: pd.DataFrame) -> list[alt.Chart]:
    methods = methods_in(frame)
    colour, shape = method_colour(methods), method_shape(methods)
    axis = alt.Axis(values=sorted(frame["classes"].unique()), format="d", grid=False)
    base = shown.encode(x=alt.X("classes:Q", axis=axis).title("number of classes"))
    y = alt.Y("mean:Q", scale=alt.Scale(domain=[0, 100])).title("accuracy of the worst class (%)")
    tip = interval_tooltip("method:N", "classes:Q")
    return [
        base.mark_rule(opacity=0.5, clip=True).encode(y=alt.Y("low:Q"), y2="high:Q", color=colour),
        base.mark_line().encode(y=y, color=colour),
        base.mark_point(filled=True, size=70, opacity=1).encode(
            y=y, color=colour, shape=shape, tooltip=tip
        ),
    ]
