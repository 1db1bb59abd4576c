"""The best scorer of each trade-off from balanced to robust, where probabilities are known."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.charts import caption as caption
from kdbook.charts import paired_differences as paired_differences
from kdbook.charts.style import SPARE_COLOURS, WIDTH, describe, require_columns, with_class_names
from kdlib.errors import SettingError

CURVE_COLUMNS = ("alpha", "x", "label", "probability", "eta")
CLASS_COLUMNS = ("alpha", "label", "weight", "risk", "error", "standard_risk", "standard_error")

_CLASSES = (SPARE_COLOURS[0], SPARE_COLOURS[1], SPARE_COLOURS[4])
_STANDARD, _CHOSEN = "standard", "at this α"


def objective_explorer(
    curves: pd.DataFrame, classes: pd.DataFrame, *, alpha: float = 0.0
) -> alt.VConcatChart:
    """Class probabilities and predictions of the best scorer at a trade-off, and its class risks.

    The reader moves alpha without a kernel. Dashed lines and ticks are those of the standard
    objective, whose best scorer gives the true probabilities.

    Args:
        curves: one row a trade-off, input and class: ``alpha`` (an even grid from 0 to 1), ``x``
            (evenly spaced), ``label`` (0 to 2), ``probability``, ``eta`` (both 0 to 1), and perhaps
            ``class_name``.
        classes: one row a trade-off and class: ``alpha``, ``label``, ``weight`` (beta), ``risk``
            (nats), ``error`` (percent), ``standard_risk``, ``standard_error``.
        alpha: where the slider starts: one of the frame's.

    Raises:
        SettingError: a column is missing, there are more than three classes, or ``alpha`` is not
            in the frame.
    """
    require_columns(curves, CURVE_COLUMNS)
    require_columns(classes, CLASS_COLUMNS)
    if curves["label"].nunique() > len(_CLASSES):
        raise SettingError(f"{curves['label'].nunique()} classes are not allowed: at most 3")
    named = with_class_names(curves)[[*CURVE_COLUMNS, "class_name"]].round(3)
    by_class = with_class_names(classes)[[*CLASS_COLUMNS, "class_name"]].round(3)
    colour = _colour(named)
    parts = (
        _lines(named, colour).add_params(_slider(curves, alpha)),
        _regions(named, colour),
        _bars(by_class, colour, "risk", "cross-entropy (nats)"),
        _bars(by_class, colour, "error", "error (%)"),
    )
    return describe(
        alt.vconcat(*parts, spacing=14),
        "From balanced to robust",
        "At the chosen trade-off: lines of the best scorer's probability of each class over the "
        "inputs, with the true probabilities dashed; which class it predicts where, beside the "
        "standard scorer; and each class's cross-entropy and error, with ticks for the standard.",
    )


def _slider(curves: pd.DataFrame, start: float) -> alt.Parameter:
    grid = sorted(float(a) for a in curves["alpha"].unique())
    if not any(abs(a - start) < 1e-9 for a in grid):
        raise SettingError(f"alpha = {start!r} is not allowed: the frame has {grid}")
    step = round(grid[1] - grid[0], 6) if len(grid) > 1 else 1
    bind = alt.binding_range(min=grid[0], max=grid[-1], step=step, name="Trade-off α ")
    return alt.param("alpha", value=start, bind=bind)


def _colour(named: pd.DataFrame) -> alt.Color:
    names = list(dict.fromkeys(named.sort_values("label")["class_name"]))
    scale = alt.Scale(domain=names, range=list(_CLASSES[: len(names)]))
    return alt.Color("class_name:N", scale=scale, legend=alt.Legend(title=None, orient="top"))


def _chosen(frame: pd.DataFrame) -> alt.Chart:
    return alt.Chart(frame).transform_filter("abs(datum.alpha - alpha) < 1e-6")


def _x() -> alt.X:
    return alt.X("x:Q", axis=alt.Axis(grid=False), scale=alt.Scale(nice=False)).title("input x")


def _lines(named: pd.DataFrame, colour: alt.Color) -> alt.LayerChart:
    y = alt.Y("probability:Q", scale=alt.Scale(domain=[0, 1])).title("probability")
    tips = [alt.Tooltip("class_name:N"), *_numbers("x", "probability", "eta")]
    base = _chosen(named).encode(x=_x(), color=colour)
    best = base.mark_line(strokeWidth=2.5).encode(y=y, tooltip=tips)
    true = base.mark_line(strokeWidth=1.5, strokeDash=[4, 3]).encode(y="eta:Q")
    title = _heading("Probability of each class (dashed: true)")
    return alt.layer(true, best).properties(width=WIDTH, height=170, title=title)


def _regions(named: pd.DataFrame, colour: alt.Color) -> alt.Chart:
    """Two strips: the class with the largest probability at each input."""
    xs = sorted(named["x"].unique())
    half = (xs[1] - xs[0]) / 2 if len(xs) > 1 else 0.5
    under = half * 1.4  # a rectangle reaches under the next one: no seam
    pieces = [
        _largest(named, "eta").assign(scorer=_STANDARD),
        _largest(named, "probability").assign(scorer=_CHOSEN),
    ]
    frame = pd.concat(pieces)[["alpha", "x", "class_name", "scorer"]]
    edges = frame.assign(left=(frame["x"] - half).clip(lower=xs[0]), right=frame["x"] + under)
    edges["right"] = edges["right"].clip(upper=xs[-1])
    y = alt.Y("scorer:N", sort=[_STANDARD, _CHOSEN], axis=alt.Axis(title=None, ticks=False))
    x = alt.X("left:Q", axis=alt.Axis(grid=False), scale=alt.Scale(nice=False)).title("input x")
    return (
        _chosen(edges)
        .mark_rect(strokeWidth=0)
        .encode(x=x, x2="right", y=y, color=colour, tooltip=["class_name:N", "scorer:N"])
        .properties(width=WIDTH, height=alt.Step(22), title=_heading("Class that is predicted"))
    )


def _largest(named: pd.DataFrame, column: str) -> pd.DataFrame:
    frame = named.reset_index(drop=True)
    return frame.loc[frame.groupby(["alpha", "x"])[column].idxmax()]


def _bars(by_class: pd.DataFrame, colour: alt.Color, value: str, words: str) -> alt.LayerChart:
    top = float(by_class[[value, f"standard_{value}"]].to_numpy().max())
    x = (
        alt.X(f"{value}:Q", scale=alt.Scale(domain=[0, top], nice=True))
        .title(words)
        .axis(tickCount=6)
    )
    y = alt.Y("class_name:N", sort=None, axis=alt.Axis(title=None))
    base = _chosen(by_class)
    tips = ["class_name:N", *_numbers("weight", value, f"standard_{value}")]
    bars = base.mark_bar().encode(x=x, y=y, color=colour, tooltip=tips)
    mark = {"thickness": 4, "size": 18, "color": "#FFFFFF", "stroke": "#333333", "strokeWidth": 1}
    ticks = base.mark_tick(**mark).encode(x=alt.X(f"standard_{value}:Q"), y=y)
    title = _heading(f"{words[0].upper()}{words[1:]} of each class (tick: standard)")
    return alt.layer(bars, ticks).properties(width=WIDTH, height=alt.Step(24), title=title)


def _numbers(*names: str) -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{name}:Q", format=".2f") for name in names]


def _heading(text: str) -> alt.TitleParams:
    return alt.TitleParams(text, anchor="start", fontSize=12)
