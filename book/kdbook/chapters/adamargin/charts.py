"""AdaMargin's class weights: beside those of other margins, and as its offset moves."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.charts import caption as caption
from kdbook.charts import paired_differences as paired_differences
from kdbook.charts.classes import PER_CLASS_COLUMNS, chosen_classes, class_axis
from kdbook.charts.controls import even_slider
from kdbook.charts.over_steps import over_steps as over_steps
from kdbook.charts.style import (
    METHOD_COLOURS,
    WIDTH,
    describe,
    method_colour,
    method_shape,
    methods_in,
    require_columns,
    with_class_names,
)

WEIGHT_COLUMNS = ("method", "label", "weight")
OFFSET_COLUMNS = ("log_offset", "label", "log_cost", "share")

_CHOSEN = "abs(datum.log_offset - log_offset) < 1e-6"


def class_weights(frame: pd.DataFrame) -> alt.LayerChart:
    """How much more an error on each class counts than one on the most frequent class.

    Args:
        frame: one row per method and class: ``method``, ``label``, ``weight`` (above 0, on a
            logarithmic axis), and perhaps ``class_name``.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(frame, WEIGHT_COLUMNS)
    named = with_class_names(frame)
    methods = methods_in(named)
    colour, shape = method_colour(methods), method_shape(methods)
    y = alt.Y(
        "weight:Q", scale=alt.Scale(type="log"), axis=alt.Axis(format="~g", tickCount=6, grid=False)
    )
    base = alt.Chart(named).encode(
        x=class_axis(named, "class, most frequent first"),
        y=y.title("weight of an error (most frequent class = 1)"),
        color=colour,
    )
    tips = ["method:N", "class_name:N", alt.Tooltip("weight:Q", format=".3g")]
    chart = alt.layer(
        base.mark_line(strokeWidth=1.5),
        base.mark_point(filled=True, size=60, opacity=1).encode(shape=shape, tooltip=tips),
    ).properties(width=WIDTH, height=260)
    ends = [f"{m} {named[named['method'] == m]['weight'].max():.3g}" for m in methods]
    return describe(
        chart,
        "Three margins that favour rare classes",
        f"Lines of class weights on a logarithmic axis; the largest: {', '.join(ends)}.",
    )


def offset_explorer(
    classes: pd.DataFrame, accuracy: pd.DataFrame, notes: pd.DataFrame, *, log_offset: float = -2.0
) -> alt.VConcatChart:
    """A slider for AdaMargin's offset: log-costs, whom Lemma 1 favours, accuracy by class.

    Args:
        classes: one row per offset and class: ``log_offset`` (its decimal logarithm, on an even
            grid), ``label``, ``log_cost`` (nats), ``share`` (percent of the probability that
            Lemma 1's student gives to the class), and perhaps ``class_name``.
        accuracy: as for ``per_class_accuracy``, with ``log_offset``: each method shows its row
            nearest to the slider's; NaN stands for a method without an offset.
        notes: one row per offset: ``log_offset`` and ``text``, shown above the charts.
        log_offset: where the slider starts, on the grid.

    Raises:
        SettingError: a column is missing, or the offsets are not evenly spaced.
    """
    require_columns(classes, OFFSET_COLUMNS)
    require_columns(accuracy, ("log_offset", *PER_CLASS_COLUMNS))
    require_columns(notes, ("log_offset", "text"))
    grid = sorted(float(v) for v in classes["log_offset"].unique())
    slider = even_slider("log_offset", "Offset, as a power of ten ", grid, log_offset)
    named = with_class_names(classes)
    chart = alt.vconcat(
        _note(notes).add_params(slider),
        _bars(named, "log_cost", "log-cost (nats)", METHOD_COLOURS["AdaMargin"]),
        _bars(named, "share", "given by Lemma 1 (%)", METHOD_COLOURS["teacher"]),
        _accuracies(accuracy),
        spacing=16,
    )
    return describe(
        chart,
        "How small an offset?",
        f"For the chosen offset: the log-cost of each of {named['label'].nunique()} classes, the "
        "share of the probability that the best student of Lemma 1 gives to each, and the test "
        f"accuracy by class of {', '.join(methods_in(accuracy))}.",
    )


def _note(notes: pd.DataFrame) -> alt.Chart:
    chart = alt.Chart(notes).transform_filter(_CHOSEN)
    text = chart.mark_text(align="left", fontSize=12, lineBreak="\n", baseline="top")
    return text.encode(text="text:N", x=alt.value(0), y=alt.value(0)).properties(
        width=WIDTH, height=72
    )


def _bars(named: pd.DataFrame, column: str, title: str, colour: str) -> alt.Chart:
    top = float(named[column].max())
    y = alt.Y(f"{column}:Q", scale=alt.Scale(domain=[0, top])).title(title)
    tips = ["class_name:N", alt.Tooltip(f"{column}:Q", format=".2f")]
    chosen = alt.Chart(named).transform_filter(_CHOSEN).mark_bar(color=colour)
    return chosen.encode(x=class_axis(named, None), y=y, tooltip=tips).properties(
        width=WIDTH, height=110
    )


def _accuracies(accuracy: pd.DataFrame) -> alt.LayerChart:
    named = with_class_names(accuracy)
    distance = "isValid(datum.log_offset) ? abs(datum.log_offset - log_offset) : 0"
    base = (
        alt.Chart(named)
        .transform_calculate(distance=distance)
        .transform_joinaggregate(nearest="min(distance)", groupby=["method"])
        .transform_filter("datum.distance <= datum.nearest + 1e-9")
    )
    return chosen_classes(base, named)
