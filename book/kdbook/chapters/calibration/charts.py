"""Calibration of teachers: the panda that is never named, and the errors of each class."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.charts import caption as caption
from kdbook.charts.classes import class_axis
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

_NUMBERS = ("error", "worst")
_SHAPES = ("circle", "square", "triangle-up")
_TEACHERS = ("#0072B2", "#8A6D00", "#D55E00")
_COLOURS = {"cat": "#0072B2", "panda": "#D55E00", "other": "#8C8C8C"}


def panda_explorer(curves: pd.DataFrame, outcomes: pd.DataFrame) -> alt.VConcatChart:
    """True and teacher's curves, and what they come to, for the factor that the reader chooses.

    Args:
        curves: ``shrink``, ``x``, ``label``, ``truth``, ``teacher``, as
            ``kdbook.chapters.calibration.theory.cat_and_panda`` gives them.
        outcomes: ``shrink``, ``label``, ``recall`` and ``error``.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(curves, ("shrink", "x", "label", "truth", "teacher"))
    require_columns(outcomes, ("shrink", "label", "recall", "error"))
    factors = sorted(curves["shrink"].unique())
    step = round(float(factors[1] - factors[0]), 6) if len(factors) > 1 else 0.1
    name = "Teacher's panda, times the truth "
    bind = alt.binding_range(min=factors[0], max=factors[-1], step=step, name=name)
    factor = alt.param("factor", value=factors[-1], bind=bind)
    parts = _curves(curves).add_params(factor), _sentence(outcomes), _outcomes(outcomes)
    chart = alt.vconcat(*parts, spacing=16)
    return describe(
        chart,
        "Never right about the panda, and calibrated for it",
        "Curves of the true and the teacher's probability of cat, panda and other on [0, 1], and "
        "bars of recall and calibration error by class. A slider shrinks the teacher's panda from "
        f"{factors[-1]:g} to {factors[0]:g} times the truth.",
    )


PAIR_COLUMNS = ("teacher", "seed", "error", "worst")


def error_against_worst(pairs: pd.DataFrame, *, title: str) -> alt.LayerChart:
    """Each teacher's largest calibration error against the worst class of its robust student.

    Args:
        pairs: one row per teacher and seed: ``PAIR_COLUMNS``; ``teacher`` in words, ``error`` from
            0 to 2, ``worst`` in percent.
        title: the finding.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(pairs, PAIR_COLUMNS)
    teachers = list(dict.fromkeys(pairs["teacher"]))
    means = pairs.groupby("teacher", sort=False)[["error", "worst"]].mean().reset_index()
    room = alt.Scale(zero=False, padding=16)
    x = alt.X("error:Q", scale=room).title("largest calibration error of the teacher (0 to 2)")
    y = alt.Y("worst:Q", scale=room).title("worst class of its robust student (%)")
    legend = alt.Legend(orient="top", title=None, labelFontSize=13, symbolOpacity=1)
    colours, shapes = (alt.Scale(domain=teachers, range=list(r)) for r in (_TEACHERS, _SHAPES))
    colour = alt.Color("teacher:N", scale=colours, legend=legend)
    shape = alt.Shape("teacher:N", scale=shapes, legend=legend)
    tips = [alt.Tooltip("teacher:N"), *(alt.Tooltip(f"{n}:Q", format=".2f") for n in _NUMBERS)]
    dots, large = (
        alt.Chart(rows)
        .mark_point(filled=True, size=size, opacity=opacity)
        .encode(x=x, y=y, color=colour, shape=shape, tooltip=tips)
        for rows, size, opacity in ((pairs, 45, 0.45), (means, 260, 1))
    )
    said = "; ".join(
        f"{r.teacher} teacher: error {r.error:.2f}, worst class {r.worst:.1f} %"
        for r in means.itertuples()
    )
    chart = alt.layer(dots, large).properties(width=WIDTH, height=260)
    return describe(chart, title, f"Points per seed, and larger ones for the means. {said}.")


def class_error_points(errors: pd.DataFrame, *, title: str, y: str) -> alt.LayerChart:
    """A value by class and method, as points with intervals.

    Args:
        errors: ``method``, ``label``, ``mean``, ``low``, ``high``, and perhaps ``class_name``.
        title: the chart's title.
        y: title of the value's axis, with its unit.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(errors, ("method", "label", "mean", "low", "high"))
    named, methods = with_class_names(errors), methods_in(errors)
    shift = alt.XOffset("method:N", sort=methods)
    base = alt.Chart(named).encode(
        x=class_axis(named, "class, rarest last"), xOffset=shift, color=method_colour(methods)
    )
    rules = base.mark_rule(strokeWidth=2).encode(y="low:Q", y2="high:Q")
    points = base.mark_point(filled=True, size=55, opacity=1).encode(
        y=alt.Y("mean:Q").title(y),
        shape=method_shape(methods),
        tooltip=interval_tooltip("method:N", "class_name:N"),
    )
    largest = float(errors["mean"].max())
    return describe(
        alt.layer(rules, points).properties(width=WIDTH - 60, height=240),
        title,
        f"Points of {len(methods)} methods for {errors['label'].nunique()} classes with intervals; "
        f"the largest is {largest:.2f}.",
    )


