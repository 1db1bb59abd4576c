"""Changes of accuracy in groups of people: beside printed ones, and against the threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd

from kdbook.charts import caption as caption
from kdbook.charts import paired_differences as paired_differences
from kdbook.charts.classes import zero_rule
from kdbook.charts.controls import one_of
from kdbook.charts.style import (
    METHOD_COLOURS,
    SPARE_COLOURS,
    WIDTH,
    describe,
    interval_tooltip,
    require_columns,
)
from kdlib.errors import SettingError

CHANGE_COLUMNS = ("group", "people", "mean", "low", "high", "printed")
GRID_COLUMNS = ("depth", "alpha", "threshold", "group", "mean", "low", "high")
_CHANGE = "change (percentage points)"
_PAPER, _OURS = "paper", "ours, with 95 % interval"
_CHOSEN = "datum.depth == depth && abs(datum.alpha - alpha) < 1e-6"
_DASHES = ([1, 0], [6, 3], [2, 2], [8, 2, 2, 2])


def printed_and_measured(
    frame: pd.DataFrame, *, title: str = "Printed and measured change"
) -> alt.LayerChart:
    """Our change with its interval and the printed one, a row per group.

    Args:
        frame: one row per group, in the order to show: ``group``, ``people`` (its size in the test
            set), ``mean``, ``low``, ``high`` and ``printed`` (percentage points; the interval may
            be NaN).
        title: the chart's title.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(frame, CHANGE_COLUMNS)
    named = frame[[*CHANGE_COLUMNS]].assign(row=_rows(frame))
    base = alt.Chart(named).encode(y=_row_axis(named))
    chart = alt.layer(
        zero_rule().encode(x="zero:Q"),
        base.mark_rule(strokeWidth=2, color=METHOD_COLOURS["distilled"]).encode(
            x="low:Q", x2="high:Q"
        ),
        _marks(base, "mean", _OURS),
        _marks(base, "printed", _PAPER),
    ).properties(width=WIDTH - 140, height=alt.Step(29))
    words = "; ".join(
        f"{r.group}: paper {r.printed:+.1f}, ours {r.mean:+.1f}" for r in frame.itertuples()
    )
    return describe(chart, title, f"Changes in percentage points by group. {words}.")


def threshold_explorer(
    grid: pd.DataFrame,
    *,
    depth: int,
    alpha: float,
    threshold: float,
    printed: pd.DataFrame | None = None,
) -> alt.VConcatChart:
    """The change in each group against the threshold, at a depth and an alpha to choose.

    Above, lines over all thresholds with a rule at the chosen one; below, the groups at that
    threshold with their intervals.

    Args:
        grid: one row per depth, alpha, threshold and group: ``depth``, ``alpha``, ``threshold`` (an
            even grid), ``group``, ``mean``, ``low``, ``high`` (percentage points).
        depth: of the tree, where its buttons start.
        alpha: where its buttons start.
        threshold: where its slider starts.
        printed: ``group`` and ``printed``, the paper's changes, shown below as diamonds.

    Raises:
        SettingError: a column is missing, or a start is not in the grid.
    """
    require_columns(grid, GRID_COLUMNS)
    shown = grid[[*GRID_COLUMNS]].round(3)
    controls = _controls(shown, {"depth": depth, "alpha": alpha, "threshold": threshold})
    groups = list(dict.fromkeys(shown["group"]))
    lines = _lines(alt.Chart(shown).transform_filter(_CHOSEN), groups, _whole_range(shown))
    points = _at_threshold(shown, printed, _whole_range(shown))
    chart = alt.vconcat(lines, points, spacing=24).add_params(*controls)
    return describe(
        chart,
        "Who pays depends on the threshold",
        f"Above: the change from one-hot to distilled in {', '.join(groups)} against the "
        "threshold. Below: the same groups at the chosen threshold, with intervals"
        + (", beside the paper's." if printed is not None else "."),
    )


def _controls(shown: pd.DataFrame, starts: Mapping[str, float]) -> list[alt.Parameter]:
    """Buttons for depth and alpha, of which only some were fitted, and a slider."""
    for name, value in starts.items():
        if not (shown[name] - value).abs().lt(1e-6).any():
            options = sorted(shown[name].unique().tolist())
            raise SettingError(f"{name} = {value:g} is not allowed: choose one of {options}")
    first, second, *_, last = sorted(shown["threshold"].unique().tolist())
    step = round(second - first, 6)
    slide = alt.binding_range(min=first, max=last, step=step, name="Threshold ")
    return [
        one_of("depth", "Depth of the tree ", sorted(shown["depth"].tolist()), starts["depth"]),
        one_of("alpha", "Trust α ", sorted(shown["alpha"].tolist()), starts["alpha"]),
        alt.param("threshold", value=starts["threshold"], bind=slide),
    ]


