"""How many training images each class keeps."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.charts.classes import class_axis
from kdbook.charts.style import SPARE_COLOURS, WIDTH, describe, require_columns

_COLOURS = ["#696969", "#0072B2", *SPARE_COLOURS]


def tails(counts: pd.DataFrame) -> alt.Chart:
    """Training images of every class, a line a ratio.

    Args:
        counts: one row a ratio and class: ``label``, ``class_name``, ``ratio`` (words), ``images``.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(counts, ("label", "class_name", "ratio", "images"))
    order = list(dict.fromkeys(counts["ratio"]))
    y = alt.Y("images:Q", scale=alt.Scale(type="log")).title("training images")
    colour = alt.Color("ratio:N", sort=order, title=None, legend=alt.Legend(orient="top"))
    x = class_axis(counts, "class, most frequent first")
    chart = alt.Chart(counts).mark_line(point=True).encode(
        x=x, y=y, color=colour.scale(range=_COLOURS[: len(order)]),
        tooltip=["class_name:N", "ratio:N", "images:Q"],
    )  # fmt: skip
    ends = counts[counts["label"] == counts["label"].max()]
    said = "; ".join(f"{row.ratio}: {row.images}" for row in ends.itertuples())
    return describe(
        chart.properties(width=WIDTH, height=150),
        "The higher the ratio, the fewer images the last class has",
        f"Lines of training images by class. In the last class: {said}.",
    )
