"""Who gains from distillation: by number of worst classes, and class by class."""

from __future__ import annotations

import altair as alt
import numpy as np
import pandas as pd

from kdbook.charts import caption as caption
from kdbook.charts.classes import paired_differences as paired_differences
from kdbook.charts.classes import zero_rule
from kdbook.charts.controls import one_of
from kdbook.charts.style import (
    METHOD_COLOURS,
    WIDTH,
    describe,
    interval_tooltip,
    method_colour,
    methods_in,
    require_columns,
    with_class_names,
)

GAIN_COLUMNS = ("k", "mean")
CURVE_COLUMNS = ("teacher", "order", "k", "mean", "low", "high")
POINT_COLUMNS = ("label", "one_hot", "accuracy")
PLACE_COLUMNS = ("teacher", "order", "place", *POINT_COLUMNS)
_COLOUR = METHOD_COLOURS["distilled"]
_MANY_CLASSES = 20


def gain_explorer(
    curves: pd.DataFrame, places: pd.DataFrame, *, order: str | None = None, k: int = 1
) -> alt.VConcatChart:
    """Above, the mean gain over the k worst classes; below, the classes, the k worst in colour.

    The reader moves k, the order of the classes, and the teacher, without a kernel.

    Args:
        curves: one row per teacher, order and k: ``teacher``, ``order`` (both words), ``k`` (from
            1), ``mean`` (percentage points), ``low``, ``high`` (may be NaN).
        places: one row per teacher, order, seed and class: ``teacher``, ``order``, ``place`` (from
            1, the worst), ``label``, ``one_hot`` and ``accuracy`` (of the class in percent,
            the same for all seeds, e.g. their mean), and perhaps ``class_name``.
        order: which order is shown first; by default the first of ``curves``. That first one
            stays as a dashed line for comparison.
        k: where the slider starts.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(curves, CURVE_COLUMNS)
    require_columns(places, PLACE_COLUMNS)
    teachers, orders = (list(dict.fromkeys(curves[name])) for name in ("teacher", "order"))
    controls = [
        _slider(int(curves["k"].max()), k),
        one_of("order", "Worst by ", orders, order, listed=True),
        one_of("teacher", "Teacher ", teachers, listed=True),
    ]
    chart = alt.vconcat(_curve(curves, orders[0], controls), _marked(places), spacing=20)
    return describe(
        chart,
        "Who gains?",
        f"Above: mean gain over the k worst classes, for k from 1 to {curves['k'].max()}, in the "
        "chosen order and for the chosen teacher, with a band for its interval. Below: distilled "
        "against one-hot accuracy of each class, coloured where it is among the k worst.",
    )


def class_scatter(frame: pd.DataFrame, *, worst: int = 1) -> alt.LayerChart:
    """Figure 6 of Teacher's pet: each class's accuracy, one-hot against distilled.

    Args:
        frame: one row per class: ``label``, ``one_hot`` and ``accuracy`` (percent), and perhaps
            ``place`` (from 1, the worst) and ``class_name``. Without places nothing is marked.
        worst: how many of the worst classes are marked.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(frame, POINT_COLUMNS)
    named = with_class_names(frame)
    place = named["place"] if "place" in named else worst + 1
    points = named.assign(share=(place <= worst) * 1.0 if "place" in named else 0.0)
    above = int((points["accuracy"] > points["one_hot"]).sum())
    return describe(
        _scatter(alt.Chart(points), points),
        "Accuracy by class: distilled against one-hot",
        f"Dots of {len(points)} classes, {above} of them above the diagonal of equal accuracy.",
    )


def _slider(most: int, start: int) -> alt.Parameter:
    bind = alt.binding_range(min=1, max=most, step=1, name="k worst classes ")
    return alt.param("k", value=start, bind=bind)


def _curve(curves: pd.DataFrame, compared: str, controls: list[alt.Parameter]) -> alt.LayerChart:
    all_rows = alt.Chart(curves).add_params(*controls).transform_filter("datum.teacher === teacher")
    chosen = all_rows.transform_filter("datum.order === order")
    other = all_rows.transform_filter(alt.datum.order == compared)
    ticks = alt.Axis(title="k, number of worst classes", format="d", tickMinStep=1, grid=False)
    x = alt.X("k:Q", axis=ticks, scale=alt.Scale(nice=False))
    y = alt.Y("mean:Q").title("mean gain (percentage points)")
    return alt.layer(
        _zero(),
        chosen.mark_area(opacity=0.18, color=_COLOUR).encode(x=x, y=alt.Y("low:Q"), y2="high:Q"),
        other.mark_line(strokeDash=[5, 4], color=METHOD_COLOURS["teacher"]).encode(x=x, y=y),
        chosen.mark_line(color=_COLOUR).encode(x=x, y=y),
        *_at_k(chosen.transform_filter("datum.k === k"), x, y),
    ).properties(width=WIDTH, height=230)


