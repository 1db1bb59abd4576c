"""Repeated distillation: what each round's teacher says, and what its student gets right."""

from __future__ import annotations

import math

import altair as alt
import pandas as pd

from kdbook.charts import caption as caption
from kdbook.charts import paired_differences as paired_differences
from kdbook.charts.classes import PER_CLASS_COLUMNS, chosen_classes, class_axis
from kdbook.charts.controls import one_of
from kdbook.charts.over_steps import over_steps as over_steps
from kdbook.charts.style import METHOD_COLOURS, WIDTH, describe, require_columns, with_class_names
from kdlib.errors import SettingError

ENTROPY_COLUMNS = ("chain", "round", "label", "mean")


def round_explorer(
    per_class: pd.DataFrame, entropies: pd.DataFrame, *, chain: str | None = None, first: int = 1
) -> alt.VConcatChart:
    """Above, the entropy of the teacher's probabilities by class; below, accuracies by class.

    Args:
        per_class: one row per chain of rounds, round, method and class: ``chain`` (its name),
            ``round`` (from 1; NaN for what is shown beside every round) and the columns of
            ``per_class_accuracy``.
        entropies: one row per chain, round and class: ``chain``, ``round``, ``label``, ``mean`` (in
            nats, 0 to the logarithm of the number of classes) and perhaps ``class_name``.
        chain: which is shown first; by default the last.
        first: round at which the slider starts.

    Raises:
        SettingError: a column is missing, or ``chain`` or ``first`` is not there.
    """
    require_columns(per_class, ("chain", "round", *PER_CLASS_COLUMNS))
    require_columns(entropies, ENTROPY_COLUMNS)
    params = _controls(entropies, chain, first)
    parts = _entropy_bars(entropies).add_params(*params), _accuracies(per_class)
    last = int(entropies["round"].max())
    chart = alt.vconcat(*parts, spacing=20).resolve_scale(color="independent", shape="independent")
    return describe(
        chart,
        "Round after round",
        "Above: mean entropy of the teacher's probabilities in each of "
        f"{entropies['label'].nunique()} classes, with a line at that of a guess. Below: test "
        f"accuracy of each class. A slider sets the round from 1 to {last}.",
    )


def _controls(entropies: pd.DataFrame, chain: str | None, first: int) -> list[alt.Parameter]:
    chains = list(dict.fromkeys(entropies["chain"]))
    last = int(entropies["round"].max())
    if not 1 <= first <= last:
        raise SettingError(f"first = {first!r} is not allowed: from 1 to {last}")
    slider = alt.binding_range(min=1, max=max(last, 2), step=1, name="Round ")
    return [
        alt.param("number", value=first, bind=slider),
        one_of("chain", "Chain ", chains, chain or chains[-1]),
    ]


def _entropy_bars(entropies: pd.DataFrame) -> alt.LayerChart:
    named, most = with_class_names(entropies), math.log(entropies["label"].nunique())
    shown = alt.Chart(named).transform_filter("datum.round === number && datum.chain === chain")
    top = alt.Scale(domain=[0, 1.05 * most])
    bars = shown.mark_bar(color=METHOD_COLOURS["teacher"]).encode(
        x=class_axis(named, None),
        y=alt.Y("mean:Q", scale=top).title("entropy (nats)"),
        tooltip=["class_name:N", alt.Tooltip("mean:Q", format=".2f")],
    )
    guess = alt.Chart(pd.DataFrame({"guess": [most]})).mark_rule(strokeDash=[4, 3])
    title = alt.TitleParams("What the round's teacher says (dashed: a guess)", anchor="start")
    return alt.layer(bars, guess.encode(y="guess:Q")).properties(
        width=WIDTH, height=140, title=title
    )


def _accuracies(per_class: pd.DataFrame) -> alt.LayerChart:
    named = with_class_names(per_class)
    shown = alt.Chart(named).transform_filter(
        "!isValid(datum.round) || (datum.round === number && datum.chain === chain)"
    )
    return chosen_classes(shown, named, height=200, heading="What its student gets right")
