"""Charts over classes and subgroups: accuracy by class, intervals at zero, bars of change."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from kdbook.charts.style import (
    METHOD_COLOURS,
    WIDTH,
    describe,
    interval_tooltip,
    interval_words,
    method_colour,
    method_shape,
    methods_in,
    require_columns,
    with_class_names,
)

PER_CLASS_COLUMNS = ("method", "label", "mean", "low", "high")
DIFFERENCE_COLUMNS = ("mean", "low", "high")
_MANY_CLASSES = 20


def per_class_accuracy(
    frame: pd.DataFrame,
    *,
    title: str = "Accuracy by class",
    order: str = "class, most frequent first",
) -> alt.LayerChart:
    """Accuracy of each class, a line and a band per method.

    Args:
        frame: one row per method and class: ``method``, ``label`` (the class, from 0, and its place
            on the axis), ``mean``, ``low``, ``high`` (percent; the interval may be NaN), and
            perhaps ``class_name``.
        title: the chart's title.
        order: the axis title: what the classes are sorted by.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(frame, PER_CLASS_COLUMNS)
    named = with_class_names(frame)
    chart = class_lines(alt.Chart(named), named, order).properties(width=WIDTH, height=260)
    return describe(
        chart,
        title,
        f"Lines of test accuracy over {named['label'].nunique()} classes for "
        f"{', '.join(methods_in(named))}, with a band for the interval of each.",
    )


def class_lines(base: alt.Chart, frame: pd.DataFrame, order: str) -> alt.LayerChart:
    """The layers of ``per_class_accuracy`` on ``base``, which may filter the rows of ``frame``."""
    methods, x = methods_in(frame), class_axis(frame, order)
    y = alt.Y("mean:Q", scale=alt.Scale(domain=[0, 100])).title("accuracy (%)")
    colour, shape = method_colour(methods), method_shape(methods)
    band = base.mark_area(opacity=0.18, clip=True).encode(
        x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour
    )
    line = base.mark_line(strokeWidth=1.5).encode(x=x, y=y, color=colour)
    dots = base.mark_point(filled=True, size=55, opacity=1).encode(
        x=x, y=y, color=colour, shape=shape, tooltip=interval_tooltip("method:N", "class_name:N")
    )
    return alt.layer(band, line, dots)


def chosen_classes(
    base: alt.Chart, frame: pd.DataFrame, *, height: int = 220, heading: str | None = None
) -> alt.LayerChart:
    """``class_lines`` of what the reader has chosen, as a plot of its own.

    Args:
        base: a chart of ``frame`` that keeps the chosen rows.
        frame: as ``per_class_accuracy`` takes it, with class names.
        height: in pixels.
        heading: above it.
    """
    lines = class_lines(base, frame, "class, most frequent first")
    lines = lines.properties(width=WIDTH, height=height)
    if heading is None:
        return lines
    return lines.properties(title=alt.TitleParams(heading, anchor="start"))


def change_by_class(
    frame: pd.DataFrame,
    *,
    methods: Sequence[str] | None = None,
    title: str = "Change in each class",
    order: str = "class, most frequent first",
    axis: str = "change (percentage points)",
    asked: str | None = None,
) -> alt.LayerChart:
    """The change in each class, a line and a band per method, with a rule at zero.

    Args:
        frame: as ``per_class_accuracy`` takes it, with percentage points of change.
        methods: all methods of a chart beside it, so that both have the same colours.
        title: the chart's title.
        order: the title of the horizontal axis: what the classes are sorted by.
        axis: the title of the other, with its unit.
        asked: an expression that keeps the rows that a reader has chosen; by default all are shown.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(frame, PER_CLASS_COLUMNS)
    shown = list(methods or methods_in(frame))
    named, x = with_class_names(frame), class_axis(frame, order)
    rows = alt.Chart(named) if asked is None else alt.Chart(named).transform_filter(asked)
    base = rows.encode(x=x, color=method_colour(shown))
    y = alt.Y("mean:Q").title(axis)
    tooltip = interval_tooltip("method:N", "class_name:N")
    chart = alt.layer(
        zero_rule().encode(y="zero:Q"),
        base.mark_area(opacity=0.18).encode(y=alt.Y("low:Q"), y2="high:Q"),
        base.mark_line(strokeWidth=1.5).encode(y=y),
        base.mark_point(filled=True, size=55, opacity=1).encode(
            y=y, shape=method_shape(shown), tooltip=tooltip
        ),
    ).properties(width=WIDTH, height=180)
    words = (
        f"Change of test accuracy in {named['label'].nunique()} classes or groups of classes for "
        f"{', '.join(shown)}, with intervals; means from {named['mean'].min():+.1f} to "
        f"{named['mean'].max():+.1f} points."
    )
    return describe(chart, title, words)


def class_axis(frame: pd.DataFrame, title: str | None) -> alt.X:
    """Names of classes where they fit (a name may have lines), their places otherwise."""
    if frame["label"].nunique() > _MANY_CLASSES:
        return alt.X("label:Q", axis=alt.Axis(title=title, grid=False, tickMinStep=1))
    names = alt.EncodingSortField("label", op="min")
    lines = "split(datum.label, '\\n')"  # a second line keeps longer names apart on a phone
    axis = alt.Axis(title=title, labelAngle=0, labelExpr=lines)
    return alt.X("class_name:N", sort=names, axis=axis)


def paired_differences(
    frame: pd.DataFrame,
    *,
    title: str = "Paired differences",
    axis: str = "difference in accuracy (percentage points)",
) -> alt.LayerChart:
    """Dots with intervals and a line at zero.

    Args:
        frame: one row per comparison: ``comparison`` (or, where there is none, ``method``) names
            it; ``mean``, ``low``, ``high`` (percentage points; the interval may be NaN).
        title: the chart's title.
        axis: the axis title, with its unit.

    Raises:
        SettingError: a column is missing.
    """
    name = "comparison" if "comparison" in frame.columns else "method"
    require_columns(frame, (name, *DIFFERENCE_COLUMNS))
    base = alt.Chart(frame).encode(
        y=alt.Y(f"{name}:N", sort=None, axis=alt.Axis(title=None, labelLimit=200))
    )
    colour = METHOD_COLOURS["one-hot"]
    chart = alt.layer(
        zero_rule().encode(x="zero:Q"),
        base.mark_rule(strokeWidth=2, color=colour).encode(x="low:Q", x2="high:Q"),
        base.mark_point(filled=True, size=80, opacity=1, color=colour).encode(
            x=alt.X("mean:Q").title(axis), tooltip=interval_tooltip(f"{name}:N")
        ),
    ).properties(width=WIDTH - 120, height=alt.Step(34))
    return describe(chart, title, _differences_in_words(frame, name))


def zero_rule() -> alt.Chart:
    """A dashed rule at ``zero``; the caller encodes it along x or y."""
    return alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeDash=[4, 3])


def _differences_in_words(frame: pd.DataFrame, name: str) -> str:
    rows = [
        f"{row[name]}: {interval_words(row['mean'], row['low'], row['high'])}"
        for _, row in frame.iterrows()
    ]
    return "Differences in percentage points with intervals. " + "; ".join(rows) + "."


CHANGE_COLUMNS = ("group", "method", "mean", "low", "high")


def change_bars(frame: pd.DataFrame, *, title: str = "Change to the one-hot student") -> alt.Chart:
    """Figure 1 of Teacher's pet: bars of the change, a group of bars per subgroup, with intervals.

    Args:
        frame: one row per subgroup and method: ``group``, ``method``, ``mean``, ``low``, ``high``
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
