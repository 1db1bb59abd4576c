"""Accuracy along something that is repeated or turned: rounds, offsets."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.charts.style import (
    WIDTH,
    describe,
    interval_tooltip,
    method_colour,
    method_shape,
    methods_in,
    require_columns,
)


def over_steps(frame: pd.DataFrame, step: str, words: str, *, title: str) -> alt.HConcatChart:
    """A line per method over the steps, a panel per measure.

    Args:
        frame: one row per measure, method and step: ``measure``, ``method``, the step, ``mean``,
            ``low``, ``high`` (percent; the interval may be NaN).
        step: the column with the steps, in the order of the rows.
        words: the title of the horizontal axis.
        title: the chart's title.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(frame, ("measure", "method", step, "mean", "low", "high"))
    names = frame["measure"].unique()
    panels = [_panel(frame[frame["measure"] == name], str(name), step, words) for name in names]
    ends = frame[frame[step] == frame[step].iloc[-1]]
    told = ", ".join(f"{r.measure} {r.method} {r.mean:.0f} %" for r in ends.itertuples())
    alt_text = f"Lines over {words}. At {ends[step].iloc[0]}: {told}."
    return describe(alt.hconcat(*panels, spacing=24), title, alt_text)


def _panel(frame: pd.DataFrame, name: str, step: str, words: str) -> alt.LayerChart:
    methods = methods_in(frame)
    axis = alt.Axis(title=words, labelAngle=0, grid=False)
    base = alt.Chart(frame).encode(
        x=alt.X(f"{step}:O", axis=axis, sort=None), color=method_colour(methods)
    )
    y = alt.Y("mean:Q", scale=alt.Scale(domain=[0, 100])).title(f"{name} (%)")
    band = base.mark_area(fillOpacity=0.15, clip=True).encode(y=alt.Y("low:Q"), y2="high:Q")
    points = base.mark_point(filled=True, size=60, opacity=1).encode(
        y=y, shape=method_shape(methods), tooltip=interval_tooltip("method:N", f"{step}:O")
    )
    layers = alt.layer(band, base.mark_line().encode(y=y), points)
    return layers.properties(width=(WIDTH - 80) // 2, height=240)