def _at_k(base: alt.Chart, x: alt.X, y: alt.Y) -> list[alt.Chart]:
    words = (
        "'k = ' + datum.k + ': ' + format(datum.mean, '+.1f') + ' points'"
        " + (isValid(datum.low) ? ' (' + format(datum.low, '+.1f') + ' to '"
        " + format(datum.high, '+.1f') + ')' : '')"
    )
    text = base.transform_calculate(words=words).mark_text(
        align="left", baseline="bottom", fontSize=13
    )
    return [
        base.mark_point(filled=True, size=110, opacity=1, color=_COLOUR).encode(
            x=x, y=y, tooltip=interval_tooltip("order:N", "k:Q")
        ),
        text.encode(text="words:N", x=alt.value(0), y=alt.value(-6)),
    ]


def _marked(places: pd.DataFrame) -> alt.LayerChart:
    """One dot per class; its share is that of the seeds in which it is among the k worst."""
    named = with_class_names(places)
    base = (
        alt.Chart(named)
        .transform_filter("datum.teacher === teacher && datum.order === order")
        .transform_calculate(inside="datum.place <= k ? 1 : 0")
        .transform_aggregate(
            share="mean(inside)", groupby=["label", "class_name", "one_hot", "accuracy"]
        )
    )
    return _scatter(base, named)


def _scatter(base: alt.Chart, named: pd.DataFrame) -> alt.LayerChart:
    low = float(min(named["one_hot"].min(), named["accuracy"].min()))
    low = max(0.0, 10 * (low // 10))
    scale = alt.Scale(domain=[low, 100], nice=False)
    ticks = alt.Axis(tickCount=6)
    x = alt.X("one_hot:Q", scale=scale, axis=ticks).title("one-hot accuracy (%)")
    y = alt.Y("accuracy:Q", scale=scale, axis=ticks).title("distilled accuracy (%)")
    ends = pd.DataFrame({"one_hot": [low, 100.0], "accuracy": [low, 100.0]})
    diagonal = alt.Chart(ends).mark_line(strokeDash=[4, 3], color=METHOD_COLOURS["teacher"])
    layers = [diagonal.encode(x=x, y=y), _dots(base).encode(x=x, y=y)]
    if named["label"].nunique() <= _MANY_CLASSES:
        # Only the marked ones: easy classes lie on top of each other in the corner.
        marked = base.transform_filter("datum.share > 0")
        names = marked.mark_text(align="left", dx=10, fontSize=12).encode(x=x, y=y)
        layers.append(names.encode(text="class_name:N"))
    return alt.layer(*layers).properties(width=WIDTH, height=300)


def _dots(base: alt.Chart) -> alt.Chart:
    colours = alt.Scale(domain=[0, 1], range=["#8A94A0", _COLOUR], interpolate="rgb")
    share = alt.Color("share:Q", scale=colours, legend=None)
    grows = alt.Size("share:Q", scale=alt.Scale(domain=[0, 1], range=[50, 190]), legend=None)
    numbers = [alt.Tooltip(f"{name}:Q", format=".1f") for name in ("one_hot", "accuracy")]
    tooltip = [alt.Tooltip("class_name:N"), *numbers, alt.Tooltip("share:Q", format=".0%")]
    return base.mark_point(filled=True, opacity=0.9).encode(
        color=share, size=grows, tooltip=tooltip
    )


def _zero() -> alt.Chart:
    return alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeDash=[2, 3]).encode(y="zero:Q")


def cumulative_gain(
    frame: pd.DataFrame, *, title: str = "Mean gain over the k worst classes"
) -> alt.LayerChart:
    """Figure 2 of Teacher's pet: the mean gain over the k classes that are worst for the baseline.

    Args:
        frame: one row for each k (from 1) and method: ``k``, ``mean`` (percentage points), and
            perhaps ``low``, ``high`` and ``method`` (by default ``distilled``).
        title: the chart's title.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(frame, GAIN_COLUMNS)
    absent = pd.DataFrame({"method": "distilled", "low": np.nan, "high": np.nan}, frame.index)
    points = frame.join(absent[absent.columns.difference(frame.columns)])
    chart = alt.layer(zero_rule().encode(y="zero:Q"), *_gain_lines(points))
    return describe(
        chart.properties(width=WIDTH, height=260),
        title,
        "Lines of the mean difference in accuracy over the k classes that are worst for the "
        f"baseline, for k from {points['k'].min()} to {points['k'].max()}, with a line at zero.",
    )


def _gain_lines(points: pd.DataFrame) -> list[alt.Chart]:
    colour = method_colour(methods_in(points))
    ticks = alt.Axis(title="k, number of worst classes", format="d", tickMinStep=1, grid=False)
    base = alt.Chart(points).encode(x=alt.X("k:Q", axis=ticks, scale=alt.Scale(nice=False)))
    gain = alt.Y("mean:Q").title("mean gain (percentage points)")
    return [
        base.mark_area(opacity=0.18).encode(y=alt.Y("low:Q"), y2="high:Q", color=colour),
        base.mark_line(point=True).encode(
            y=gain, color=colour, tooltip=interval_tooltip("method:N", "k:Q")
        ),
    ]
