"""A grid of teachers and students as a heat map; a touched cell shows its classes."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.charts import caption as caption
from kdbook.charts import paired_differences as paired_differences
from kdbook.charts.classes import PER_CLASS_COLUMNS, chosen_classes
from kdbook.charts.controls import said_below
from kdbook.charts.style import (
    WIDTH,
    describe,
    in_short_lines,
    interval_tooltip,
    require_columns,
    with_class_names,
)
from kdlib.errors import SettingError

CELL_COLUMNS = ("teacher", "student", "mean", "low", "high", "said")
_CELL_HEIGHT = 56


def pair_explorer(
    cells: pd.DataFrame,
    per_class: pd.DataFrame,
    *,
    chosen: tuple[str, str] | None = None,
    measure: str = "change (percentage points)",
) -> alt.VConcatChart:
    """Above, the effect in every cell of the grid; below, the classes of the chosen cell.

    A touch on a cell or the list above the chart chooses.

    Args:
        cells: one row per cell: ``teacher``, ``student``, ``mean`` with ``low``, ``high``
            (percentage points, the interval may be NaN) and ``said``, a sentence. Rows and columns
            keep the order of the frame.
        per_class: one row per cell, method and class: ``teacher``, ``student`` and the columns of
            ``per_class_accuracy``.
        chosen: teacher and student of the first cell shown; by default the one of smallest mean.
        measure: what ``cells`` holds, with its unit.

    Raises:
        SettingError: a column is missing, or ``chosen`` is no cell.
    """
    require_columns(cells, CELL_COLUMNS)
    require_columns(per_class, ("teacher", "student", *PER_CLASS_COLUMNS))
    named, detail = _with_pair(cells), _with_pair(with_class_names(per_class))
    choice = _choice(named, chosen)
    parts = _heat_map(named, choice, measure), _said(named, choice), _classes(detail, choice)
    # Else the legend of the shapes would stand above the heat map, in black.
    chart = alt.vconcat(*parts, spacing=16).resolve_scale(color="independent", shape="independent")
    return describe(
        chart,
        "Who teaches whom",
        f"Above: a grid of teachers and students with the {measure}. {_in_words(named)} "
        "Below: accuracy of every class for the chosen pair.",
    )


def _with_pair(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(pair=frame["teacher"] + " teaches " + frame["student"])


def _choice(cells: pd.DataFrame, chosen: tuple[str, str] | None) -> alt.Parameter:
    pairs = list(cells["pair"])
    first = pairs[int(cells["mean"].argmin())] if chosen is None else " teaches ".join(chosen)
    if first not in pairs:
        raise SettingError(f"chosen = {chosen!r} is not allowed: choose one of {', '.join(pairs)}")
    listed = alt.binding_select(options=pairs, name="Pair ")
    # Bound selections ignore touches unless told to listen; the empty ground is spared.
    touched = "rect:click, text:click"
    return alt.selection_point(
        "pair", fields=["pair"], value=first, bind=listed, on=touched, clear=False, empty=False
    )


def _heat_map(cells: pd.DataFrame, choice: alt.Parameter, measure: str) -> alt.LayerChart:
    students, teachers = _in_order(cells["student"]), _in_order(cells["teacher"])
    base = alt.Chart(cells).encode(
        x=alt.X("student:N", sort=students, axis=alt.Axis(title="student", labelAngle=0)),
        y=alt.Y("teacher:N", sort=teachers[::-1], axis=alt.Axis(title="teacher")),
    )
    picked = alt.condition(choice, alt.value(4), alt.value(0))
    boxes = base.mark_rect(stroke="#E69F00", strokeJoin="round", cursor="pointer").encode(
        color=_diverging(cells, measure),
        strokeWidth=picked,
        tooltip=interval_tooltip("teacher:N", "student:N"),
    )
    # One ink is legible on all shades, as these are kept light.
    value = base.mark_text(fontSize=15, dy=-8, color="#111111").encode(
        text=alt.Text("mean:Q", format="+.1f")
    )
    span = base.transform_filter("isValid(datum.low)").transform_calculate(
        span="format(datum.low, '+.0f') + ' to ' + format(datum.high, '+.0f')"
    )
    interval = span.mark_text(fontSize=12, dy=12, color="#111111").encode(text="span:N")
    layers = (boxes.add_params(choice), value, interval)
    height = _CELL_HEIGHT * len(teachers)
    return alt.layer(*layers).properties(width=WIDTH - 80, height=height)


def _said(cells: pd.DataFrame, choice: alt.Parameter) -> alt.Chart:
    """What happened to the chosen pair, as a sentence."""
    lines = cells.assign(said=in_short_lines(cells["said"]))
    return said_below(alt.Chart(lines).transform_filter(choice))


def _diverging(cells: pd.DataFrame, measure: str) -> alt.Color:
    """Orange for harm, blue for gain, as light as the text on them needs."""
    widest = max(float(cells["mean"].abs().max()), 1e-9)
    scale = alt.Scale(
        domain=[-widest, 0, widest], range=["#F0A06B", "#F4F4F4", "#7DB8DD"], interpolate="rgb"
    )
    legend = alt.Legend(orient="bottom", title=measure, gradientLength=200, format="+.0f")
    return alt.Color("mean:Q", scale=scale, legend=legend)


def _classes(detail: pd.DataFrame, choice: alt.Parameter) -> alt.LayerChart:
    shown = alt.Chart(detail).transform_filter(choice)
    return chosen_classes(shown, detail, heading="Classes of the chosen pair")


def _in_order(names: pd.Series) -> list[str]:
    return list(dict.fromkeys(names))


def _in_words(cells: pd.DataFrame) -> str:
    return "; ".join(f"{row.pair}: {row.mean:+.1f}" for row in cells.itertuples()) + "."
