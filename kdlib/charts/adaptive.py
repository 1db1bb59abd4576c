"""AdaAlpha's trust in the teacher, class by class, against the temperature."""

from __future__ import annotations

from itertools import pairwise

import altair as alt
import pandas as pd

from kdlib.charts.classes import PER_CLASS_COLUMNS, class_lines
from kdlib.charts.style import METHOD_COLOURS, WIDTH, describe, require_columns
from kdlib.errors import SettingError

MIX_COLUMNS = ("temperature", "class_index", "class_name", "mix")


def adaptive_mix_explorer(
    mix: pd.DataFrame, accuracy: pd.DataFrame, *, temperature: float | None = None
) -> alt.VConcatChart:
    """Above, the mix a_y of each class at the slider's temperature; below, accuracies by class.

    Args:
        mix: one row a temperature and class: ``temperature`` (an even grid), ``class_index``,
            ``class_name``, ``mix`` (a_y in [0, 1], equation 3 of Teacher's pet).
        accuracy: as for ``per_class_accuracy``. With a column ``temperature`` only the rows of the
            slider's temperature are shown, and those where it is empty (no teacher).
        temperature: where the slider starts; by default the lowest.

    Raises:
        SettingError: a column is missing, or the temperatures are not evenly spaced.
    """
    require_columns(mix, MIX_COLUMNS)
    require_columns(accuracy, PER_CLASS_COLUMNS)
    slider = _slider(sorted(mix["temperature"].unique()), temperature)
    chart = alt.vconcat(_mix_bars(mix, slider), _accuracies(accuracy), spacing=20)
    return describe(
        chart,
        "Whom the student trusts, class by class",
        f"Above: the weight of the teacher for each of {mix['class_name'].nunique()} classes at "
        "the chosen temperature. Below: test accuracy of each class and method.",
    )


def _slider(grid: list[float], start: float | None) -> alt.Parameter:
    steps = {round(after - before, 6) for before, after in pairwise(grid)}
    if len(steps) != 1:
        raise SettingError(f"temperatures {grid} are not allowed: give two or more, evenly spaced")
    bind = alt.binding_range(min=grid[0], max=grid[-1], step=steps.pop(), name="Temperature T ")
    return alt.param("temperature", value=grid[0] if start is None else float(start), bind=bind)


def _mix_bars(mix: pd.DataFrame, slider: alt.Parameter) -> alt.Chart:
    names = alt.EncodingSortField("class_index", op="min")
    y = alt.Y("mix:Q", scale=alt.Scale(domain=[0, 1])).title("trust in the teacher, a_y")
    bars = alt.Chart(mix).mark_bar(color=METHOD_COLOURS["AdaAlpha"]).add_params(slider)
    return (
        bars.transform_filter("abs(datum.temperature - temperature) < 1e-6")
        .encode(
            x=alt.X("class_name:N", sort=names, axis=alt.Axis(title=None, labelAngle=0)),
            y=y,
            tooltip=["class_name:N", alt.Tooltip("mix:Q", format=".2f")],
        )
        .properties(width=WIDTH, height=150)
    )


def _accuracies(accuracy: pd.DataFrame) -> alt.LayerChart:
    base = alt.Chart(accuracy)
    if "temperature" in accuracy:
        base = base.transform_filter(
            "!isValid(datum.temperature) || abs(datum.temperature - temperature) < 1e-6"
        )
    lines = class_lines(base, accuracy, "class, most frequent first")
    return lines.properties(width=WIDTH, height=220)
