"""Worst-class accuracy against the imbalance ratio, and the classes at one ratio."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.charts import caption as caption
from kdbook.charts import change_bars as change_bars
from kdbook.charts import paired_differences as paired_differences
from kdbook.charts import per_class_accuracy as per_class_accuracy
from kdbook.charts.classes import PER_CLASS_COLUMNS, chosen_classes, class_axis, zero_rule
from kdbook.charts.controls import one_of
from kdbook.charts.style import (
    SPARE_COLOURS,
    WIDTH,
    describe,
    interval_tooltip,
    interval_words,
    method_colour,
    method_shape,
    methods_in,
    require_columns,
    with_class_names,
)

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
        worst: one row per method and ratio: ``method``, ``imbalance`` (ratio, 1 or more), ``mean``
            of the measure, ``low``, ``high`` (percent; the interval may be NaN).
        per_class: one row per method, ratio and class: ``imbalance`` and the columns of
            ``per_class_accuracy``.
        ratio: which ratio is chosen first; by default the largest.
        measure: what ``worst`` holds: the title of the upper axis.

    Raises:
        SettingError: a column is missing, or ``ratio`` is not one of the ratios in ``per_class``.
    """
    require_columns(worst, WORST_COLUMNS)
    require_columns(per_class, ("imbalance", *PER_CLASS_COLUMNS))
    ratios = sorted(float(value) for value in per_class["imbalance"].unique())
    # A slider would stop at ratios that nobody has trained.
    choice = one_of("ratio", "Imbalance ratio ", ratios, ratios[-1] if ratio is None else ratio)
    chart = alt.vconcat(_worst_lines(worst, choice, measure), _classes_at(per_class), spacing=20)
    return describe(
        chart,
        "Rarer rare classes",
        f"Above: {measure} against the imbalance ratio from {ratios[0]:g} to "
        f"{ratios[-1]:g} for {', '.join(methods_in(worst))}. Below: accuracy of every class at "
        "the chosen ratio.",
    )


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
        _said(worst, methods),
    ).properties(width=WIDTH, height=220)


def _said(worst: pd.DataFrame, methods: list[str]) -> alt.Chart:
    """The measure of every method at the chosen ratio, as a sentence."""
    each = [f"'{name} ' + format(datum['{name}'], '.1f') + ' %'" for name in methods]
    words = "'At ratio ' + format(ratio, '~g') + ':\\n' + " + " + ', ' + ".join(each)
    shown = alt.Chart(worst[["method", "imbalance", "mean"]])
    wide = shown.transform_filter("datum.imbalance === ratio").transform_pivot(
        "method", value="mean", groupby=["imbalance"]
    )
    text = wide.transform_calculate(words=words).mark_text(
        align="left", baseline="top", fontSize=13, lineBreak="\n"
    )
    return text.encode(text="words:N", x=alt.value(0), y=alt.value(-36))


def _ratio_axis(worst: pd.DataFrame) -> alt.X:
    values = sorted(float(value) for value in worst["imbalance"].unique())
    ticks = alt.Axis(values=values, format="~g", grid=False)
    title = "imbalance ratio: images of the largest class for one of the smallest"
    return alt.X("imbalance:Q", axis=ticks, scale=alt.Scale(type="log", nice=False)).title(title)


def _classes_at(per_class: pd.DataFrame) -> alt.LayerChart:
    named = with_class_names(per_class)
    base = alt.Chart(named).transform_filter("datum.imbalance === ratio")
    return chosen_classes(base, named, height=200, heading="At the chosen ratio")


CHANGE_COLUMNS = ("method", "student_epochs", "teacher_epochs", "mean", "low", "high")
SHARE_COLUMNS = ("method", "teacher_epochs", "share")
_PANEL = {"width": 220, "height": 170}
_IN_A_ROW = 2
_APART = 0.07  # of an octave, between the marks of two methods at one length


def teacher_length_panels(
    changes: pd.DataFrame, shares: pd.DataFrame, *, title: str = "How long was the teacher trained?"
) -> alt.VConcatChart:
    """Small multiples: a panel per length of the students, and one of the targets beside them.

    Args:
        changes: one row per method, student's and teacher's length: ``CHANGE_COLUMNS``; ``method``
            names the temperature too; mean, low and high are percentage points, and the interval
            may be NaN.
        shares: one row per method and teacher's length: ``SHARE_COLUMNS``; ``share`` is the percent
            of the target off the label.
        title: the chart's title.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(changes, CHANGE_COLUMNS)
    require_columns(shares, SHARE_COLUMNS)
    methods = methods_in(changes)
    placed = _apart(changes, methods)
    panels = [
        _changes_at(placed, methods, length)
        for length in sorted(changes["student_epochs"].unique())
    ]
    panels.append(_told(_apart(shares, methods), methods))
    rows = [
        alt.hconcat(*panels[start : start + _IN_A_ROW], spacing=16)
        for start in range(0, len(panels), _IN_A_ROW)
    ]
    chart = alt.vconcat(*rows, spacing=14)
    return describe(chart, title, _in_words(changes, shares))


def _apart(frame: pd.DataFrame, methods: list[str]) -> pd.DataFrame:
    """The frame with ``place``: the teacher's length, moved a little so that no mark hides."""
    middle = (len(methods) - 1) / 2
    octaves = frame["method"].map(lambda name: (methods.index(name) - middle) * _APART)
    return frame.assign(place=frame["teacher_epochs"] * 2**octaves)


