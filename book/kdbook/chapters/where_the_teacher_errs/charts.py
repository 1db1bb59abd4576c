"""Statistics of class buckets, as in Figures 3 to 5 and 7 of Teacher's pet."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import pandas as pd

from kdbook.charts import caption as caption
from kdbook.charts import paired_differences as paired_differences
from kdbook.charts.controls import one_of
from kdbook.charts.pictures import digit_image
from kdbook.charts.style import (
    WIDTH,
    describe,
    method_colour,
    method_shape,
    methods_in,
    require_columns,
)
from kdlib.errors import SettingError

BUCKET_COLUMNS = ("method", "statistic", "bucket", "mean", "low", "high")
_SHOWN = "datum.statistic === statistic && datum.buckets === buckets && datum.order === order"


def bucket_panels(
    frame: pd.DataFrame,
    units: Mapping[str, str],
    *,
    title: str = "Statistics by class bucket",
    axis: str = "class bucket",
) -> alt.VConcatChart:
    """One panel per statistic, one line and band per method; nothing to move.

    Args:
        frame: one row per method, statistic and bucket: ``BUCKET_COLUMNS``. ``bucket`` counts from
            1; the interval may be NaN.
        units: the statistics to show, in this order, and the axis title of each.
        title: the chart's title.
        axis: title of the horizontal axis: what the buckets are sorted by.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(frame, BUCKET_COLUMNS)
    last = list(units)[-1]  # the panels share its axis title
    panels = [
        _lines(
            alt.Chart(frame[frame["statistic"] == name]),
            frame,
            axis if name == last else None,
            words,
            height=115,
        )
        for name, words in units.items()
    ]
    return describe(
        alt.vconcat(*panels, spacing=14),
        title,
        f"Panels of {', '.join(units.values())} over {frame['bucket'].max()} buckets of classes "
        f"for {', '.join(methods_in(frame))}, with a band for the interval of each.",
    )


def bucket_explorer(
    frame: pd.DataFrame,
    units: Mapping[str, str],
    *,
    title: str = "Move the buckets",
    buckets: int | None = None,
) -> alt.LayerChart:
    """One panel; lists choose the statistic, the order and the number of buckets.

    A click on the legend shows one line alone; a click beside it shows all again.

    Args:
        frame: ``BUCKET_COLUMNS``, ``buckets`` (how many there are) and ``order`` (what sorts the
            classes, in words), one row per combination.
        units: the statistics and the name of each with its unit; the first is shown first.
        title: the chart's title.
        buckets: how many are shown first; by default the most.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(frame, (*BUCKET_COLUMNS, "buckets", "order"))
    named = frame.replace({"statistic": dict(units)})
    counts = sorted(int(count) for count in named["buckets"].unique())
    choices = [
        one_of("statistic", "Statistic ", units.values(), listed=True),
        one_of("order", "Classes sorted by ", named["order"], listed=True),
        one_of(
            "buckets", "Buckets ", counts, counts[-1] if buckets is None else buckets, listed=True
        ),
    ]
    base = alt.Chart(named).transform_filter(_SHOWN)
    chart = _lines(base, named, "class bucket, in the chosen order", None, height=260, one=True)
    return describe(
        chart.add_params(*choices),
        title,
        f"Lines over buckets of classes for {', '.join(methods_in(frame))}. Lists choose among "
        f"{', '.join(units.values())}, what sorts the classes, and the number of buckets.",
    )


def _lines(
    base: alt.Chart,
    frame: pd.DataFrame,
    axis: str | None,
    words: str | None,
    height: int,
    one: bool = False,
) -> alt.LayerChart:
    """Zero, bands, lines and dots; ``one``: a click on the legend singles out a method."""
    methods, ticks = methods_in(frame), alt.Axis(title=axis, labelAngle=0, grid=False)
    picked = alt.selection_point("picked", fields=["method"], bind="legend")
    base = base.encode(
        x=alt.X("bucket:O", axis=ticks),
        color=method_colour(methods),
        opacity=alt.when(picked).then(alt.value(1)).otherwise(alt.value(0.08))
        if one
        else alt.value(1),
    )
    y = alt.Y("mean:Q", scale=alt.Scale(zero=False)).title(words or "mean of the chosen statistic")
    band = base.mark_area(fillOpacity=0.15, clip=True).encode(y=alt.Y("low:Q"), y2="high:Q")
    dots = base.mark_point(filled=True, size=55).encode(
        y=y, shape=method_shape(methods), tooltip=_tooltip()
    )
    layers = [band, base.mark_line(strokeWidth=1.5).encode(y=y), dots]
    if one:
        layers[2] = layers[2].add_params(picked)
    return alt.layer(*layers).properties(width=WIDTH, height=height)


def _tooltip() -> list[alt.Tooltip]:
    numbers = [alt.Tooltip(f"{name}:Q", format=".3~f") for name in ("mean", "low", "high")]
    return [alt.Tooltip("method:N"), alt.Tooltip("bucket:O"), *numbers]


_WIDTH = 56


class PictureTable:
    """What ``picture_table`` gives; a notebook shows it as HTML, a terminal as text."""

    def __init__(self, markup: str, text: str) -> None:
        self._markup, self._text = markup, text

    def _repr_html_(self) -> str:
        return self._markup

    def __repr__(self) -> str:
        return self._text


def picture_table(table: pd.DataFrame, images: Any, words: Sequence[str]) -> PictureTable:
    """``table`` with a picture before each row.

    Args:
        table: one row per picture; its cells are shown as text, its index is not.
        images: uint8 ``[N, C, H, W]``, C of 1 or 3; small ones are enlarged.
        words: alt text of each picture.

    Raises:
        SettingError: the numbers of rows, pictures and texts differ.
    """
    if not len(table) == len(images) == len(words):
        raise SettingError(
            f"{len(table)} rows, {len(images)} pictures and {len(words)} texts: give one of each"
        )
    pictures = [
        f'<img src="{digit_image(image)}" width="{_WIDTH}" alt="{html.escape(text)}">'
        for image, text in zip(images, words, strict=True)
    ]
    cells = table.map(lambda cell: html.escape(str(cell)))
    cells.columns = [html.escape(str(name)) for name in cells.columns]
    cells.insert(0, "image", pictures)
    markup = cells.to_html(index=False, escape=False, border=0)
    return PictureTable(markup, table.to_string(index=False))
