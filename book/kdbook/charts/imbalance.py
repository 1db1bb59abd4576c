"""Worst-class accuracy against the imbalance ratio, and the classes at one ratio."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.charts.classes import PER_CLASS_COLUMNS, class_lines
from kdbook.charts.style import (
    WIDTH,
    describe,
    interval_tooltip,
    method_colour,
    method_shape,
    methods_in,
    require_columns,
    with_class_names,
)
from kdlib.errors import SettingError

WORST_COLUMNS = ("method", "imbalance", "mean", "low", "high")


def imbalance_explorer(
    worst: pd.DataFrame,
    per_class: pd.DataFrame,
    *,
    ratio: float | None = None,
    measure: str = "worst-class accuracy (%)",
) -> alt.VConcatChart:
    """Above, the worst classes at every ratio; below, all classes at the ratio that is chosen.

    Args:
        worst: one row a method and ratio: ``method``, ``imbalance`` (ratio, 1 or more), ``mean``
            of the measure, ``low``, ``high`` (percent; the interval may be NaN).
        per_class: one row a method, ratio and class: ``imbalance`` and the columns of
            ``per_class_accuracy``.
        ratio: which ratio is chosen first; by default the largest.
        measure: what ``worst`` holds: the title of the upper axis.

    Raises:
        SettingError: a column is missing, or ``ratio`` is not one of the ratios in ``per_class``.
    """
    require_columns(worst, WORST_COLUMNS)
    require_columns(per_class, ("imbalance", *PER_CLASS_COLUMNS))
    ratios = sorted(float(value) for value in per_class["imbalance"].unique())
    choice = _buttons(ratios, ratio)
    chart = alt.vconcat(_worst_lines(worst, choice, measure), _classes_at(per_class), spacing=20)
    return describe(
        chart,
        "Rarer rare classes",
        f"Above: {measure} against the imbalance ratio from {ratios[0]:g} to "
        f"{ratios[-1]:g} for {', '.join(methods_in(worst))}. Below: accuracy of every class at "
        "the chosen ratio.",
    )


def _buttons(ratios: list[float], ratio: float | None) -> alt.Parameter:
    """One button a ratio: a slider would stop at ratios that nobody has trained."""
    first = ratios[-1] if ratio is None else float(ratio)
    if first not in ratios:
        raise SettingError(f"ratio = {ratio!r} is not allowed: choose one of {ratios}")
    labels = [f"{value:g}" for value in ratios]
    bind = alt.binding_radio(options=ratios, labels=labels, name="Imbalance ratio ")
    return alt.param("ratio", value=first, bind=bind)


def _worst_lines(worst: pd.DataFrame, choice: alt.Parameter, measure: str) -> alt.LayerChart:
    methods = methods_in(worst)
    colour, shape = method_colour(methods), method_shape(methods)
    base = alt.Chart(worst).encode(x=_ratio_axis(worst))
    y = alt.Y("mean:Q", scale=alt.Scale(domain=[0, 100])).title(measure)
    mark = alt.Chart(pd.DataFrame({"row": [0]})).transform_calculate(chosen="ratio")
    return alt.layer(
        mark.mark_rule(strokeDash=[4, 3]).encode(x=alt.X("chosen:Q")).add_params(choice),
        base.mark_area(opacity=0.18, clip=True).encode(y=alt.Y("low:Q"), y2="high:Q", color=colour),
        base.mark_line().encode(y=y, color=colour),
        base.mark_point(filled=True, size=60, opacity=1).encode(
            y=y, color=colour, shape=shape, tooltip=interval_tooltip("method:N", "imbalance:Q")
        ),
    ).properties(width=WIDTH, height=220)


def _ratio_axis(worst: pd.DataFrame) -> alt.X:
    values = sorted(float(value) for value in worst["imbalance"].unique())
    ticks = alt.Axis(values=values, format="~g", grid=False)
    title = "imbalance ratio: images of the largest class for one of the smallest"
    return alt.X("imbalance:Q", axis=ticks, scale=alt.Scale(type="log", nice=False)).title(title)


def _classes_at(per_class: pd.DataFrame) -> alt.LayerChart:
    named = with_class_names(per_class)
    base = alt.Chart(named).transform_filter("datum.imbalance === ratio")
    return class_lines(base, named, "class, most frequent first").properties(
        width=WIDTH, height=200, title=alt.TitleParams("At the chosen ratio", anchor="start")
    )
