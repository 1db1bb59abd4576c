"""The reproduction matrix as charts: how many have which verdict, and the numbers."""

from __future__ import annotations

from collections.abc import Mapping

import altair as alt
import pandas as pd

from kdbook.charts import caption as caption
from kdbook.charts.classes import zero_rule
from kdbook.charts.controls import one_of
from kdbook.charts.style import WIDTH, describe, require_columns
from kdbook.reproduction import words
from kdbook.reproduction.not_replicated import Standing
from kdbook.reproduction.overview import Answer

VERDICT_COLOURS = {
    "agrees": "#009E73",
    "consistent": "#56B4E9",
    "same sign": "#0072B2",
    "both diverge": "#B8649A",
    "differs": "#D55E00",
    "undecided": "#8A6D00",
    "on the floor": "#6B4E3D",
    "no verdict": "#8C8C8C",
    "not run": "rgba(140, 140, 140, 0.4)",
}
"""In the order of the bars. The two greys are numbers that nothing here speaks for or against."""

ANSWER_COLOURS = {
    Answer.AGREES: "#009E73",
    Answer.DIFFERS: "#D55E00",
    Answer.CANNOT_SAY: "#8A6D00",
    Answer.OTHER: "#8C8C8C",
    Answer.NOT_RUN: "rgba(140, 140, 140, 0.4)",
}


def answer_bars(answers: pd.DataFrame, *, title: str) -> alt.VConcatChart:
    """Bars of how many printed numbers have which answer, one plot per paper, with the counts.

    Args:
        answers: as ``kdbook.reproduction.overview.answers`` gives them.
        title: the chart's title.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(answers, ("paper", "answer", "numbers"))
    papers = list(dict.fromkeys(answers["paper"]))
    plots = [_answers_of(answers[answers["paper"] == paper], paper) for paper in papers]
    said = [f"{r.paper}: {r.numbers} {r.answer}" for r in answers.itertuples()]
    return describe(alt.vconcat(*plots), title, f"Bars of printed numbers. {'; '.join(said)}.")


def _answers_of(rows: pd.DataFrame, paper: str) -> alt.LayerChart:
    names, colours = [a.value for a in ANSWER_COLOURS], list(ANSWER_COLOURS.values())
    base = alt.Chart(rows).encode(
        x=alt.X("numbers:Q").title(f"numbers printed in {paper}"),
        y=alt.Y("answer:N", sort=names, axis=alt.Axis(title=None, labelLimit=180)),
        tooltip=["paper:N", "answer:N", "numbers:Q"],
    )
    scale = alt.Scale(domain=names, range=colours)
    bars = base.mark_bar().encode(color=alt.Color("answer:N", scale=scale, legend=None))
    counts = base.mark_text(align="left", dx=4).encode(text="numbers:Q")
    return (bars + counts).properties(width=WIDTH - 180, height=alt.Step(24))


def standing_bars(found: pd.DataFrame, *, title: str) -> alt.LayerChart:
    """Bars of how many claims stand where, of both papers or of the one that the reader chooses.

    Args:
        found: one row per claim: ``paper`` and ``standing``.
        title: the chart's title.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(found, ("paper", "standing"))
    papers = found.assign(of=found["paper"].map(words.PAPERS))
    both = pd.concat([papers, papers.assign(of="both papers")])
    counts = both.groupby(["of", "standing"], sort=False).size().rename("claims").reset_index()
    names = ["both papers", *dict.fromkeys(papers["of"])]
    choice = one_of("of", "Claims of ", names)
    base = alt.Chart(counts).transform_filter("datum.of === of")
    axis = alt.Axis(title=None, labelLimit=360)
    y = alt.Y("standing:N", sort=[one.value for one in Standing], axis=axis)
    base = base.encode(x=alt.X("claims:Q").title("claims"), y=y)
    numbers = base.mark_text(align="left", dx=4).encode(text="claims:Q")
    chart = alt.layer(base.mark_bar(size=22), numbers).add_params(choice)
    totals = found["standing"].value_counts()
    told = "; ".join(f"{count} {name}" for name, count in totals.items())
    # A row holds a name in three lines, as a phone breaks it.
    sized = chart.properties(width=WIDTH - 360, height=alt.Step(42))
    return describe(sized, title, f"Bars of {len(found)} claims of the papers: {told}.")


