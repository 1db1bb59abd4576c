"""AdaAlpha's trust in the teacher, class by class, against the temperature."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.chapters.trusting_the_teacher_less.estimate_charts import sentence
from kdbook.chapters.trusting_the_teacher_less.estimate_charts import (
    trust_estimate_explorer as trust_estimate_explorer,
)
from kdbook.charts import caption as caption
from kdbook.charts import paired_differences as paired_differences
from kdbook.charts import per_class_accuracy as per_class_accuracy
from kdbook.charts.classes import PER_CLASS_COLUMNS, chosen_classes, class_axis
from kdbook.charts.controls import even_slider
from kdbook.charts.style import METHOD_COLOURS, WIDTH, describe, require_columns, with_class_names

MIX_COLUMNS = ("temperature", "label", "mean")


def adaptive_mix_explorer(
    mix: pd.DataFrame, accuracy: pd.DataFrame, *, temperature: float | None = None
) -> alt.VConcatChart:
    """Above, the mix a_y of each class at the slider's temperature; below, accuracies by class.

    Args:
        mix: one row per temperature and class: ``temperature`` (an even grid), ``label``, ``mean``
            (a_y in [0, 1], equation 3 of Teacher's pet, e.g. averaged over seeds), and perhaps
            ``low``, ``high`` and ``class_name``.
        accuracy: as for ``per_class_accuracy``. With a column ``temperature`` each method shows
            its temperature nearest to the slider's; NaN stands for a method without a teacher.
        temperature: where the slider starts; by default the lowest.

    Raises:
        SettingError: a column is missing, or the temperatures are not evenly spaced.
    """
    require_columns(mix, MIX_COLUMNS)
    require_columns(accuracy, PER_CLASS_COLUMNS)
    grid = sorted(float(t) for t in mix["temperature"].unique())
    slider = even_slider("temperature", "Temperature T ", grid, temperature)
    said = _trust_said(mix), _accuracy_said(accuracy)
    above = alt.layer(_mix_bars(mix, slider), *said).properties(width=WIDTH, height=150)
    chart = alt.vconcat(above, _accuracies(accuracy), spacing=20)
    return describe(
        chart,
        "Whom the student trusts, class by class",
        f"Above: the weight of the teacher for each of {mix['label'].nunique()} classes at "
        "the chosen temperature. Below: test accuracy of each class and method.",
    )


def adaptive_mix_bars(mix: pd.DataFrame) -> alt.LayerChart:
    """The mix a_y of each class as bars; nothing to move.

    Args:
        mix: one row per class: ``label``, ``mean`` (a_y in [0, 1]), and perhaps ``low``, ``high``
            and ``class_name``.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(mix, ("label", "mean"))
    named = with_class_names(mix)
    words = ", ".join(f"{row.class_name} {row.mean:.2f}" for row in named.itertuples())
    return describe(
        _mix_layers(alt.Chart(named), named, order="class, most frequent first"),
        "Whom the student trusts, class by class",
        f"Bars of the weight of the teacher by class: {words}.",
    )


def _mix_bars(mix: pd.DataFrame, slider: alt.Parameter) -> alt.LayerChart:
    named = with_class_names(mix)
    return _mix_layers(_at_the_slider(alt.Chart(named).add_params(slider)), named, order=None)


def _at_the_slider(base: alt.Chart) -> alt.Chart:
    return base.transform_filter("abs(datum.temperature - temperature) < 1e-6")


def _trust_said(mix: pd.DataFrame) -> alt.Chart:
    """The sentence on the trust, rewritten as the slider moves."""
    words = (
        "'T = ' + format(temperature, '.3~f') + ': trust from ' + format(datum.least, '.2f')"
        " + ' to ' + format(datum.most, '.2f') + ', on average ' + format(datum.middle, '.2f')"
    )
    of_all = _at_the_slider(alt.Chart(mix)).transform_aggregate(
        least="min(mean)", most="max(mean)", middle="mean(mean)"
    )
    return sentence(of_all.transform_calculate(words=words), -24)


def _accuracy_said(accuracy: pd.DataFrame) -> alt.Chart:
    """The sentence on the rarest class at the trained temperature nearest to the slider's."""
    methods, last = list(dict.fromkeys(accuracy["method"])), accuracy["label"].max()
    each = [f"'{name} ' + format(datum['{name}'], '.0f') + ' %'" for name in methods]
    columns = [name for name in accuracy if name in ("method", "temperature", "label", "mean")]
    base = alt.Chart(accuracy.loc[accuracy["label"] == last, columns])
    if "temperature" in columns:
        base = _nearest_temperature(base)
    wide = base.transform_pivot("method", value="mean", groupby=["label"])
    words = "'Rarest class: ' + " + " + ', ' + ".join(each)
    return sentence(wide.transform_calculate(words=words), -8)


def _mix_layers(shown: alt.Chart, named: pd.DataFrame, order: str | None) -> alt.LayerChart:
    """Bars on ``shown``, with rules for intervals where ``named`` has them."""
    base = shown.encode(x=class_axis(named, order))
    y = alt.Y("mean:Q", scale=alt.Scale(domain=[0, 1])).title("trust a(y)")
    bars = base.mark_bar(color=METHOD_COLOURS["AdaAlpha"])
    layers = [bars.encode(y=y, tooltip=["class_name:N", alt.Tooltip("mean:Q", format=".2f")])]
    if {"low", "high"} <= set(named.columns):
        layers.append(base.mark_rule(clip=True).encode(y=alt.Y("low:Q"), y2="high:Q"))
    return alt.layer(*layers).properties(width=WIDTH, height=150)


def _accuracies(accuracy: pd.DataFrame) -> alt.LayerChart:
    named = with_class_names(accuracy)
    base = alt.Chart(named)
    if "temperature" in named.columns:
        base = _nearest_temperature(base)
    return chosen_classes(base, named)


def _nearest_temperature(base: alt.Chart) -> alt.Chart:
    """Only a few temperatures were trained: each method shows the one nearest to the slider."""
    distance = "isValid(datum.temperature) ? abs(datum.temperature - temperature) : 0"
    return (
        base.transform_calculate(distance=distance)
        .transform_joinaggregate(nearest="min(distance)", groupby=["method"])
        .transform_filter("datum.distance <= datum.nearest + 1e-9")
    )
