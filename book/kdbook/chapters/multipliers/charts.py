"""The class multipliers' path, move by move, without a kernel."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.charts import caption as caption
from kdbook.charts import per_class_accuracy as per_class_accuracy
from kdbook.charts.classes import class_axis, zero_rule
from kdbook.charts.controls import one_of
from kdbook.charts.style import (
    METHOD_COLOURS,
    WIDTH,
    describe,
    interval_tooltip,
    interval_words,
    require_columns,
    with_class_names,
)
from kdlib.errors import SettingError

PATH_COLUMNS = ("run", "seed", "move", "step", "label", "multiplier", "error")

_CLEAR, _UNCLEAR = "significant after correction", "no clear change"
_FATES = alt.Scale(domain=[_CLEAR, _UNCLEAR], range=["#D55E00", METHOD_COLOURS["one-hot"]])
_FATE_SHAPES = alt.Scale(domain=[_CLEAR, _UNCLEAR], range=["diamond", "circle"])
_FATE_LEGEND = alt.Legend(orient="top", labelLimit=240)
_WEIGHT, _ERROR = METHOD_COLOURS["AdaMargin"], METHOD_COLOURS["distilled"]


def multiplier_explorer(
    frame: pd.DataFrame, *, run: str | None = None, move: int | None = None
) -> alt.VConcatChart:
    """Bars of the errors and multipliers of the classes at one move; lines of the whole path.

    The reader chooses run and seed, and steps through the moves, without a kernel.

    Args:
        frame: one row per run, seed, move and class: ``run`` (its name), ``seed``, ``move`` (from
            1), ``step`` (of the training), ``label``, ``multiplier`` (after the move; those of a
            move sum to 1), ``error`` (before it, in percent), and perhaps ``class_name``.
        run: which is shown first; by default the first of the frame.
        move: which is shown first; by default the last.

    Raises:
        SettingError: a column is missing, or ``run`` or ``move`` is not there.
    """
    require_columns(frame, PATH_COLUMNS)
    named, controls = with_class_names(frame), _controls(frame, run, move)
    parts = _errors(named).add_params(*controls), _weights(named), _path(named)
    chart = alt.vconcat(*parts, spacing=14)
    return describe(
        chart,
        "The multipliers, move by move",
        f"At the chosen move of {int(frame['move'].max())}, for each of "
        f"{frame['label'].nunique()} classes: its error on validation images, and the multiplier "
        "that it got. Below: lines of all multipliers over the training steps, with a rule at the "
        "move, and how many classes share the weight.",
    )


CHANGE_COLUMNS = ("comparison", "measure", "mean", "low", "high", "holds")


def changed_choices(gaps: pd.DataFrame, *, shown: str, title: str) -> alt.LayerChart:
    """Every changed choice with its interval, in the measure that the reader chooses.

    Args:
        gaps: one row per choice and measure: ``CHANGE_COLUMNS`` (percentage points); ``holds``
            tells whether a difference is significant after correction.
        shown: the measure that is shown first.
        title: the finding.

    Raises:
        SettingError: a column is missing, or ``shown`` is not there.
    """
    require_columns(gaps, CHANGE_COLUMNS)
    measures = list(dict.fromkeys(gaps["measure"]))
    choice = one_of("measure", "Measure ", measures, shown, argument="shown")
    fate = gaps["holds"].map({True: _CLEAR, False: _UNCLEAR})
    named = gaps[list(CHANGE_COLUMNS)].assign(fate=fate)
    base = alt.Chart(named).transform_filter("datum.measure === measure").encode(
        y=alt.Y("comparison:N", sort=None, axis=alt.Axis(title=None, labelLimit=230)),
        color=alt.Color("fate:N", title=None, scale=_FATES, legend=_FATE_LEGEND),
    )  # fmt: skip
    points = base.mark_point(filled=True, size=80, opacity=1).encode(
        x=alt.X("mean:Q").title("change in accuracy (percentage points)"),
        shape=alt.Shape("fate:N", title=None, scale=_FATE_SHAPES, legend=_FATE_LEGEND),
        tooltip=interval_tooltip("comparison:N", "fate:N"),
    )
    bars = base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q")
    chart = alt.layer(zero_rule().encode(x="zero:Q"), bars, points)
    first = gaps[gaps["measure"] == shown]
    said = [f"{r.comparison}: {interval_words(r.mean, r.low, r.high)}" for r in first.itertuples()]
    return describe(
        chart.add_params(choice).properties(width=WIDTH - 180, height=alt.Step(30)),
        title,
        f"Changes of the {shown} in points. {'; '.join(said)}.",
    )


def _controls(frame: pd.DataFrame, run: str | None, move: int | None) -> list[alt.Parameter]:
    runs, seeds = list(dict.fromkeys(frame["run"])), sorted(int(s) for s in frame["seed"].unique())
    last = int(frame["move"].max())
    first_move = last if move is None else move
    if not 1 <= first_move <= last:
        raise SettingError(f"move = {move!r} is not allowed: from 1 to {last}")
    slider = alt.binding_range(min=1, max=max(last, 2), step=1, name="Move ")
    return [
        alt.param("move", value=first_move, bind=slider),
        one_of("run", "Run ", runs, run),
        one_of("seed", "Seed ", seeds, listed=True),
    ]


def _chosen(named: pd.DataFrame) -> alt.Chart:
    return alt.Chart(named).transform_filter("datum.run === run && datum.seed === seed")


def _errors(named: pd.DataFrame) -> alt.Chart:
    y = alt.Y("error:Q", scale=alt.Scale(domain=[0, 100])).title("error (%)")
    return _bars(named, y, _ERROR, "Error of each class, before the move")


def _weights(named: pd.DataFrame) -> alt.LayerChart:
    y = alt.Y("multiplier:Q", scale=alt.Scale(domain=[0, 1])).title("multiplier")
    title = "The multipliers after it (dashed: even)"
    even = pd.DataFrame({"even": [1 / named["label"].nunique()]})
    rule = alt.Chart(even).mark_rule(strokeDash=[4, 3]).encode(y="even:Q")
    return alt.layer(_bars(named, y, _WEIGHT, title), rule)


def _bars(named: pd.DataFrame, y: alt.Y, colour: str, title: str) -> alt.Chart:
    tips = ["class_name:N", "step:Q", *_numbers()]
    return (
        _chosen(named)
        .transform_filter("datum.move === move")
        .mark_bar(color=colour)
        .encode(x=class_axis(named, None), y=y, tooltip=tips)
        .properties(width=WIDTH, height=110, title=_heading(title))
    )


def _path(named: pd.DataFrame) -> alt.LayerChart:
    base = _chosen(named)
    x = alt.X("step:Q", axis=alt.Axis(grid=False)).title("training step")
    y = alt.Y("multiplier:Q").title("multiplier")  # no fixed end: a path may stay small
    lines = base.mark_line(strokeWidth=1.5, color=_WEIGHT, opacity=0.8).encode(
        x=x, y=y, detail="label:N", tooltip=["class_name:N", "step:Q", *_numbers()]
    )
    now = base.transform_filter("datum.move === move")
    rule = now.transform_filter("datum.label === 0").mark_rule(strokeDash=[4, 3]).encode(x="step:Q")
    dots = now.mark_point(filled=True, size=40, opacity=1, color=_WEIGHT).encode(x=x, y=y)
    title = _heading("The whole path, a line per class")
    return alt.layer(lines, rule, dots, _shared(now)).properties(
        width=WIDTH, height=150, title=title
    )


def _shared(now: alt.Chart) -> alt.Chart:
    """How many classes share the weight, as ``multiplier_paths.effective_classes`` counts them."""
    part = "datum.multiplier > 0 ? -datum.multiplier * log(datum.multiplier) : 0"
    words = (
        "'shared by ' + format(exp(datum.entropy), '.1f') + ' classes, most to class '"
        " + split(datum.most.class_name, '\\n')[0]"
    )
    return (
        now.transform_calculate(part=part)
        .transform_aggregate(
            [
                alt.AggregatedFieldDef(op="sum", field="part", **{"as": "entropy"}),
                alt.AggregatedFieldDef(op="argmax", field="multiplier", **{"as": "most"}),
            ]
        )
        .transform_calculate(words=words)
        .mark_text(align="left", baseline="bottom", fontSize=13)
        .encode(text="words:N", x=alt.value(8), y=alt.value(-4))
    )


def _numbers() -> list[alt.Tooltip]:
    return [alt.Tooltip("error:Q", format=".0f"), alt.Tooltip("multiplier:Q", format=".3f")]


def _heading(text: str) -> alt.TitleParams:
    return alt.TitleParams(text, anchor="start")
