"""Results that depend on a chosen temperature, and what another choice would have shown."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd

from kdbook.charts import caption as caption
from kdbook.charts.controls import one_of
from kdbook.charts.style import (
    WIDTH,
    describe,
    in_short_lines,
    interval_tooltip,
    method_colour,
    method_shape,
    methods_in,
    require_columns,
)
from kdlib.errors import SettingError

CHOICE_COLUMNS = ("method", "temperature", "measure", "mean", "low", "high")
CHANGE_COLUMNS = ("method", "subgroup", "mean", "low", "high")


def change_by_subgroup(
    frame: pd.DataFrame, *, title: str = "Change from one-hot training"
) -> alt.LayerChart:
    """Figure 1 of Teacher's pet: what each method changes on average and where it is worst.

    Args:
        frame: one row per method and subgroup: ``method``, ``subgroup`` (the words on the axis, in
            order), ``mean``, ``low``, ``high`` (percentage points against one-hot).
        title: the chart's title.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(frame, CHANGE_COLUMNS)
    groups = list(dict.fromkeys(frame["subgroup"]))
    chart = _dots(alt.Chart(frame), methods_in(frame), groups)
    words = [f"{r.method}, {r.subgroup} {r.mean:+.1f}" for r in frame.itertuples()]
    return describe(
        chart.properties(width=WIDTH - 140, height=alt.Step(16)),
        title,
        f"Changes in percentage points with intervals: {'; '.join(words)}.",
    )


def temperature_explorer(
    levels: pd.DataFrame, changes: pd.DataFrame, chosen: Mapping[str, float]
) -> alt.VConcatChart:
    """A menu per method for its temperature: above its accuracy, below its change from one-hot.

    Args:
        levels: one row per method, temperature and measure: ``method``, ``temperature`` (NaN for a
            method without a teacher), ``measure`` (its name), ``mean``, ``low``, ``high``
            (percent).
        changes: the same columns without such methods: paired differences from the one-hot
            student, in percentage points; and ``said``, each as a sentence.
        chosen: each method's temperature at the start: the one that validation chose.

    Raises:
        SettingError: a column is missing, or a chosen temperature was not trained.
    """
    require_columns(levels, CHOICE_COLUMNS)
    require_columns(changes, (*CHOICE_COLUMNS, "said"))
    menus = [_menu(place, name, t, changes) for place, (name, t) in enumerate(chosen.items())]
    measures = list(dict.fromkeys(changes["measure"]))
    measure = one_of("measure", "Test accuracy ", measures)
    chart = alt.vconcat(
        _lines(levels, chosen).add_params(measure, *menus),
        _changes(changes, chosen),
        _said(changes, chosen),
        spacing=20,
    )
    picked = ", ".join(f"{method} T = {t:g}" for method, t in chosen.items())
    return describe(
        chart,
        "Choose each method's temperature",
        "Above: test accuracy against the temperature for "
        f"{', '.join(methods_in(levels))}, the chosen one as a large mark. Below: the change from "
        f"one-hot training at the chosen temperatures, at first those of validation: {picked}.",
    )


def _menu(place: int, method: str, chosen: float, changes: pd.DataFrame) -> alt.Parameter:
    trained = sorted(changes[changes["method"] == method]["temperature"].unique())
    if chosen not in trained:
        raise SettingError(f"{method} was not trained at T = {chosen:g}: choose one of {trained}")
    labels = [f"T = {t:g}{' (by validation)' if t == chosen else ''}" for t in trained]
    bind = alt.binding_select(options=trained, labels=labels, name=f"{method} ")
    return alt.param(f"menu_{place}", value=chosen, bind=bind)


def _at_menu(chosen: Mapping[str, float]) -> str:
    """A Vega expression: is this row at the temperature that its method's menu shows?"""
    tests = (
        f"(datum.method === '{method}' && datum.temperature === menu_{place})"
        for place, method in enumerate(chosen)
    )
    return " || ".join(tests)


