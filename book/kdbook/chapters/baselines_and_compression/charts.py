"""Baselines as points, average against worst class, and the case where the robust student fails."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.charts import caption as caption
from kdbook.charts import paired_differences as paired_differences
from kdbook.charts.controls import one_of
from kdbook.charts.style import WIDTH, describe, method_colour, methods_in, require_columns

POINT_COLUMNS = ("data", "method", "variant", "average", "worst")
TABLE_COLUMNS = ("teacher", "student", "measure", "value")
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
_SIDES = ("worst", "average")
_INK = "#8C8C8C"
_TEACHERS = {"std": "#0072B2", "rob": "#D55E00"}


def baseline_scatter(
    points: pd.DataFrame, *, data: str | None = None, title: str = "Average against worst class"
) -> alt.VConcatChart:
    """One point per method and variant; a list chooses the data set, the legend picks a method.

    Args:
        points: ``data``, ``method``, ``variant`` (e.g. whose teacher), ``average`` and ``worst`` in
            percent, and perhaps ``average_low``, ``average_high``, ``worst_low``, ``worst_high``.
        data: which is shown first; by default the first.
        title: the chart's title.

    Raises:
        SettingError: a column is missing, or ``data`` is not there.
    """
    require_columns(points, POINT_COLUMNS)
    sets = list(dict.fromkeys(points["data"]))
    shown = one_of("data", "Data ", sets, data, listed=True)
    picked = alt.selection_point("picked", fields=["method"], bind="legend")
    layers = [*_rules(points, picked), _dots(points, picked).add_params(picked)]
    plot = alt.layer(*layers).properties(width=WIDTH, height=260)
    chart = alt.vconcat(_best(points).add_params(shown), plot, spacing=10)
    return describe(
        chart,
        title,
        f"Scatter of average accuracy against worst-class accuracy, {len(sets)} data sets. "
        + _in_words(points, data or sets[0]),
    )


def failure_bars(rows: pd.DataFrame, *, measure: str, title: str) -> alt.LayerChart:
    """Accuracies by student and teacher as bars; a list chooses the measure.

    Args:
        rows: ``teacher`` (``std`` or ``rob``), ``student``, ``measure`` and ``value`` in percent.
        measure: which is shown first.
        title: the chart's title.

    Raises:
        SettingError: a column is missing, or ``measure`` is not there.
    """
    require_columns(rows, TABLE_COLUMNS)
    measures = list(dict.fromkeys(rows["measure"]))
    base = _bars(rows).add_params(one_of("measure", "Measure ", measures, measure, listed=True))
    numbers = (
        _bars(rows).mark_text(align="left", dx=4).encode(text=alt.Text("value:Q", format=".2f"))
    )
    first = rows[rows["measure"] == measure]
    words = "; ".join(
        f"{r.student} ({r.teacher} teacher) {r.value:.2f}" for r in first.itertuples()
    )
    chart = alt.layer(base.mark_bar(), numbers).properties(width=WIDTH - 140, height=190)
    return describe(chart, title, f"Bars of the {measure} in percent: {words}.")


def _chosen(points: pd.DataFrame) -> alt.Chart:
    return alt.Chart(points).transform_filter("datum.data === data")


def _dots(points: pd.DataFrame, picked: alt.Parameter) -> alt.Chart:
    variants = list(dict.fromkeys(points["variant"]))
    # Under the plot: beside the other legend it would squeeze the plot on a phone.
    legend = alt.Legend(
        orient="bottom", columns=2, title=None, symbolSize=90,
        symbolFillColor=_INK, symbolStrokeColor=_INK,
    )  # fmt: skip
    shapes = alt.Scale(domain=variants, range=[_SHAPES[i % 6] for i in range(len(variants))])
    numbers = [alt.Tooltip(f"{name}:Q", format=".1f") for name in ("average", "worst")]
    return (
        _chosen(points)
        .mark_point(size=110, filled=True)
        .encode(
            x=_axis("average", "average accuracy (%)"),
            y=_axis("worst", "worst class (%)"),
            color=_colour(points),
            shape=alt.Shape("variant:N", scale=shapes, legend=legend),
            opacity=alt.condition(picked, alt.value(1.0), alt.value(0.12)),
            tooltip=["method:N", "variant:N", *numbers],
        )
    )


def _best(points: pd.DataFrame) -> alt.Chart:
    """Above the plot a sentence: which method is best in the worst class, and which on average."""
    words = (
        "['Best worst class, ' + format(datum.worst.worst, '.1f') + ' %:', "
        "datum.worst.method + ', ' + datum.worst.variant + '.', "
        "'Best average, ' + format(datum.average.average, '.1f') + ' %:', "
        "datum.average.method + ', ' + datum.average.variant + '.']"
    )
    best = [alt.AggregatedFieldDef(op="argmax", field=f, **{"as": f}) for f in _SIDES]
    return (
        _chosen(points)
        .transform_aggregate(best)
        .transform_calculate(words=words)
        .mark_text(align="left", baseline="top", fontSize=13, lineHeight=18)
        .encode(text="words:N", x=alt.value(0), y=alt.value(0))
        .properties(width=WIDTH, height=72, view=alt.ViewBackground(stroke=None))
    )


def _rules(points: pd.DataFrame, picked: alt.Parameter) -> list[alt.Chart]:
    """Intervals both ways, where the frame has them."""
    ends = [f"{side}_{end}" for side in ("average", "worst") for end in ("low", "high")]
    if not set(ends) <= set(points.columns):
        return []
    faint = alt.condition(picked, alt.value(0.45), alt.value(0.05))
    base = _chosen(points).mark_rule(strokeWidth=1).encode(opacity=faint)
    base = base.encode(color=_colour(points))
    across = base.encode(x="average_low:Q", x2="average_high:Q", y="worst:Q")
    return [across, base.encode(x="average:Q", y="worst_low:Q", y2="worst_high:Q")]


def _colour(points: pd.DataFrame) -> alt.Color:
    colour = method_colour(methods_in(points))
    colour.legend = alt.Legend(orient="top", columns=2, symbolSize=90, symbolOpacity=1)
    return colour


def _axis(name: str, title: str) -> alt.X | alt.Y:
    kind = alt.X if name == "average" else alt.Y
    return kind(f"{name}:Q", scale=alt.Scale(zero=False, padding=12), title=title)


def _bars(rows: pd.DataFrame) -> alt.Chart:
    students = list(dict.fromkeys(rows["student"]))
    scale = alt.Scale(domain=list(_TEACHERS), range=list(_TEACHERS.values()))
    legend = alt.Legend(orient="top", title="teacher's objective")
    return (
        alt.Chart(rows)
        .transform_filter("datum.measure === measure")
        .encode(
            x=alt.X("value:Q", title="accuracy (%)"),
            y=alt.Y("student:N", sort=students, title=None, axis=alt.Axis(labelLimit=140)),
            yOffset=alt.YOffset("teacher:N", sort=list(_TEACHERS)),
            color=alt.Color("teacher:N", scale=scale, legend=legend),
            tooltip=["student:N", "teacher:N", alt.Tooltip("value:Q", format=".2f")],
        )
    )


def _in_words(points: pd.DataFrame, data: str) -> str:
    rows = points[points["data"] == data].itertuples()
    words = (f"{r.method}, {r.variant}: {r.average:.1f} and {r.worst:.1f}" for r in rows)
    return f"On {data}, average and worst: " + "; ".join(words) + "."
