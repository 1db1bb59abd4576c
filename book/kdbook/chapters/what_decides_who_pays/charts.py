"""Harm against the share of the target off the label, and what is left for everything else."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.chapters.what_decides_who_pays.fits import bin_names
from kdbook.charts import caption as caption
from kdbook.charts.controls import one_of
from kdbook.charts.style import WIDTH, describe, interval_tooltip, interval_words, require_columns

SPLIT_COLUMNS = ("split", "group", "bin", "mean", "low", "high", "classes", "seeds")
FACTOR_COLUMNS = ("words", "model", "mean", "low", "high")
_WORDS = {
    "nothing": "nothing",
    "temperature": "temperature",
    "class": "common or rare class",
    "teacher": "length of the teacher's training",
}


def harm_by_share(splits: pd.DataFrame, *, title: str, shown: str = "nothing") -> alt.LayerChart:
    """Mean change of a class by the share of its target off the label; a reader splits the bins.

    Args:
        splits: as ``fits.splits`` gives it.
        title: the finding.
        shown: which split is drawn first.

    Raises:
        SettingError: a column is missing, or the splits have none of that name.
    """
    require_columns(splits, SPLIT_COLUMNS)
    there = list(splits["split"].unique())
    labels = [_WORDS[name] for name in there]
    choice = one_of("split_by", "Split by ", there, shown, labels=labels, argument="shown")
    base = alt.Chart(splits).transform_filter("datum.split === split_by")
    layers = [_zero(), *_bars(base)]
    return describe(
        alt.layer(*layers).add_params(choice).properties(width=WIDTH, height=280),
        title,
        _alt(splits),
    )


def _zero() -> alt.Chart:
    rule = alt.Chart(pd.DataFrame({"mean": [0.0]}))
    return rule.mark_rule(color="gray").encode(y="mean:Q")


def _bars(base: alt.Chart) -> list[alt.Chart]:
    axis = alt.Axis(labelAngle=-45, grid=False)
    x = alt.X("bin:N", sort=bin_names(), axis=axis).title(
        "share of the class's target that lies off the label, on training images"
    )
    apart = alt.XOffset("group:N")
    colour = alt.Color("group:N", legend=alt.Legend(orient="top", title=None))
    tooltip = interval_tooltip("group:N", "bin:N", "classes:Q")
    title = "distilled − one-hot (points of accuracy)"
    bars = base.mark_rule(strokeWidth=2).encode(
        x=x, xOffset=apart, color=colour, y=alt.Y("low:Q").title(title), y2="high:Q"
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        x=x, xOffset=apart, color=colour, shape=alt.Shape("group:N", legend=None),
        y=alt.Y("mean:Q").title(title), tooltip=tooltip,
    )  # fmt: skip
    return [bars, points]


def _alt(splits: pd.DataFrame) -> str:
    rows = splits[splits["split"] == "nothing"]
    said = [
        f"{r['bin']}: {interval_words(r['mean'], r['low'], r['high'])}" for _, r in rows.iterrows()
    ]
    return f"Mean change of a class's accuracy by the share off the label. {'; '.join(said)}."


def alone_and_beside(coefficients: pd.DataFrame, *, title: str) -> alt.LayerChart:
    """What each factor moves without the share and beside it: intervals, a row per factor.

    Args:
        coefficients: one row per factor and model: ``FACTOR_COLUMNS``; ``model`` is in words.
        title: the finding.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(coefficients, FACTOR_COLUMNS)
    models = list(dict.fromkeys(coefficients["model"]))
    y = alt.Y("words:N", sort=None, axis=alt.Axis(labelLimit=260, title=None))
    x_title = "points of accuracy"
    apart, colour = (
        alt.YOffset("model:N", sort=models),
        alt.Color("model:N", sort=models, legend=alt.Legend(orient="top", title=None)),
    )
    base = alt.Chart(coefficients)
    bars = base.mark_rule(strokeWidth=2).encode(
        y=y, yOffset=apart, color=colour, x=alt.X("low:Q").title(x_title), x2="high:Q"
    )
    points = base.mark_point(filled=True, size=70, opacity=1).encode(
        y=y, yOffset=apart, color=colour, shape=alt.Shape("model:N", sort=models, legend=None),
        x=alt.X("mean:Q").title(x_title), tooltip=interval_tooltip("words:N", "model:N"),
    )  # fmt: skip
    zero = alt.Chart(pd.DataFrame({"mean": [0.0]})).mark_rule(color="gray").encode(x="mean:Q")
    said = [
        f"{r['words']}, {r['model']}: {interval_words(r['mean'], r['low'], r['high'])}"
        for _, r in coefficients.iterrows()
    ]
    chart = alt.layer(zero, bars, points).properties(width=WIDTH - 220, height=200)
    return describe(chart, title, "; ".join(said) + ".")