def _lines(levels: pd.DataFrame, chosen: Mapping[str, float]) -> alt.LayerChart:
    methods = methods_in(levels)
    colour, shape = method_colour(methods), method_shape(methods)
    base = alt.Chart(levels).transform_filter("datum.measure === measure")
    taught = base.transform_filter("isValid(datum.temperature)")
    at = taught.transform_filter(_at_menu(chosen))
    y = alt.Y("mean:Q", scale=alt.Scale(zero=False)).title("test accuracy (%)")
    ticks = alt.Axis(values=sorted(levels["temperature"].dropna().unique()), grid=False)
    x = alt.X("temperature:Q", axis=ticks, scale=alt.Scale(padding=12)).title("temperature T")
    tips = interval_tooltip("method:N", "temperature:Q")
    return alt.layer(
        base.transform_filter("!isValid(datum.temperature)")
        .mark_rule(strokeWidth=2)
        .encode(y=y, color=colour, tooltip=interval_tooltip("method:N")),
        taught.mark_line(opacity=0.6).encode(x=x, y=y, color=colour),
        taught.mark_point(filled=True, size=30).encode(
            x=x, y=y, color=colour, shape=shape, tooltip=tips
        ),
        at.mark_rule(strokeWidth=3).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour),
        at.mark_point(filled=True, size=190, opacity=1).encode(
            x=x, y=y, color=colour, shape=shape, tooltip=tips
        ),
    ).properties(width=WIDTH, height=220)


def _picked(changes: pd.DataFrame, chosen: Mapping[str, float]) -> alt.Chart:
    measured = alt.Chart(changes).transform_filter("datum.measure === measure")
    return measured.transform_filter(_at_menu(chosen))


def _said(changes: pd.DataFrame, chosen: Mapping[str, float]) -> alt.Chart:
    """A sentence per method on what is picked, below the dots."""
    y = alt.Y("method:N", sort=methods_in(changes), axis=None)
    lines = changes.assign(said=in_short_lines(changes["said"]))
    text = _picked(lines, chosen).mark_text(align="left", fontSize=13, lineBreak="\n")
    place = text.encode(y=y, x=alt.value(0), text="said:N")
    return place.properties(width=WIDTH - 140, height=alt.Step(40))


def _changes(changes: pd.DataFrame, chosen: Mapping[str, float]) -> alt.LayerChart:
    shown = _picked(changes, chosen).transform_calculate(subgroup="'T = ' + datum.temperature")
    ends = float(changes["low"].min()), float(changes["high"].max())
    chart = _dots(shown, methods_in(changes), None, ends)
    return chart.properties(width=WIDTH - 140, height=alt.Step(34))


def _dots(
    base: alt.Chart,
    methods: list[str],
    groups: list[str] | None,
    ends: tuple[float, float] | None = None,
) -> alt.LayerChart:
    """Dots with intervals and a line at zero: a row per method, or one per method and subgroup."""
    rows = base.encode(y=alt.Y("method:N", sort=methods, axis=alt.Axis(title=None)))
    shape = method_shape(methods)
    if groups is not None:
        rows = rows.encode(yOffset=alt.YOffset("subgroup:N", sort=groups))
        marks = ["circle", "diamond", "triangle-up", "square"][: len(groups)]
        scale = alt.Scale(domain=groups, range=marks)
        grey = {"symbolFillColor": "#808080", "symbolStrokeColor": "#808080"}
        legend = alt.Legend(orient="top", columns=1, symbolSize=90, labelLimit=320, **grey)
        shape = alt.Shape("subgroup:N", title=None, scale=scale, legend=legend)
    colour = method_colour(methods).legend(None)
    scale = alt.Scale() if ends is None else alt.Scale(domain=list(ends))
    x = alt.X("mean:Q", scale=scale).title("change from one-hot (percentage points)")
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeDash=[4, 3])
    return alt.layer(
        zero.encode(x="zero:Q"),
        rows.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q"), x2="high:Q", color=colour),
        rows.mark_point(filled=True, size=80, opacity=1).encode(
            x=x, color=colour, shape=shape, tooltip=interval_tooltip("method:N", "subgroup:N")
        ),
    )
