"""Charts of the workshop: accuracy by class, differences, one number per class, a digit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd

from kdbook.charts import paired_differences, per_class_accuracy
from kdbook.charts.style import SPARE_COLOURS, WIDTH, describe
from kdbook.compare import with_intervals
from kdbook.explorables.digits import pixels_of
from kdlib.data import load

_GREYS = alt.Scale(scheme="greys", domain=[0, 255])


def by_class(accuracies: pd.DataFrame, title: str) -> alt.LayerChart:
    """Accuracy of each class with intervals over seeds, a line per method.

    Args:
        accuracies: as ``Logits.table`` gives it.
        title: of the chart.
    """
    lines = with_intervals(accuracies, "accuracy", ["method", "label", "class_name"])
    return per_class_accuracy(lines, title=title)


def differences(rows: Mapping[str, Sequence[float]], title: str) -> alt.LayerChart:
    """Differences in points with their intervals, a row each.

    Args:
        rows: from what is compared to mean, low and high.
        title: of the chart.
    """
    frame = pd.DataFrame(list(rows.values()), columns=["mean", "low", "high"])
    return paired_differences(frame.assign(comparison=list(rows)), title=title)


def bars(values: Mapping[str, Sequence[float]], title: str, axis: str) -> alt.Chart:
    """A number for each class, side by side for several names.

    Args:
        values: from a name to ``[L]`` numbers.
        title: of the chart.
        axis: what the numbers are, with their unit.
    """
    frame = pd.DataFrame(
        {"name": name, "class": label, "value": float(value)}
        for name, row in values.items()
        for label, value in enumerate(np.asarray(row))
    )
    names = list(values)
    colours = alt.Scale(domain=names, range=SPARE_COLOURS[: len(names)])
    legend = alt.Legend(orient="top") if len(names) > 1 else None
    chart = alt.Chart(frame).mark_bar().encode(
        x=alt.X("class:O", axis=alt.Axis(title="class, most frequent first", labelAngle=0)),
        xOffset=alt.XOffset("name:N", sort=names),
        y=alt.Y("value:Q", title=axis),
        color=alt.Color("name:N", title=None, scale=colours, legend=legend),
        tooltip=["name:N", "class:O", alt.Tooltip("value:Q", format=".3g")],
    )  # fmt: skip
    words = "; ".join(f"{name}: {_listed(row)}" for name, row in values.items())
    return describe(chart.properties(width=WIDTH, height=240), title, f"Bars by class. {words}.")


def digit(row: int) -> alt.Chart:
    """A test image of the digits, 8 x 8 pixels; ``row`` is its place in the test split."""
    test = load("digits").test
    image = pixels_of(test)[row].numpy()
    pixels = pd.DataFrame({"y": y, "x": x, "ink": int(i)} for (y, x), i in np.ndenumerate(image))
    place = {"axis": None, "type": "ordinal"}
    chart = alt.Chart(pixels).mark_rect().encode(
        x=alt.X("x", **place), y=alt.Y("y", **place),
        color=alt.Color("ink:Q", scale=_GREYS, legend=None),
    )  # fmt: skip
    size = {"width": 160, "height": 160}
    return describe(
        chart.properties(**size), f"Test image {row}", f"The digit {int(test.labels[row])}."
    )


def _listed(row: Sequence[float]) -> str:
    return ", ".join(f"{float(value):.2g}" for value in np.asarray(row))
