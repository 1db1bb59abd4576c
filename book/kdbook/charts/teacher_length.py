"""The change against the one-hot student by the teacher's length, and what the student was told."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.charts.style import (
    describe,
    interval_tooltip,
    interval_words,
    method_colour,
    method_shape,
    methods_in,
    require_columns,
)

CHANGE_COLUMNS = ("method", "student_epochs", "teacher_epochs", "mean", "low", "high")
SHARE_COLUMNS = ("method", "teacher_epochs", "share")
_PANEL = {"width": 220, "height": 170}
_IN_A_ROW = 2
_APART = 0.07  # of an octave, between the marks of two methods at one length


def teacher_length_panels(
    changes: pd.DataFrame, shares: pd.DataFrame, *, title: str = "How long was the teacher trained?"
) -> alt.VConcatChart:
    """Small multiples: a panel a length of the students, and one of the targets beside them.

    Args:
        changes: one row a method, student's and teacher's length: ``CHANGE_COLUMNS``; ``method``
            names the temperature too; mean, low and high are percentage points, and the interval
            may be NaN.
        shares: one row a method and teacher's length: ``SHARE_COLUMNS``; ``share`` is the percent
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
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeDash=[4, 3]).encode(y="zero:Q")
    layers = [
        zero,
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
