"""Regularisation samples: their share by bucket of classes, and the probabilities behind them."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.charts import caption as caption
from kdbook.charts.controls import one_of
from kdbook.charts.style import METHOD_COLOURS, WIDTH, describe, require_columns

SHARE_COLUMNS = ("split", "temperature", "bucket", "mean", "low", "high")
POINT_COLUMNS = ("split", "temperature", "bucket", "teacher", "student")
_SPLIT_COLOURS = {"training": METHOD_COLOURS["one-hot"], "test": METHOD_COLOURS["distilled"]}
_SPLIT_SHAPES = {"training": "circle", "test": "square"}


TITLE = "Where the teacher trusts the label less than the student does"


def regularisation_explorer(
    shares: pd.DataFrame,
    points: pd.DataFrame,
    *,
    temperature: float,
    bucket: int,
    title: str = TITLE,
) -> alt.VConcatChart:
    """Above, the share of regularisation samples by bucket; below, single images of one bucket.

    Figures 8 and 9 of Teacher's pet. The reader moves the teacher's temperature and the bucket.

    Args:
        shares: one row per split, temperature and bucket: ``split`` (``training`` or ``test``),
            ``temperature``, ``bucket`` (from 1, most frequent classes first), ``mean``, ``low``,
            ``high`` (percent; the interval may be NaN).
        points: one row per image and temperature: ``split``, ``temperature``, ``bucket``,
            ``teacher`` and ``student`` (the label's probability, 0 to 1).
        temperature: that is chosen first, one of those in ``shares``.
        bucket: that is chosen first.
        title: the chart's title.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(shares, SHARE_COLUMNS)
    require_columns(points, POINT_COLUMNS)
    options = sorted(float(value) for value in shares["temperature"].unique())
    heat = one_of("heat", "Teacher's temperature T ", options, float(temperature))
    place = _place(shares, bucket)
    chart = alt.vconcat(_bars(shares, heat), _scatter(points, place), spacing=24)
    return describe(
        chart,
        title,
        f"Above: share of regularisation samples in each of {shares['bucket'].nunique()} buckets "
        "of classes, on training and test images. Below: the label's probability by teacher and "
        "student for the images of the chosen bucket.",
    )


def _place(shares: pd.DataFrame, first: int) -> alt.Parameter:
    last = int(shares["bucket"].max())
    bind = alt.binding_range(min=1, max=last, step=1, name="Bucket ")
    return alt.param("place", value=int(first), bind=bind)


def _bars(shares: pd.DataFrame, heat: alt.Parameter) -> alt.LayerChart:
    base = alt.Chart(shares).transform_filter("datum.temperature === heat")
    axis = alt.Axis(title="bucket of classes, most frequent first", labelAngle=0)
    x, offset = alt.X("bucket:O", axis=axis), alt.XOffset("split:N", sort=list(_SPLIT_COLOURS))
    y = alt.Y("mean:Q", scale=alt.Scale(domain=[0, 100])).title("regularisation samples (%)")
    numbers = [alt.Tooltip(f"{name}:Q", format=".1f") for name in ("mean", "low", "high")]
    bars = base.mark_bar().encode(
        x=x, xOffset=offset, y=y, color=_colour(), tooltip=["split:N", "bucket:O", *numbers]
    )
    rules = base.mark_rule(clip=True).encode(x=x, xOffset=offset, y=alt.Y("low:Q"), y2="high:Q")
    return alt.layer(bars, rules).add_params(heat).properties(width=WIDTH, height=200)


def _scatter(points: pd.DataFrame, place: alt.Parameter) -> alt.LayerChart:
    unit = alt.Scale(domain=[0, 1])
    x = alt.X("teacher:Q", scale=unit).title("teacher's probability of the label")
    y = alt.Y("student:Q", scale=unit).title("student's probability of it")
    diagonal = alt.Chart(pd.DataFrame({"teacher": [0.0, 1.0], "student": [0.0, 1.0]}))
    shapes = alt.Scale(domain=list(_SPLIT_SHAPES), range=list(_SPLIT_SHAPES.values()))
    dots = (
        alt.Chart(points)
        .transform_filter("datum.temperature === heat && datum.bucket === place")
        .mark_point(size=35, opacity=0.7)
        .encode(x=x, y=y, color=_colour(), shape=alt.Shape("split:N", title=None, scale=shapes))
    )
    line = diagonal.mark_line(strokeDash=[4, 3], color="#888888").encode(x=x, y=y)
    return alt.layer(line, dots).add_params(place).properties(width=WIDTH - 200, height=300)


def _colour() -> alt.Color:
    scale = alt.Scale(domain=list(_SPLIT_COLOURS), range=list(_SPLIT_COLOURS.values()))
    legend = alt.Legend(orient="top", symbolOpacity=1)
    return alt.Color("split:N", title=None, scale=scale, legend=legend)