def _curves(curves: pd.DataFrame) -> alt.LayerChart:
    long = curves.melt(["shrink", "x", "label"], ["truth", "teacher"], "whose", "probability")
    base = alt.Chart(long).transform_filter("abs(datum.shrink - factor) < 1e-6")
    dash = alt.StrokeDash(
        "whose:N",
        title=None,
        legend=alt.Legend(orient="top"),
        scale=alt.Scale(domain=["truth", "teacher"], range=[[1, 0], [5, 4]]),
    )
    lines = base.mark_line(strokeWidth=2).encode(
        x=alt.X("x:Q").title("x"),
        y=alt.Y("probability:Q", scale=alt.Scale(domain=[0, 1])).title("probability"),
        color=_colour(),
        strokeDash=dash,
    )
    return alt.layer(lines).properties(width=WIDTH - 120, height=220)


def _sentence(outcomes: pd.DataFrame) -> alt.Chart:
    """How many pandas the teacher finds at the chosen factor, and what its errors are."""
    other = outcomes[outcomes["label"] == "other"][["shrink", "error"]]
    panda = outcomes[outcomes["label"] == "panda"]
    frame = panda.merge(other, on="shrink", suffixes=("", "_other"))
    words = (
        "['Pandas that the teacher finds: ' + format(100 * datum.recall, '.0f') + ' %.', "
        "'Calibration error of the panda: ' + format(datum.error, '.2f') + ',', "
        "'of other: ' + format(datum.error_other, '.2f') + '.']"
    )
    return (
        alt.Chart(frame)
        .transform_filter("abs(datum.shrink - factor) < 1e-6")
        .transform_calculate(words=words)
        .mark_text(align="left", baseline="top", fontSize=14, lineHeight=19)
        .encode(text="words:N", x=alt.value(0), y=alt.value(0))
        .properties(width=WIDTH - 120, height=58, view=alt.ViewBackground(stroke=None))
    )


def _outcomes(outcomes: pd.DataFrame) -> alt.Chart:
    long = outcomes.melt(["shrink", "label"], ["recall", "error"], "what", "value")
    long["what"] = long["what"].map({"recall": "recall", "error": "calibration error"})
    return (
        alt.Chart(long)
        .transform_filter("abs(datum.shrink - factor) < 1e-6")
        .mark_bar()
        .encode(
            x=alt.X("value:Q", scale=alt.Scale(domain=[0, 1])).title("from 0 to 1"),
            y=alt.Y("label:N", sort=list(_COLOURS), axis=alt.Axis(title=None)),
            color=_colour(None),
            row=alt.Row("what:N", title=None, header=alt.Header(labelOrient="top", labelAngle=0)),
            tooltip=["label:N", "what:N", alt.Tooltip("value:Q", format=".3f")],
        )
        .properties(width=WIDTH - 140, height=70)
    )


def _colour(legend: alt.Legend | None = alt.Legend(orient="top")) -> alt.Color:  # noqa: B008
    scale = alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values()))
    return alt.Color("label:N", title=None, scale=scale, legend=legend)