def _changes_at(placed: pd.DataFrame, methods: list[str], length: float) -> alt.LayerChart:
    ends = placed[["mean", "low", "high"]]
    scale = alt.Scale(domain=[float(ends.min().min()), float(ends.max().max())], nice=True)
    y = alt.Y(
        "mean:Q", scale=scale, axis=alt.Axis(title="change in accuracy (points)", tickCount=6)
    )
    rows = placed[placed["student_epochs"] == length]
    base = alt.Chart(rows).encode(x=_axis(placed), color=method_colour(methods))
    layers = [
        zero_rule().encode(y="zero:Q"),
        base.mark_rule(strokeWidth=2).encode(y=alt.Y("low:Q"), y2="high:Q"),
        *_lines(base, y, methods, ["method:N", "teacher_epochs:Q", "student_epochs:Q"]),
    ]
    name = alt.TitleParams(f"students of {length:g} epochs", anchor="middle")
    return alt.layer(*layers).properties(title=name, **_PANEL)


def _told(placed: pd.DataFrame, methods: list[str]) -> alt.LayerChart:
    axis = alt.Axis(title="target off the label (%)", tickCount=6)
    y = alt.Y("share:Q", scale=alt.Scale(domainMin=0), axis=axis)
    base = alt.Chart(placed).encode(x=_axis(placed), color=method_colour(methods))
    tips = ["method:N", "teacher_epochs:Q", alt.Tooltip("share:Q", format=".1f")]
    name = alt.TitleParams("what they were told", anchor="middle")
    return alt.layer(*_lines(base, y, methods, tips)).properties(title=name, **_PANEL)


def _lines(base: alt.Chart, y: alt.Y, methods: list[str], tips: list) -> list[alt.Chart]:
    tooltip = [*tips, *interval_tooltip()] if "student_epochs:Q" in tips else tips
    dots = base.mark_point(filled=True, size=60, opacity=1)
    return [
        base.mark_line(strokeWidth=1.5).encode(y=y),
        dots.encode(y=y, shape=method_shape(methods), tooltip=tooltip),
    ]


def _axis(placed: pd.DataFrame) -> alt.X:
    lengths = sorted(float(value) for value in placed["teacher_epochs"].unique())
    ends = [min(lengths[0], placed["place"].min()), max(lengths[-1], placed["place"].max())]
    scale = alt.Scale(type="log", base=2, domain=ends, nice=False, padding=8)
    axis = alt.Axis(title="teacher's epochs", values=lengths, format="d", grid=False)
    return alt.X("place:Q", scale=scale, axis=axis)


def _in_words(changes: pd.DataFrame, shares: pd.DataFrame) -> str:
    rows = [
        f"{row.method}, students of {row.student_epochs:g} epochs, teachers of "
        f"{row.teacher_epochs:g}: {interval_words(row.mean, row.low, row.high)}"
        for row in changes[list(CHANGE_COLUMNS)].itertuples()
    ]
    told = [
        f"{row.method}, teachers of {row.teacher_epochs:g} epochs: {row.share:.1f}"
        for row in shares[list(SHARE_COLUMNS)].itertuples()
    ]
    return (
        f"Changes in percentage points with intervals. {'; '.join(rows)}. "
        f"Percent of the target off the label. {'; '.join(told)}."
    )


_TAIL_COLOURS = ["#696969", "#0072B2", *SPARE_COLOURS]


def tails(counts: pd.DataFrame) -> alt.Chart:
    """Training images of every class, a line per ratio.

    Args:
        counts: one row per ratio and class: ``label``, ``class_name``, ``ratio`` (words),
            ``images``.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(counts, ("label", "class_name", "ratio", "images"))
    order = list(dict.fromkeys(counts["ratio"]))
    y = alt.Y("images:Q", scale=alt.Scale(type="log")).title("training images")
    colour = alt.Color("ratio:N", sort=order, title=None, legend=alt.Legend(orient="top"))
    x = class_axis(counts, "class, most frequent first")
    chart = alt.Chart(counts).mark_line(point=True).encode(
        x=x, y=y, color=colour.scale(range=_TAIL_COLOURS[: len(order)]),
        tooltip=["class_name:N", "ratio:N", "images:Q"],
    )  # fmt: skip
    ends = counts[counts["label"] == counts["label"].max()]
    said = "; ".join(f"{row.ratio}: {row.images}" for row in ends.itertuples())
    return describe(
        chart.properties(width=WIDTH, height=150),
        "The higher the ratio, the fewer images the last class has",
        f"Lines of training images by class. In the last class: {said}.",
    )
