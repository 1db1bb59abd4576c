"""Changes to a baseline, method by method, in several subgroups side by side."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.charts.style import (
    WIDTH,
    describe,
    interval_tooltip,
    interval_words,
    method_colour,
    methods_in,
    require_columns,
)

CHANGE_COLUMNS = ("group", "method", "mean", "low", "high")


def change_bars(frame: pd.DataFrame, *, title: str = "Change to the one-hot student") -> alt.Chart:
    """Figure 1 of Teacher's pet: bars of the change, a group of bars a subgroup, with intervals.

    Args:
        frame: one row a subgroup and method: ``group``, ``method``, ``mean``, ``low``, ``high``
            (percentage points; the interval may be NaN). Both keep the order of the rows.
        title: the chart's title.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(frame, CHANGE_COLUMNS)
    methods, groups = methods_in(frame), list(dict.fromkeys(frame["group"]))
    axis = alt.Axis(title=None, labelAngle=0, labelExpr="split(datum.label, ' ')")
    place = alt.XOffset("method:N", sort=methods)
    base = alt.Chart(frame).encode(x=alt.X("group:N", sort=groups, axis=axis), xOffset=place)
    y = alt.Y("mean:Q").title("change in accuracy (percentage points)")
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule().encode(y="zero:Q")
    chart = alt.layer(
        base.mark_bar().encode(
            y=y, color=method_colour(methods), tooltip=interval_tooltip("group:N", "method:N")
        ),
        base.mark_rule(strokeWidth=2).encode(y=alt.Y("low:Q"), y2="high:Q"),
        zero,
    )
    return describe(chart.properties(width=WIDTH, height=260), title, _in_words(frame))


def _in_words(frame: pd.DataFrame) -> str:
    rows = [
        f"{row.group}, {row.method}: {interval_words(row.mean, row.low, row.high)}"
        for row in frame[list(CHANGE_COLUMNS)].itertuples()
    ]
    return "Bars of the change in percentage points with intervals. " + "; ".join(rows) + "."