def verdict_bars(
    verdicts: pd.DataFrame, *, by: Mapping[str, str], title: str = "Our measurements by verdict"
) -> alt.Chart:
    """Stacked bars of how many have which verdict, by a column that the reader chooses.

    Args:
        verdicts: one row per measurement and its verdict: ``verdict`` and the columns of ``by``.
        by: columns to count by, and what they are called.
        title: the chart's title.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(verdicts, ("verdict", *by))
    pieces = [
        verdicts.groupby([column, "verdict"], sort=False)
        .size()
        .rename("measurements")
        .reset_index()
        .rename(columns={column: "group"})
        .assign(by=name)
        for column, name in by.items()
    ]
    counts = pd.concat(pieces, ignore_index=True)
    names = list(by.values())
    choice = one_of("by", "Count by ", names)
    chart = _bars(counts, choice).properties(width=WIDTH - 120, height=alt.Step(24))
    totals = verdicts["verdict"].value_counts()
    words = ", ".join(f"{totals[v]} {v}" for v in VERDICT_COLOURS if v in totals)
    return describe(chart, title, f"Bars of {len(verdicts)} measurements: {words}.")


def printed_and_ours(
    numbers: pd.DataFrame, *, title: str = "Differences, printed and ours"
) -> alt.LayerChart:
    """Printed differences beside ours with their intervals, for the table that the reader chooses.

    Args:
        numbers: one row per difference: ``table``, ``what`` (its name, of one or two lines),
            ``compared`` (printed, percentage points), ``mean``, ``low``, ``high``, ``verdict``.
        title: the chart's title.

    Raises:
        SettingError: a column is missing.
    """
    columns = ["table", "what", "compared", "mean", "low", "high", "verdict"]
    require_columns(numbers, columns)
    numbers = numbers[columns].round(2)  # the page carries the frame
    tables = list(dict.fromkeys(numbers["table"]))
    choice = one_of("table", "Table ", tables, listed=True)
    base = alt.Chart(numbers).transform_filter("datum.table === table")
    lines = "split(datum.label, '\\n')"
    names = alt.Axis(title=None, labelLimit=180, labelExpr=lines)
    y = alt.Y("what:N", sort=None, axis=names)
    colour = _colour([v for v in VERDICT_COLOURS if v in set(numbers["verdict"])])
    zero = zero_rule().encode(x="zero:Q")
    axis = alt.X("mean:Q").title("difference (percentage points)")
    tips = ["what:N", "verdict:N", *(alt.Tooltip(f"{n}:Q", format="+.2f") for n in _NUMBERS)]
    chart = alt.layer(
        zero,
        base.mark_rule(strokeWidth=2).encode(x="low:Q", x2="high:Q", y=y, color=colour),
        base.mark_point(filled=True, size=80, opacity=1).encode(
            x=axis, y=y, color=colour, tooltip=tips
        ),
        base.mark_point(shape="diamond", size=90, strokeWidth=2, color="#888888").encode(
            x="compared:Q", y=y, tooltip=tips
        ),
    ).add_params(choice)
    words = f"{len(numbers)} differences of {len(tables)} tables"
    return describe(
        chart.properties(width=WIDTH - 160, height=alt.Step(36)),
        title,
        f"For each of {words}: a diamond where the paper prints it, and a dot with a 95 % interval "
        "where ours lies.",
    )


_NUMBERS = ("compared", "mean", "low", "high")


def _bars(counts: pd.DataFrame, choice: alt.Parameter) -> alt.Chart:
    order = {verdict: place for place, verdict in enumerate(VERDICT_COLOURS)}
    ranked = counts.assign(rank=counts["verdict"].map(order))
    present = [verdict for verdict in VERDICT_COLOURS if verdict in set(counts["verdict"])]
    return (
        alt.Chart(ranked)
        .mark_bar()
        .encode(
            x=alt.X("measurements:Q", axis=alt.Axis(tickMinStep=1)).title("measurements"),
            y=alt.Y("group:N", sort=None, axis=alt.Axis(title=None, labelLimit=160)),
            color=_colour(present),
            order=alt.Order("rank:Q"),
            tooltip=["group:N", "verdict:N", "measurements:Q"],
        )
        .add_params(choice)
        .transform_filter("datum.by === by")
    )


def _colour(present: list[str]) -> alt.Color:
    scale = alt.Scale(domain=present, range=[VERDICT_COLOURS[name] for name in present])
    # One narrow column, so that the legend does not squeeze the plot on a phone.
    legend = alt.Legend(orient="top", columns=1, symbolOpacity=1)
    return alt.Color("verdict:N", title=None, scale=scale, legend=legend)
