"""Which classes worst-k and top-k average, and what comes out, for a k that the reader moves."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.charts import caption as caption
from kdbook.charts.style import (
    WIDTH,
    describe,
    interval_tooltip,
    method_colour,
    method_shape,
    methods_in,
    require_columns,
)
from kdlib.errors import SettingError

RANK_COLUMNS = ("method", "rank", "mean")
TAIL_COLUMNS = ("method", "k", "measure", "mean", "low", "high")


def printed_and_luck(printed: pd.DataFrame, luck: pd.DataFrame, *, title: str) -> alt.LayerChart:
    """What is printed of each method, over what classes that are all alike would print.

    Args:
        printed: one row per method and measure: ``method``, ``measure``, ``value`` (percent).
        luck: one row per measure: ``measure``, ``low``, ``median``, ``high`` (percent).
        title: the chart's title.
    """
    row = alt.Scale(paddingInner=0.3)
    y = alt.Y("measure:N", sort=list(luck["measure"]), axis=alt.Axis(title=None), scale=row)
    band = alt.Chart(luck).encode(y=y, tooltip=["measure:N", "low:Q", "median:Q", "high:Q"])
    x = alt.X("value:Q").title("percent (Δ20: points)")
    methods = methods_in(printed)
    dots = alt.Chart(printed).encode(
        x=x, y=y, yOffset=alt.YOffset("method:N", sort=methods), color=method_colour(methods),
        shape=method_shape(methods), tooltip=["method:N", "measure:N", "value:Q"],
    )  # fmt: skip
    chart = alt.layer(
        band.mark_rule(color="#808080", opacity=0.3, strokeWidth=44).encode(x="low:Q", x2="high:Q"),
        band.mark_tick(color="#606060", thickness=3, size=44).encode(x="median:Q"),
        dots.mark_point(filled=True, size=80, opacity=1),
    ).properties(width=WIDTH - 60, height=240)
    return describe(chart, title, "Grey: equal classes, 95 %. " + _printed_in_words(printed))


def _printed_in_words(printed: pd.DataFrame) -> str:
    return "; ".join(f"{r.method}, {r.measure} {r.value:g}" for r in printed.itertuples())


def tail_explorer(
    ranks: pd.DataFrame, tails: pd.DataFrame, *, k: int | None = None
) -> alt.VConcatChart:
    """Above, the classes from worst to best, with the k worst and the k best shaded; below, means.

    Args:
        ranks: one row per method and place: ``method``, ``rank`` (1 is the worst), ``mean``
            (accuracy in percent).
        tails: one row per method, k and measure: ``method``, ``k`` (equal steps), ``measure`` (its
            name), ``mean``, ``low``, ``high`` (percent or points; the interval may be NaN).
        k: where the slider starts; by default a fifth of the classes.

    Raises:
        SettingError: a column is missing, or ``k`` is not in ``tails``.
    """
    require_columns(ranks, RANK_COLUMNS)
    require_columns(tails, TAIL_COLUMNS)
    classes = int(ranks["rank"].max())
    slider = _slider(sorted(int(value) for value in tails["k"].unique()), classes, k)
    parts = _places(ranks, classes, slider), _means(tails), _said(tails)
    chart = alt.vconcat(*parts, spacing=24)
    return describe(
        chart,
        "The k worst and the k best classes",
        f"Above: accuracy of {classes} classes, sorted by it, for {', '.join(methods_in(ranks))}; "
        "the k worst and k best are shaded. Below: their means and the mean of all classes minus "
        "the k worst, with intervals. A slider sets k.",
    )


def _slider(grid: list[int], classes: int, k: int | None) -> alt.Parameter:
    fifth = max(1, round(0.2 * classes))
    start = min(grid, key=lambda value: abs(value - fifth)) if k is None else k
    if start not in grid:
        raise SettingError(f"k = {k!r} is not allowed: {grid[0]} to {grid[-1]} in steps")
    step = grid[1] - grid[0] if len(grid) > 1 else 1
    bind = alt.binding_range(min=grid[0], max=grid[-1], step=step, name="k ")
    return alt.param("k", value=start, bind=bind)


def _places(ranks: pd.DataFrame, classes: int, slider: alt.Parameter) -> alt.LayerChart:
    methods = methods_in(ranks)
    axis = alt.Axis(title="place of the class, from the worst", grid=False, tickMinStep=1)
    base = alt.Chart(ranks).encode(
        x=alt.X("rank:Q", axis=axis, scale=_place(classes)),
        y=alt.Y("mean:Q", scale=alt.Scale(domain=[0, 100])).title("accuracy (%)"),
        color=method_colour(methods),
    )
    dots = base.mark_point(filled=True, size=45, opacity=1).encode(
        shape=method_shape(methods),
        tooltip=[
            alt.Tooltip("method:N"),
            alt.Tooltip("rank:Q"),
            alt.Tooltip("mean:Q", format=".1f"),
        ],
    )
    return alt.layer(*_shades(classes, slider), base.mark_line(strokeWidth=1.5), dots).properties(
        width=WIDTH, height=220
    )


def _place(classes: int) -> alt.Scale:
    return alt.Scale(domain=[0.5, classes + 0.5], nice=False, zero=False)


def _shades(classes: int, slider: alt.Parameter) -> list[alt.Chart]:
    """Two rectangles behind the lines: places 1 to k, and the last k."""
    ends = alt.Chart(pd.DataFrame({"low": [0.5], "high": [classes + 0.5]})).add_params(slider)
    place = _place(classes)
    worst = ends.transform_calculate(end="0.5 + k").encode(
        x=alt.X("low:Q", scale=place), x2="end:Q"
    )
    best = alt.Chart(pd.DataFrame({"low": [0.5], "high": [classes + 0.5]})).transform_calculate(
        start=f"{classes} + 0.5 - k"
    )
    return [
        worst.mark_rect(color="#D55E00", opacity=0.16),
        best.encode(x=alt.X("start:Q", scale=place), x2="high:Q").mark_rect(
            color="#0072B2", opacity=0.16
        ),
    ]


def _said(tails: pd.DataFrame) -> alt.Chart:
    """A line per method at the k of the slider: its worst k and what the mean is above them."""
    wide = tails.pivot(index=["method", "k"], columns="measure", values="mean")
    worst, _, gap = tails["measure"].unique()
    rows = wide.reset_index()
    rows["said"] = [
        f"{row['method']}: {row[worst]:.1f} % in the worst {row['k']:g}, mean {row[gap]:.1f} above"
        for _, row in rows.iterrows()
    ]
    rows = rows[["method", "k", "said"]]
    y = alt.Y("method:N", sort=methods_in(tails), axis=None)
    text = alt.Chart(rows).transform_filter("datum.k === k").mark_text(align="left", fontSize=13)
    place = text.encode(y=y, x=alt.value(0), text="said:N")
    return place.properties(width=WIDTH, height=alt.Step(20))


def _means(tails: pd.DataFrame) -> alt.LayerChart:
    methods = methods_in(tails)
    measures = list(dict.fromkeys(tails["measure"]))
    base = (
        alt.Chart(tails)
        .transform_filter("datum.k === k")
        .encode(
            y=alt.Y(
                "measure:N",
                sort=measures,
                axis=alt.Axis(title=None, labelLimit=110),
                scale=alt.Scale(paddingInner=0.3),
            ),
            yOffset=alt.YOffset("method:N", sort=methods),
            color=method_colour(methods),
        )
    )
    x = alt.X("mean:Q", scale=alt.Scale(domain=[0, 100])).title(
        "accuracy (%), or a difference of two (points)"
    )
    return alt.layer(
        base.mark_rule(strokeWidth=2, clip=True).encode(x=alt.X("low:Q"), x2="high:Q"),
        base.mark_point(filled=True, size=60, opacity=1).encode(
            x=x, shape=method_shape(methods), tooltip=interval_tooltip("method:N", "measure:N")
        ),
    ).properties(width=WIDTH - 100, height=210)
