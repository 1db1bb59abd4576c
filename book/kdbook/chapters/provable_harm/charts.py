"""The excess risk of groups: what it is made of, and what distillation adds to it."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.chapters.provable_harm.explorer import harm_explorer as harm_explorer
from kdbook.chapters.provable_harm.explorer import part_colour
from kdbook.charts import caption as caption
from kdbook.charts.style import SPARE_COLOURS, WIDTH, describe, require_columns

PART_COLUMNS = ("method", "group", "measure", "formula", "mean", "low", "high")
CURVE_COLUMNS = ("added", "series")


def risk_parts(frame: pd.DataFrame) -> alt.VConcatChart:
    """Bias^2 and variance from the formulas as bars, the simulated excess risk as rings.

    Args:
        frame: rows of ``kdbook.chapters.provable_harm.beside``: ``method``, ``group``, ``measure``
            (``bias squared``, ``variance`` or ``excess risk``), ``formula``, and ``mean``,
            ``low``, ``high`` of the simulation. Each group gets a panel with a scale of its own.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(frame, PART_COLUMNS)
    shown = frame[~frame["method"].str.contains("−")]
    groups = list(dict.fromkeys(shown["group"]))
    chart = alt.vconcat(*(_part_panel(shown, group) for group in groups), spacing=16)
    total = shown[shown["measure"] == "excess risk"]
    words = "; ".join(f"{r.group}, {r.method}: {r.formula:.2g}" for r in total.itertuples())
    return describe(
        chart,
        "Excess risk: formula (bars) and simulation (rings)",
        f"Stacked bars of bias squared and variance, with a simulated ring at each end. {words}.",
    )


def added_risk_curves(
    frame: pd.DataFrame,
    x: str,
    *,
    axis: str,
    title: str,
    log: bool = False,
    points: pd.DataFrame | None = None,
) -> alt.LayerChart:
    """What distillation adds to the excess risk, as lines, with a rule at zero.

    Args:
        frame: one row per place and line: the column ``x``, ``added``, ``series``.
        x: the column along the horizontal axis.
        axis: the title of that axis.
        title: the chart's title.
        log: whether that axis is logarithmic.
        points: simulated values to draw on the lines: ``x``, ``series``, ``mean``, ``low``,
            ``high``.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(frame, (x, *CURVE_COLUMNS))
    names = list(dict.fromkeys(frame["series"]))
    ticks = {"values": [10**k for k in range(-4, 8)]} if log else {}
    scale = alt.Scale(type="log", nice=False) if log else alt.Scale(nice=False)
    place = alt.X(
        f"{x}:Q", scale=scale, axis=alt.Axis(title=axis, format="~g", grid=False, **ticks)
    )
    colour = alt.Color("series:N", title=None, scale=_line_colours(names), legend=_legend())
    tips = ["series:N", alt.Tooltip(f"{x}:Q", format=".3~g"), alt.Tooltip("added:Q", format="+.4f")]
    y = alt.Y("added:Q").title("added excess risk / β²")
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeDash=[4, 3]).encode(y="zero:Q")
    line = alt.Chart(frame).mark_line(strokeWidth=2).encode(x=place, y=y, color=colour)
    dash = alt.StrokeDash("series:N", title=None, scale=alt.Scale(domain=names), legend=_legend())
    layers = [zero, line.encode(strokeDash=dash, tooltip=tips)]
    if points is not None:
        layers += _simulated(points, place, colour)
    return describe(
        alt.layer(*layers).properties(width=WIDTH - 20, height=240),
        title,
        f"Lines of the added excess risk against {axis} for {', '.join(names)}; it runs from "
        f"{frame['added'].min():+.3f} to {frame['added'].max():+.3f}.",
    )


def _part_panel(frame: pd.DataFrame, group: str) -> alt.LayerChart:
    mine = frame[frame["group"] == group].replace({"measure": {"bias squared": "bias²"}})
    base = alt.Chart(mine.rename(columns={"measure": "part"}))
    y = alt.Y("method:N", sort=None, axis=alt.Axis(title=None))
    parts = base.transform_filter("datum.part !== 'excess risk'").mark_bar()
    bars = parts.encode(
        y=y,
        x=alt.X("formula:Q", axis=alt.Axis(title="excess risk", tickCount=6)),
        color=part_colour(),
        tooltip=["method:N", "part:N", alt.Tooltip("formula:Q", format=".4~g")],
    )
    total = base.transform_filter("datum.part === 'excess risk'").encode(y=y)
    rules = total.mark_rule(strokeWidth=3).encode(x="low:Q", x2="high:Q")
    tips = [alt.Tooltip(f"{name}:Q", format=".4~g") for name in ("mean", "low", "high")]
    ring = {"size": 70, "strokeWidth": 2, "opacity": 1, "color": "#000000", "fill": "#FFFFFF"}
    rings = total.mark_point(**ring).encode(x="mean:Q", tooltip=tips)
    named = alt.TitleParams(str(group), anchor="start")
    return alt.layer(bars, rules, rings).properties(
        width=WIDTH - 100, height=alt.Step(34), title=named
    )


def _simulated(points: pd.DataFrame, place: alt.X, colour: alt.Color) -> list[alt.Chart]:
    base = alt.Chart(points).encode(x=place, color=colour)
    dots = base.mark_point(size=60, strokeWidth=2, opacity=1).encode(
        y="mean:Q", tooltip=["series:N", alt.Tooltip("mean:Q", format="+.4f")]
    )
    return [base.mark_rule(strokeWidth=2).encode(y="low:Q", y2="high:Q"), dots]


def _line_colours(names: list[str]) -> alt.Scale:
    return alt.Scale(domain=names, range=[SPARE_COLOURS[-1 - i % 5] for i in range(len(names))])


def _legend() -> alt.Legend:
    return alt.Legend(orient="top")