def _rows(frame: pd.DataFrame) -> list[str]:
    """Two lines per group, so that names fit on a phone: race, then sex, label and people."""
    pairs = zip(frame["group"].str.split(", ", n=1), frame["people"], strict=True)
    return ["\n".join(words) + f" ({people:,})" for words, people in pairs]


def _row_axis(named: pd.DataFrame) -> alt.Y:
    lines = alt.Axis(title=None, labelLimit=200, labelExpr="split(datum.label, '\\n')")
    return alt.Y("row:N", sort=list(named["row"]), axis=lines)


def _marks(base: alt.Chart, column: str, name: str) -> alt.Chart:
    tooltip = [*interval_tooltip("group:N", "people:Q"), alt.Tooltip("printed:Q", format="+.3f")]
    points = base.mark_point(filled=True, size=70, opacity=1)
    return points.transform_calculate(who=f"'{name}'").encode(
        x=alt.X(f"{column}:Q").title(_CHANGE),
        color=_who("color"),
        shape=_who("shape"),
        tooltip=tooltip,
    )


def _who(channel: str) -> alt.Color | alt.Shape:
    legend = alt.Legend(orient="top", symbolSize=90, symbolOpacity=1)
    if channel == "color":
        scale = alt.Scale(
            domain=[_OURS, _PAPER], range=[METHOD_COLOURS["distilled"], SPARE_COLOURS[1]]
        )
        return alt.Color("who:N", title=None, scale=scale, legend=legend)
    scale = alt.Scale(domain=[_OURS, _PAPER], range=["square", "diamond"])
    return alt.Shape("who:N", title=None, scale=scale, legend=legend)


def _whole_range(shown: pd.DataFrame) -> alt.Scale:
    """One scale for all depths and alphas: else a small change would look as large as a big one."""
    ends = shown[["mean", "low", "high"]]
    low, high = float(np.nanmin(ends)), float(np.nanmax(ends))
    return alt.Scale(domain=[5 * np.floor(low / 5), 5 * np.ceil(high / 5)], nice=False)


def _lines(base: alt.Chart, groups: Sequence[str], whole: alt.Scale) -> alt.LayerChart:
    scale = alt.Scale(domain=list(groups), range=[*SPARE_COLOURS[: len(groups)]])
    legend = alt.Legend(
        orient="top", columns=2, symbolType="stroke", symbolSize=400, symbolStrokeWidth=3,
        symbolOpacity=1,
    )  # fmt: skip
    dashes = alt.Scale(domain=list(groups), range=[*_DASHES[: len(groups)]])
    dash = alt.StrokeDash("group:N", title=None, scale=dashes, legend=legend)
    colour = alt.Color("group:N", title=None, scale=scale, legend=legend)
    x = alt.X("threshold:Q", scale=alt.Scale(nice=False)).title("threshold of the decision")
    band = base.mark_area(opacity=0.15).encode(x=x, y=alt.Y("low:Q"), y2="high:Q", color=colour)
    line = base.mark_line(strokeWidth=2).encode(
        x=x, y=alt.Y("mean:Q", scale=whole).title(_CHANGE), color=colour, strokeDash=dash,
        tooltip=interval_tooltip("group:N", "threshold:Q"),
    )  # fmt: skip
    chosen = alt.Chart(pd.DataFrame({"at": [0.0]})).transform_calculate(at="threshold")
    rule = chosen.mark_rule(strokeWidth=2, color=METHOD_COLOURS["teacher"]).encode(x="at:Q")
    return alt.layer(zero_rule().encode(y="zero:Q"), band, line, rule).properties(
        width=WIDTH, height=230
    )


def _at_threshold(
    shown: pd.DataFrame, printed: pd.DataFrame | None, whole: alt.Scale
) -> alt.LayerChart:
    base = alt.Chart(shown).transform_filter(_CHOSEN)
    base = base.transform_filter("abs(datum.threshold - threshold) < 1e-6")
    y = alt.Y("group:N", sort=None, axis=alt.Axis(title=None, labelLimit=200))
    colour = METHOD_COLOURS["distilled"]
    layers = [
        zero_rule().encode(x="zero:Q"),
        base.mark_rule(strokeWidth=2, color=colour).encode(y=y, x="low:Q", x2="high:Q"),
        base.mark_point(filled=True, size=80, opacity=1, color=colour, shape="square").encode(
            y=y, x=alt.X("mean:Q", scale=whole).title(_CHANGE), tooltip=interval_tooltip("group:N")
        ),
    ]
    if printed is not None:
        paper = alt.Chart(printed[["group", "printed"]])
        mark = paper.mark_point(
            filled=True, size=80, opacity=1, color=SPARE_COLOURS[1], shape="diamond"
        )
        tooltip = [alt.Tooltip("group:N"), alt.Tooltip("printed:Q", format="+.3f")]
        layers.append(mark.encode(y=y, x="printed:Q", tooltip=tooltip))
    return alt.layer(*layers).properties(width=WIDTH - 120, height=alt.Step(30))
