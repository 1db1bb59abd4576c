"""Charts over classes: accuracy by class, paired differences, cumulative gain."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdlib.charts.style import (
    WIDTH,
    describe,
    method_colour,
    method_shape,
    methods_in,
    percent_axis,
    require_columns,
)

PER_CLASS_COLUMNS = ("method", "class_index", "class_name", "accuracy", "low", "high")
DIFFERENCE_COLUMNS = ("comparison", "difference", "low", "high")
GAIN_COLUMNS = ("k", "gain")
_MANY_CLASSES = 20


def per_class_accuracy(
    frame: pd.DataFrame,
    *,
    title: str = "Accuracy by class",
    order: str = "class, most frequent first",
) -> alt.LayerChart:
    """Accuracy of each class, a line and a band a method.

    Args:
        frame: one row a method and class: ``method``, ``class_index`` (place on the axis, from 0),
            ``class_name``, ``accuracy``, ``low``, ``high`` (fractions; the interval may be NaN).
        title: the chart's title.
        order: the axis title: what the classes are sorted by.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(frame, PER_CLASS_COLUMNS)
    chart = class_lines(alt.Chart(frame), frame, order).properties(width=WIDTH, height=260)
    return describe(
        chart,
        title,
        f"Lines of test accuracy over {frame['class_name'].nunique()} classes for "
        f"{', '.join(methods_in(frame))}, with a band for the interval of each.",
    )


def class_lines(base: alt.Chart, frame: pd.DataFrame, order: str) -> alt.LayerChart:
    """The layers of ``per_class_accuracy`` on ``base``, which may filter the rows of ``frame``."""
    methods = methods_in(frame)
    x = _class_axis(frame, order)
    y = alt.Y("accuracy:Q", axis=percent_axis("accuracy"), scale=alt.Scale(domain=[0, 1]))
    colour, shape = method_colour(methods), method_shape(methods)
    band = base.mark_area(opacity=0.18).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour)
    line = base.mark_line(strokeWidth=1.5).encode(x=x, y=y, color=colour)
    dots = base.mark_point(filled=True, size=55, opacity=1).encode(
        x=x, y=y, color=colour, shape=shape, tooltip=_tooltip(frame)
    )
    return alt.layer(band, line, dots)


def _class_axis(frame: pd.DataFrame, order: str) -> alt.X:
    """Names where they fit, places otherwise."""
    if frame["class_name"].nunique() > _MANY_CLASSES:
        return alt.X("class_index:Q", axis=alt.Axis(title=order, grid=False, tickMinStep=1))
    names = alt.EncodingSortField("class_index", op="min")
    return alt.X("class_name:N", sort=names, axis=alt.Axis(title=order, labelAngle=0))


def _tooltip(frame: pd.DataFrame) -> list[alt.Tooltip]:
    numbers = [alt.Tooltip(f"{name}:Q", format=".1%") for name in ("accuracy", "low", "high")]
    return [alt.Tooltip("method:N"), alt.Tooltip("class_name:N", title="class"), *numbers]


def paired_differences(
    frame: pd.DataFrame,
    *,
    title: str = "Paired differences",
    axis: str = "difference in accuracy (percentage points)",
) -> alt.LayerChart:
    """Dots with intervals and a line at zero.

    Args:
        frame: one row a comparison: ``comparison`` (its name), ``difference``, ``low``, ``high``
            (fractions; the interval may be NaN).
        title: the chart's title.
        axis: the axis title, with its unit.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(frame, DIFFERENCE_COLUMNS)
    points = _in_points(frame, ("difference", "low", "high"))
    base = alt.Chart(points).encode(
        y=alt.Y("comparison:N", sort=None, axis=alt.Axis(title=None, labelLimit=170))
    )
    value = alt.X("difference:Q", axis=alt.Axis(title=axis))
    numbers = [alt.Tooltip(f"{name}:Q", format="+.1f") for name in ("difference", "low", "high")]
    chart = alt.layer(
        alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeDash=[4, 3]).encode(x="zero:Q"),
        base.mark_rule(strokeWidth=2, color="#0072B2").encode(x="low:Q", x2="high:Q"),
        base.mark_point(filled=True, size=80, opacity=1, color="#0072B2").encode(
            x=value, tooltip=["comparison:N", *numbers]
        ),
    ).properties(width=WIDTH - 120, height=alt.Step(34))
    return describe(chart, title, _differences_in_words(points))


def cumulative_gain(
    frame: pd.DataFrame, *, title: str = "Mean gain over the k worst classes"
) -> alt.LayerChart:
    """Figure 2 of Teacher's pet: the mean gain over the k classes that are worst for the baseline.

    Args:
        frame: one row for each k (from 1) and method: ``k``, ``gain`` (a difference of fractions),
            and perhaps ``low``, ``high`` and ``method``.
        title: the chart's title.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(frame, GAIN_COLUMNS)
    known = {"method": "distilled", "low": float("nan"), "high": float("nan")} | frame.to_dict(
        "series"
    )
    points = _in_points(pd.DataFrame(known, index=frame.index), ("gain", "low", "high"))
    colour = method_colour(methods_in(points))
    base = alt.Chart(points).encode(x=alt.X("k:Q", title="k, number of worst classes"))
    gain = alt.Y("gain:Q", title="mean gain (percentage points)")
    chart = alt.layer(
        alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeDash=[4, 3]).encode(y="zero:Q"),
        base.mark_area(opacity=0.18).encode(y=alt.Y("low:Q"), y2="high:Q", color=colour),
        base.mark_line(point=True).encode(
            y=gain, color=colour, tooltip=["method:N", "k:Q", "gain:Q"]
        ),
    ).properties(width=WIDTH, height=260)
    return describe(
        chart,
        title,
        "Lines of the mean difference in accuracy over the k classes that are worst for the "
        f"baseline, for k from {points['k'].min()} to {points['k'].max()}, with a line at zero.",
    )


def _in_points(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Fractions as percentage points."""
    return frame.assign(**{name: 100 * frame[name] for name in columns})


def _differences_in_words(points: pd.DataFrame) -> str:
    rows = [
        f"{row.comparison}: {row.difference:+.1f} ({row.low:+.1f} to {row.high:+.1f})"
        for row in points.itertuples()
    ]
    return "Differences in percentage points with intervals. " + "; ".join(rows) + "."
