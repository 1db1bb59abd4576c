"""The grid of teacher and student objectives as a heat map that the reader switches."""

from __future__ import annotations

from math import isnan

import altair as alt
import pandas as pd

from kdbook.charts import caption as caption
from kdbook.charts import paired_differences as paired_differences
from kdbook.charts.controls import one_of
from kdbook.charts.style import WIDTH, describe, interval_words, require_columns

COLUMNS = ("data", "labels", "teacher", "student", "measure", "mean", "low", "high")
_HEIGHT, _LEFT = 56, 90
_LINES = ["#D55E00", "#0072B2"]
_ORDER = {"teacher": ["std", "bal", "rob"], "student": ["none", "std-d", "bal-d", "rob-d"]}
_WORDS = {
    "std": "standard", "bal": "balanced", "rob": "robust", "none": "teacher alone",
    "std-d": "standard", "bal-d": "balanced", "rob-d": "robust",
}  # fmt: skip


def objective_grid(
    cells: pd.DataFrame, *, data: str | None = None, title: str = "Teacher x student"
) -> alt.LayerChart:
    """One cell per pair of objectives; the darker, the better among the cells that are shown.

    Args:
        cells: one row per data set, kind of validation labels, cell and measure, as
            ``objective_cells.cell_means`` gives them. ``low`` and ``high`` may be NaN.
        data: which is shown first; by default the first.
        title: the chart's title.

    Raises:
        SettingError: a column is missing, or ``data`` is not there.
    """
    require_columns(cells, COLUMNS)
    sets, labels, measures = (
        list(dict.fromkeys(cells[name])) for name in (*COLUMNS[:2], "measure")
    )
    params = [
        one_of("data", "Data ", sets, data, listed=True),
        one_of("measure", "Measure ", measures),
        one_of("labels", "Validation labels ", labels),
    ]
    layers = alt.layer(*_shown(cells), _best(cells)).add_params(*params)
    return describe(
        layers.properties(width=WIDTH, height=4 * _HEIGHT),
        title,
        f"Cells of teacher objective by student objective for {len(sets)} data sets. Each holds "
        f"the {' or the '.join(measures)} in percent; the darkest is the best of those shown.",
    )


def image_strips(tiles: pd.DataFrame, *, title: str) -> alt.LayerChart:
    """Rows of images, each with words below.

    Args:
        tiles: one row per image: ``strip``, ``place`` (from 0), ``url`` and ``words``.
        title: the finding.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(tiles, ("strip", "place", "url", "words"))
    axis = alt.Axis(title=None, domain=False, ticks=False, labelFontSize=13, labelLimit=160)
    base = alt.Chart(tiles).encode(
        x=alt.X("place:O", axis=None), y=alt.Y("strip:N", sort=None, axis=axis)
    )
    # On a phone a place is narrower than 40 pixels.
    side = alt.expr(f"min(40, width / {tiles['place'].max() + 1} - 3)")
    images = base.mark_image(width=side, height=side, smooth=False).encode(
        url="url:N", tooltip=["strip:N", "words:N"]
    )
    words = base.mark_text(dy=31, fontSize=13).encode(text="words:N")
    said = [
        f"{name}: {len(rows)} images{_taken_for(rows)}"
        for name, rows in tiles.groupby("strip", sort=False)
    ]
    chart = alt.layer(images, words).properties(
        width=WIDTH - 60, height=alt.Step(84), view=alt.ViewBackground(stroke=None)
    )
    return describe(chart, title, f"Rows of images of one class. {'; '.join(said)}.")


def _taken_for(rows: pd.DataFrame) -> str:
    words = [one for one in rows["words"] if one]
    return f" ({', '.join(words)})" if words else ""


def effective_class_lines(
    swings: pd.DataFrame, *, num_classes: int, title: str = "How many classes share the weight"
) -> alt.Chart:
    """The effective number of classes of the multipliers over the steps of some trainings.

    Args:
        swings: ``method``, ``step`` and ``effective``, as
            ``kdbook.collapse.collapses`` gives them for one seed.
        num_classes: L, the top of the axis.
        title: the chart's title.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(swings, ("method", "step", "effective"))
    legend = alt.Legend(orient="top", columns=1, labelLimit=300)
    lines = (
        alt.Chart(swings)
        .mark_line()
        .encode(
            x=alt.X("step:Q").title("training step"),
            y=alt.Y("effective:Q", scale=alt.Scale(domain=[1, num_classes])).title(
                "effective classes"
            ),
            color=alt.Color("method:N", title=None, legend=legend, scale=alt.Scale(range=_LINES)),
            strokeDash=alt.StrokeDash("method:N", title=None, legend=legend),
        )
    )
    return describe(
        lines.properties(width=WIDTH, height=200),
        title,
        f"Lines from 1 to {num_classes} effective classes over the training steps of "
        f"{swings['method'].nunique()} trainings; the lowest point is "
        f"{swings['effective'].min():.1f}.",
    )


