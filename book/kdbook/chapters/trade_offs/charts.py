"""Average against worst class over a grid of trade-offs, with the grid itself beside it."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.charts import caption as caption
from kdbook.charts.controls import one_of
from kdbook.charts.style import METHOD_COLOURS, SPARE_COLOURS, WIDTH, describe, require_columns

COLUMNS = ("panel", "alpha_t", "alpha_s", "mean", "worst", "frontier")
MARK_COLUMNS = ("panel", "what", "mean", "worst")

# From little to much robustness; each stands out on the light and on the dark page.
_COLOURS = (METHOD_COLOURS["one-hot"], "#2A8C8C", "#8A6D00", METHOD_COLOURS["distilled"], "#C2436B")
_SHAPES = ("circle", "square", "triangle-up", "diamond", "cross")
_GREY = METHOD_COLOURS["teacher"]
_PALE, _DEEP, _OFF = "#DCEBF5", "#5FA8D6", "#B4BAC0"  # black text is legible on all three


def trade_off_explorer(
    cells: pd.DataFrame,
    marks: pd.DataFrame,
    *,
    panel: str | None = None,
    title: str = "Average against worst class",
) -> alt.VConcatChart:
    """Scatter of the cells with Pareto's frontier; below it the grid, with the brushed cells.

    The reader chooses the panel, touches points, drags over some of them to find their cells in the
    grid, and chooses what the grid shows. No kernel is needed.

    Args:
        cells: one row per panel and cell: ``panel`` (words), ``alpha_t``, ``alpha_s``, ``mean``,
            ``worst`` (percent), ``frontier`` (True or False).
        marks: points that are no cells, one row each: ``panel``, ``what`` (words), ``mean``,
            ``worst``.
        panel: which is shown first; by default the first of ``cells``.
        title: the finding.

    Raises:
        SettingError: a column is missing, or ``panel`` is not there.
    """
    require_columns(cells, COLUMNS)
    require_columns(marks, MARK_COLUMNS)
    panels = list(dict.fromkeys(cells["panel"]))
    choice = one_of("panel", "Data ", panels, panel, listed=True)
    labels = ["worst class", "average"]
    shown = one_of("shown", "Grid shows ", ["worst", "mean"], labels=labels)
    brush = alt.selection_interval(name="brush", encodings=["x", "y"])
    base = alt.Chart(_named(cells)).transform_filter("datum.panel === panel")
    chart = alt.vconcat(
        _scatter(base, marks, brush).add_params(choice),
        _sentence(base),
        _grid(base, brush).add_params(shown),
        spacing=18,
    ).resolve_scale(color="independent", shape="independent", fill="independent")
    return describe(
        chart,
        title,
        f"Above: one point for each cell of the grid of trade-offs, in {len(panels)} panels to "
        "choose from; colour is the student's trade-off, shape the teacher's, and a line joins the "
        "points that none beats in both measures. Below: the grid of teachers and students with "
        "the accuracy of each cell; the brushed cells keep their colour.",
    )


def _named(cells: pd.DataFrame) -> pd.DataFrame:
    return cells.assign(
        teacher=[f"{value:g}" for value in cells["alpha_t"]],
        student=[f"{value:g}" for value in cells["alpha_s"]],
    )[["panel", "teacher", "student", "mean", "worst", "frontier"]]


def _scatter(base: alt.Chart, marks: pd.DataFrame, brush: alt.Parameter) -> alt.LayerChart:
    x, y = (alt.X("mean:Q", axis=_axis(), scale=alt.Scale(zero=False, padding=12)),
            alt.Y("worst:Q", axis=_axis(), scale=alt.Scale(zero=False, padding=12)))  # fmt: skip
    x, y = x.title("average accuracy (%)"), y.title("worst class (%)")
    line = base.transform_filter("datum.frontier").mark_line(color=_GREY, strokeWidth=1.5)
    others = alt.Chart(marks).transform_filter("datum.panel === panel")
    words = others.mark_text(align="left", dx=9, fontSize=12, color=_GREY).encode(
        x=x, y=y, text="what:N"
    )
    dots = others.mark_point(size=110, opacity=1, color=_GREY, strokeWidth=2)
    layers = [
        line.encode(x=x, y=y, order="mean:Q"),
        dots.encode(x=x, y=y, tooltip=["what:N", *_numbers()]),
        words,
        _points(base, brush).encode(x=x, y=y),
    ]
    return alt.layer(*layers).properties(width=WIDTH, height=300)


def _points(base: alt.Chart, brush: alt.Parameter) -> alt.Chart:
    shape = alt.Shape(
        "teacher:N", scale=alt.Scale(range=list(_SHAPES)), legend=_legend("teacher", _GREY)
    )
    return (
        base.mark_point(filled=True, size=90)
        .encode(
            color=alt.Color("student:N", scale=_colours(), legend=_legend("student")),
            shape=shape,
            opacity=alt.when(brush).then(alt.value(0.95)).otherwise(alt.value(0.25)),
            tooltip=[*_place(), *_numbers(), alt.Tooltip("frontier:N")],
        )
        .add_params(brush)
    )


def _grid(base: alt.Chart, brush: alt.Parameter) -> alt.LayerChart:
    """Rows are students, columns teachers; a star marks the frontier."""
    cells = base.transform_calculate(
        value="datum[shown]",
        text="format(datum[shown], '.1f') + (datum.frontier ? ' *' : '')",
    )
    x = alt.X("teacher:O", axis=alt.Axis(labelAngle=0, orient="bottom")).title("alpha of teacher")
    y = alt.Y("student:O", sort="descending").title("alpha of student")
    # As many panels, as many ranges: the colour says which cells of this panel are better.
    scale = alt.Scale(range=[_PALE, _DEEP], interpolate="rgb", zero=False)
    fill = alt.when(brush).then(alt.Fill("value:Q", scale=scale, legend=None))
    boxes = cells.mark_rect(stroke="white", strokeWidth=1).encode(
        x=x, y=y, fill=fill.otherwise(alt.value(_OFF)), tooltip=[*_place(), *_numbers()]
    )
    words = cells.mark_text(fontSize=13, color="black").encode(x=x, y=y, text="text:N")
    title = alt.TitleParams("The grid (*: on the frontier; brushed cells in blue)", anchor="start")
    return alt.layer(boxes, words).properties(width=WIDTH, height=190, title=title)


def _sentence(base: alt.Chart) -> alt.Chart:
    """Which cell is best in the worst class, and which in the average."""
    words = (
        "['Best worst class: ' + format(datum.worst.worst, '.1f') + ' % (average ' + "
        "format(datum.worst.mean, '.1f') + '),', "
        "'teacher ' + datum.worst.teacher + ', student ' + datum.worst.student + '.', "
        "'Best average: ' + format(datum.mean.mean, '.1f') + ' % (worst class ' + "
        "format(datum.mean.worst, '.1f') + '),', "
        "'teacher ' + datum.mean.teacher + ', student ' + datum.mean.student + '.']"
    )
    best = [alt.AggregatedFieldDef(op="argmax", field=f, **{"as": f}) for f in ("worst", "mean")]
    return (
        base.transform_aggregate(best)
        .transform_calculate(words=words)
        .mark_text(align="left", baseline="top", fontSize=13, lineHeight=18)
        .encode(text="words:N", x=alt.value(0), y=alt.value(0))
        .properties(width=WIDTH, height=72, view=alt.ViewBackground(stroke=None))
    )


def _axis() -> alt.Axis:
    return alt.Axis(tickCount=6, grid=True)


def _colours() -> alt.Scale:
    return alt.Scale(range=[*_COLOURS, *SPARE_COLOURS])


def _legend(who: str, fill: str | None = None) -> alt.Legend:
    """Shapes alone have no colour of their own: the default, black, is lost on the dark page."""
    colour = {} if fill is None else {"symbolFillColor": fill, "symbolStrokeColor": fill}
    title = f"alpha of {who}"
    return alt.Legend(
        orient="top", title=title, symbolSize=90, symbolOpacity=1, titleLimit=0, **colour
    )


def _place() -> list[alt.Tooltip]:
    return [alt.Tooltip(f"{who}:N", title=f"alpha of {who}") for who in ("teacher", "student")]


def _numbers() -> list[alt.Tooltip]:
    titles = {"mean": "average (%)", "worst": "worst class (%)"}
    return [alt.Tooltip(f"{name}:Q", title=t, format=".2f") for name, t in titles.items()]
