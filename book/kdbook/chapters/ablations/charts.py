"""Which class got which weight of the teacher, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import pandas as pd

from kdbook.charts import caption as caption
from kdbook.charts import paired_differences as paired_differences
from kdbook.charts.classes import PER_CLASS_COLUMNS, chosen_classes, class_axis
from kdbook.charts.controls import one_of, said_below
from kdbook.charts.style import (
    METHOD_COLOURS,
    SPARE_COLOURS,
    WIDTH,
    describe,
    in_short_lines,
    methods_in,
    require_columns,
    with_class_names,
)
from kdlib.errors import SettingError

WEIGHT_COLUMNS = ("method", "label", "mean")

REFERENCES = ("AdaAlpha", "one-hot")


def ablation_explorer(
    weights: pd.DataFrame,
    accuracy: pd.DataFrame,
    *,
    chosen: str | None = None,
    said: Mapping[str, str] | None = None,
) -> alt.VConcatChart:
    """Above, the teacher's weight by class in the chosen ablation; below, accuracy by class.

    Args:
        weights: one row per method and class: ``method``, ``label``, ``mean`` (0 to 1), and perhaps
            ``low``, ``high`` and ``class_name``. AdaAlpha must be there: its weights are shown as
            ticks. Every other method can be chosen.
        accuracy: as for ``per_class_accuracy``, with the same methods and the one-hot student.
        chosen: the ablation at the start; by default the first.
        said: a sentence for each ablation, shown below while it is chosen.

    Raises:
        SettingError: a column is missing, or a method has no accuracy.
    """
    require_columns(weights, WEIGHT_COLUMNS)
    require_columns(accuracy, PER_CLASS_COLUMNS)
    ablations = [name for name in methods_in(weights) if name not in REFERENCES]
    _check_methods([*ablations, *REFERENCES], methods_in(accuracy))
    choice = one_of("ablation", "Ablation ", ablations, chosen, argument="chosen")
    chart = alt.vconcat(
        _bars(with_class_names(weights)).add_params(choice),
        _accuracies(with_class_names(accuracy), ablations),
        _said(said or {}),
        spacing=20,
    )
    return describe(
        chart,
        "Which class hears how much of the teacher",
        "Above: the weight of the teacher in each class for the chosen ablation, with AdaAlpha's "
        f"as ticks. Below: test accuracy by class. To choose from: {', '.join(ablations)}.",
    )


def _check_methods(wanted: Sequence[str], there: Sequence[str]) -> None:
    missing = [name for name in wanted if name not in there]
    if missing:
        raise SettingError(f"accuracy lacks the method {', '.join(missing)}")


def _bars(weights: pd.DataFrame) -> alt.LayerChart:
    y = alt.Y("mean:Q", scale=alt.Scale(domain=[0, 1])).title("weight of the teacher")
    x = class_axis(weights, None)
    chosen = alt.Chart(weights).transform_filter("datum.method === ablation").encode(x=x)
    own = alt.Chart(weights).transform_filter("datum.method === 'AdaAlpha'").encode(x=x, y=y)
    tips = ["method:N", "class_name:N", alt.Tooltip("mean:Q", format=".2f")]
    layers = [chosen.mark_bar(color=SPARE_COLOURS[0], opacity=0.5).encode(y=y, tooltip=tips)]
    if {"low", "high"} <= set(weights.columns):
        layers.append(chosen.mark_rule(clip=True).encode(y=alt.Y("low:Q"), y2="high:Q"))
    ticks = own.mark_tick(color=METHOD_COLOURS["AdaAlpha"], thickness=3, size=18)
    return alt.layer(*layers, ticks.encode(tooltip=tips)).properties(width=WIDTH, height=150)


def _said(said: Mapping[str, str]) -> alt.Chart:
    rows = pd.DataFrame({"method": list(said), "said": in_short_lines(said.values())})
    return said_below(alt.Chart(rows).transform_filter("datum.method === ablation"))


def _accuracies(accuracy: pd.DataFrame, ablations: Sequence[str]) -> alt.LayerChart:
    """The chosen ablation keeps one colour, whichever it is, so that the legend stays short."""
    taught = accuracy[accuracy["method"].isin(ablations)]
    chosen = taught.assign(choice=taught["method"], method="the chosen ablation")
    others = accuracy[accuracy["method"].isin(REFERENCES)].assign(choice="")
    both = pd.concat([others, chosen], ignore_index=True)
    base = alt.Chart(both).transform_filter("datum.choice === '' || datum.choice === ablation")
    return chosen_classes(base, both)
