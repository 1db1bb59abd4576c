"""The gain of every class with a picture of it, and what a gate says at each limit."""

from __future__ import annotations

import altair as alt
import pandas as pd
import torch

from kdbook.chapters.audit_your_own_model.bench import Bench
from kdbook.charts.pictures import digit_image
from kdbook.charts.style import WIDTH, describe, interval_words
from kdlib.audit.report import Report

_VERDICTS = {"harmed": "#D55E00", "helped": "#009E73", "no clear change": "#8C8C8C"}
_ANSWERS = {"harm": "#D55E00", "fine": "#009E73", "cannot tell": "#8C8C8C"}
_AXIS = "gain in accuracy (percentage points)"


def gains(bench: Bench, report: Report, *, title: str) -> alt.LayerChart:
    """The gain of each class with its interval, the commonest class on top, each with an image.

    Args:
        bench: whose first training image of a class is shown.
        report: of the students whose gains are drawn.
        title: the chart's title.
    """
    rows = _commonest_first(bench, report)
    padded = alt.Axis(title=None, labelPadding=40, labelLimit=150, ticks=False, domain=False)
    base = alt.Chart(rows).encode(y=alt.Y("class:N", sort=list(rows["class"]), axis=padded))
    verdicts = [one for one in _VERDICTS if one in set(rows["verdict"])]
    scale = alt.Scale(domain=verdicts, range=[_VERDICTS[one] for one in verdicts])
    colour = alt.Color("verdict:N", title=None, scale=scale, legend=alt.Legend(orient="top"))
    shape = alt.Shape("verdict:N", title=None, scale=alt.Scale(domain=verdicts))
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeDash=[4, 3]).encode(x="zero:Q")
    chart = alt.layer(
        zero,
        base.mark_rule(strokeWidth=3).encode(
            x=alt.X("low:Q").title(_AXIS), x2="high:Q", color=colour
        ),
        base.mark_point(filled=True, size=80, opacity=1).encode(
            x="gain:Q", color=colour, shape=shape, tooltip=["class", "gain", "low", "high"]
        ),
        base.mark_image(width=26, height=26).encode(x=alt.value(-22), url="image:N"),
    )
    said = [f"{r['class']}: {interval_words(r.gain, r.low, r.high)}" for _, r in rows.iterrows()]
    words = f"Gain in accuracy of each class, in points. {'; '.join(said)}."
    return describe(chart.properties(width=WIDTH - 150, height=alt.Step(30)), title, words)


def _commonest_first(bench: Bench, report: Report) -> pd.DataFrame:
    train, images = bench.data.train, torch.as_tensor(bench.data.train.images)
    first = [int((train.labels == label).nonzero()[0]) for label in range(bench.classes)]
    rows = report.by_class[["name", "gain", "low", "high", "verdict"]].round(2)
    rows = rows.assign(
        images=train.class_counts.numpy(),
        image=[digit_image(images[place].numpy()) for place in first],
    )
    rows["class"] = rows["name"] + " (" + rows["images"].astype(str) + ")"
    return rows.sort_values("images", ascending=False, kind="stable")


def gate_explorer(
    reports: dict[str, Report], *, limit: float, title: str = "What the gate says of each class"
) -> alt.FacetChart:
    """Intervals of each student's gains, and a limit to move: which of them a gate calls harm.

    Args:
        reports: by student.
        limit: where the slider starts, -30 to 5.
        title: the chart's title.
    """
    table = pd.concat({name: one.by_class for name, one in reports.items()}, names=["method"])
    table = table.reset_index("method")[["method", "name", "gain", "low", "high"]].round(2)
    slider = alt.binding_range(min=-30, max=5, step=0.5, name="limit (points) ")
    moved = alt.param(name="limit", value=limit, bind=slider)
    answer = "datum.high < limit ? 'harm' : datum.low > limit ? 'fine' : 'cannot tell'"
    base = alt.Chart(table).transform_calculate(answer=answer)
    line = base.transform_calculate(at="limit").mark_rule(strokeDash=[4, 3]).encode(x="at:Q")
    layers = alt.layer(_bars(base, next(iter(reports.values())).names), line, _sentence(base))
    chart = layers.properties(width=180, height=260).facet(
        column=alt.Column(
            "method:N", sort=list(reports), title=None, header=alt.Header(labels=False)
        )
    )
    words = "Intervals of the gain by class of each student, coloured by what the gate says."
    return describe(chart.add_params(moved), title, words)


def _bars(base: alt.Chart, names: list[str]) -> alt.Chart:
    scale = alt.Scale(domain=list(_ANSWERS), range=list(_ANSWERS.values()))
    below = alt.Legend(orient="bottom", title="a larger loss")
    return base.mark_rule(strokeWidth=3).encode(
        x=alt.X("low:Q", title="gain (percentage points)"),
        x2="high:Q",
        y=alt.Y("name:N", sort=names, title=None),
        color=alt.Color("answer:N", scale=scale, legend=below),
    )


def _sentence(base: alt.Chart) -> alt.Chart:
    """Above each plot: how many classes have which answer at this limit."""
    counted = base.transform_calculate(
        is_harm="datum.answer === 'harm' ? 1 : 0", is_fine="datum.answer === 'fine' ? 1 : 0"
    ).transform_aggregate(
        harm="sum(is_harm)", fine="sum(is_fine)", classes="count()", groupby=["method"]
    )
    said = (
        "datum.method + ':\\n' + datum.harm + ' harm, ' + datum.fine + ' fine, ' + "
        "(datum.classes - datum.harm - datum.fine) + ' cannot tell'"
    )
    return (
        counted.transform_calculate(said=said)
        .mark_text(align="left", baseline="bottom", lineBreak="\n", fontSize=12, fontWeight="bold")
        .encode(x=alt.value(0), y=alt.value(-22), text="said:N")
    )
