"""Worst-class accuracy against the imbalance ratio, and the classes at one ratio."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdlib.charts.classes import PER_CLASS_COLUMNS, class_lines
from kdlib.charts.style import (
    WIDTH,
    describe,
    method_colour,
    method_shape,
    methods_in,
    percent_axis,
    require_columns,
)
from kdlib.errors import SettingError

WORST_COLUMNS = ("method", "imbalance", "accuracy", "low", "high")


def imbalance_explorer(
    worst: pd.DataFrame, per_class: pd.DataFrame, *, ratio: float | None = None
) -> alt.VConcatChart:
    """Above, the worst class at every ratio; below, all classes at the ratio that is chosen.

    Args:
        worst: one row a method and ratio: ``method``, ``imbalance`` (ratio, 1 or more),
            ``accuracy`` of the worst class, ``low``, ``high`` (fractions, e.g. a t-interval over
            seeds; may be NaN).
        per_class: one row a method, ratio and class: ``imbalance`` and the columns of
            ``per_class_accuracy``.
        ratio: which ratio is chosen first; by default the largest.

    Raises:
        SettingError: a column is missing, or ``ratio`` is not one of the ratios in ``per_class``.
    """
    require_columns(worst, WORST_COLUMNS)
    require_columns(per_class, ("imbalance", *PER_CLASS_COLUMNS))
    ratios = sorted(float(value) for value in per_class["imbalance"].unique())
    first = ratios[-1] if ratio is None else float(ratio)
    if first not in ratios:
        raise SettingError(f"ratio = {ratio!r} is not allowed: choose one of {ratios}")
    choice = alt.param("ratio", value=first, bind=_buttons(ratios))
    chart = alt.vconcat(_worst_lines(worst, choice), _classes_at(per_class), spacing=20)
    return describe(
        chart,
        "Rarer rare classes",
        f"Above: accuracy of the worst class against the imbalance ratio from {ratios[0]:g} to "
        f"{ratios[-1]:g} for {', '.join(methods_in(worst))}. Below: accuracy of every class at "
        "the chosen ratio.",
    )


def _buttons(ratios: list[float]) -> alt.BindRadioSelect:
    labels = [f"{value:g}" for value in ratios]
    return alt.binding_radio(options=ratios, labels=labels, name="Imbalance ratio ")


def _worst_lines(worst: pd.DataFrame, choice: alt.Parameter) -> alt.LayerChart:
    methods = methods_in(worst)
    colour, shape = method_colour(methods), method_shape(methods)
    ticks = alt.Axis(values=sorted(worst["imbalance"].unique()), format="d", grid=False)
    x = alt.X("imbalance:Q", axis=ticks, scale=alt.Scale(type="log", nice=False)).title(
        "imbalance ratio: images of the largest class for one of the smallest"
    )
    y = alt.Y("accuracy:Q", axis=percent_axis("worst-class accuracy"))
    base = alt.Chart(worst).encode(x=x)
    mark = alt.Chart(pd.DataFrame({"row": [0]})).transform_calculate(chosen="ratio")
    return alt.layer(
        mark.mark_rule(strokeDash=[4, 3]).encode(x=alt.X("chosen:Q")).add_params(choice),
        base.mark_area(opacity=0.18).encode(y=alt.Y("low:Q"), y2="high:Q", color=colour),
        base.mark_line().encode(y=y, color=colour),
        base.mark_point(filled=True, size=60, opacity=1).encode(
            y=y, color=colour, shape=shape, tooltip=_tooltip()
        ),
    ).properties(width=WIDTH, height=220)


def _tooltip() -> list[alt.Tooltip]:
    numbers = [alt.Tooltip(f"{name}:Q", format=".1%") for name in ("accuracy", "low", "high")]
    return [alt.Tooltip("method:N"), alt.Tooltip("imbalance:Q"), *numbers]


def _classes_at(per_class: pd.DataFrame) -> alt.LayerChart:
    base = alt.Chart(per_class).transform_filter("datum.imbalance === ratio")
    lines = class_lines(base, per_class, "class, most frequent first")
    return lines.properties(
        width=WIDTH, height=200, title=alt.TitleParams("At the chosen ratio", anchor="start")
    )