def _chosen(cells: pd.DataFrame) -> alt.Chart:
    ask = "datum.data === data && datum.measure === measure && datum.labels === labels"
    return alt.Chart(cells).transform_filter(ask)


def _shown(cells: pd.DataFrame) -> list[alt.Chart]:
    """Shades and numbers of the chosen data set, measure and labels; intervals where there are."""
    named = cells.assign(
        cell=[_cell(row) for _, row in cells.iterrows()],
        span=[
            "" if isnan(low) else f"{low:.0f} to {high:.0f}"
            for low, high in zip(cells["low"], cells["high"], strict=True)
        ],
    )
    base = (
        _chosen(named)
        .transform_joinaggregate(worst="min(mean)", best="max(mean)")
        .transform_calculate(rank="(datum.mean - datum.worst) / max(datum.best - datum.worst, 1)")
        .encode(
            x=alt.X("teacher:N", sort=_ORDER["teacher"], axis=_axis("teacher", orient="top")),
            y=alt.Y("student:N", sort=_ORDER["student"], axis=_axis("student")),
            tooltip=["teacher:N", "student:N", alt.Tooltip("cell:N", title="percent")],
        )
    )
    ramp = alt.Scale(domain=[0, 1], range=["#E8F1F8", "#0B4F7D"])
    shade = base.mark_rect(stroke="#8C8C8C", strokeWidth=0.5).encode(
        color=alt.Color("rank:Q", scale=ramp, legend=None)
    )
    ink = alt.condition("datum.rank > 0.5", alt.value("#FFFFFF"), alt.value("#1A1A1A"))
    number = base.mark_text(fontSize=17, dy=-7).encode(
        text=alt.Text("mean:Q", format=".1f"), color=ink
    )
    return [shade, number, base.mark_text(fontSize=12, dy=13).encode(text="span:N", color=ink)]


def _best(cells: pd.DataFrame) -> alt.Chart:
    """Below the grid a sentence: which pair is best, and how far robust twice lies below it."""
    is_twice = "datum.teacher === 'rob' && datum.student === 'rob-d'"
    words = f"({_WORDS})"
    sentence = (
        f"['Best pair: a ' + {words}[datum.top.student] + ' student', "
        f"'of a ' + {words}[datum.top.teacher] + ' teacher, ' + "
        "format(datum.top.mean, '.1f') + ' %.', "
        "datum.top.mean > datum.twice ? 'Robust twice is ' + "
        "format(datum.top.mean - datum.twice, '.1f') + ' points below.' : "
        "'That is robust twice.']"
    )
    return (
        _chosen(cells)
        .transform_filter("datum.student !== 'none'")
        .transform_calculate(twice=f"{is_twice} ? datum.mean : 0")
        .transform_aggregate(
            [
                alt.AggregatedFieldDef(op="argmax", field="mean", **{"as": "top"}),
                alt.AggregatedFieldDef(op="max", field="twice", **{"as": "twice"}),
            ]
        )
        .transform_calculate(words=sentence)
        .mark_text(align="left", baseline="top", fontSize=14, lineHeight=19)
        .encode(text="words:N", x=alt.value(-_LEFT), y=alt.value(4 * _HEIGHT + 12))
    )


def _axis(name: str, **how: str) -> alt.Axis:
    words = f"({_WORDS})[datum.label]"
    return alt.Axis(
        title=f"{name} trained for", labelExpr=words, labelAngle=0, domain=False, ticks=False,
        labelFontSize=13, **how,
    )  # fmt: skip


def _cell(row: pd.Series) -> str:
    return interval_words(row["mean"], row["low"], row["high"], ".1f")
