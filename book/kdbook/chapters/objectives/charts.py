"""The best scorer of each trade-off from balanced to robust, where probabilities are known."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.charts import caption as caption
from kdbook.charts.style import (
    METHOD_COLOURS,
    SPARE_COLOURS,
    WIDTH,
    describe,
    interval_tooltip,
    interval_words,
    require_columns,
    with_class_names,
)
from kdlib.errors import SettingError

CURVE_COLUMNS = ("alpha", "x", "label", "probability", "eta")
CLASS_COLUMNS = ("alpha", "label", "weight", "risk", "error", "standard_risk", "standard_error")

_CLASSES = (SPARE_COLOURS[0], SPARE_COLOURS[1], SPARE_COLOURS[4])
_PLACES = [METHOD_COLOURS["distilled"], METHOD_COLOURS["one-hot"]]
_STANDARD, _CHOSEN = "standard", "at this α"


def objective_explorer(
    curves: pd.DataFrame, classes: pd.DataFrame, *, alpha: float = 0.0
) -> alt.VConcatChart:
    """Class probabilities and predictions of the best scorer at a trade-off, and its class risks.

    The reader moves alpha without a kernel. Dashed lines and ticks are those of the standard
    objective, whose best scorer gives the true probabilities.

    Args:
        curves: one row per trade-off, input and class: ``alpha`` (an even grid from 0 to 1), ``x``
            (evenly spaced), ``label`` (0 to 2), ``probability``, ``eta`` (both 0 to 1), and perhaps
            ``class_name``.
        classes: one row per trade-off and class: ``alpha``, ``label``, ``weight`` (beta), ``risk``
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
        _sentence(by_class).add_params(_slider(curves, alpha)),
        _lines(named, colour),
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


EFFECT_COLUMNS = ("place", "epochs", "mean", "low", "high")


def effect_by_length(effects: pd.DataFrame, *, title: str) -> alt.LayerChart:
    """What class weights change at each length of the training, by their place.

    Args:
        effects: one row per place and length: ``EFFECT_COLUMNS`` (percentage points).
        title: the finding.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(effects, EFFECT_COLUMNS)
    places = list(dict.fromkeys(effects["place"]))
    axis = alt.Axis(labelAngle=0, grid=False, labelExpr="datum.label + ' epochs'", labelFontSize=13)
    legend = alt.Legend(orient="top", title="weights", labelLimit=240)
    base = alt.Chart(effects).encode(
        x=alt.X("epochs:O", axis=axis).title("length of the training"),
        xOffset=alt.XOffset("place:N", sort=places),
        color=alt.Color("place:N", sort=places, legend=legend, scale=alt.Scale(range=_PLACES)),
    )
    mean = alt.Y("mean:Q").title("change in the rarest fifth (points)")
    layers = [
        alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeDash=[4, 3]).encode(y="zero:Q"),
        base.mark_rule(strokeWidth=2).encode(y="low:Q", y2="high:Q"),
        base.mark_point(filled=True, size=90, opacity=1).encode(
            y=mean,
            shape=alt.Shape("place:N", sort=places, legend=None),
            tooltip=interval_tooltip("place:N", "epochs:Q"),
        ),
    ]
    said = [
        f"{r.place}, {r.epochs:.0f} epochs: {interval_words(r.mean, r.low, r.high)}"
        for r in effects.itertuples()
    ]
    chart = alt.layer(*layers).properties(width=WIDTH, height=280)
    return describe(chart, title, f"Balanced weights minus none, in points. {'; '.join(said)}.")


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


def _sentence(by_class: pd.DataFrame) -> alt.Chart:
    """Lines above the panels: which class is worst off, by cross-entropy and by error."""
    words = (
        "['Largest cross-entropy: ' + datum.risk.class_name + ', ' + "
        "format(datum.risk.risk, '.2f') + ' nats.', "
        "'Smallest: ' + format(datum.least, '.2f') + ' nats.', "
        "'Largest error: ' + datum.error.class_name + ', ' + format(datum.error.error, '.0f') + "
        "' %.']"
    )
    worst = [alt.AggregatedFieldDef(op="argmax", field=f, **{"as": f}) for f in ("risk", "error")]
    least = alt.AggregatedFieldDef(op="min", field="risk", **{"as": "least"})
    return (
        _chosen(by_class)
        .transform_aggregate([*worst, least])
        .transform_calculate(words=words)
        .mark_text(align="left", baseline="top", fontSize=14, lineHeight=19)
        .encode(text="words:N", x=alt.value(0), y=alt.value(0))
        .properties(width=WIDTH, height=58, view=alt.ViewBackground(stroke=None))
    )


def _numbers(*names: str) -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{name}:Q", format=".2f") for name in names]


def _heading(text: str) -> alt.TitleParams:
    return alt.TitleParams(text, anchor="start", fontSize=12)
