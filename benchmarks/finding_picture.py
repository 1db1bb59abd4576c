"""Draw and tell the finding of the front pages: ``.venv/bin/python benchmarks/finding_picture.py``.

Trains nothing: reads the records of the studies ``teacher_length`` and ``batch_size`` at the quick
profile, and those of the planned evidence on CIFAR. Draws ``docs/finding.svg`` and
``_static/cifar.svg``, and fills the marked blocks of the README and of the book's first page.
"""

from __future__ import annotations

import textwrap
from typing import TypeVar

import altair as alt
import pandas as pd
from readme import ROOT, fill_readme

from kdbook import compare
from kdbook.chapters.rare_classes import batch_size, findings, teacher_length
from kdbook.chapters.rare_classes.charts import teacher_length_panels
from kdbook.evidence import outcomes
from kdbook.records import Record, book_record
from kdbook.reproduction import planned, planned_charts

PICTURE = ROOT / "docs" / "finding.svg"
CIFAR = ROOT / "_static" / "cifar.svg"
FIRST_PAGE = ROOT / "book" / "intro.md"
Chart = TypeVar("Chart", alt.VConcatChart, alt.LayerChart)
_ON_WHITE = {"background": "white", "padding": 16}
STUDIES = ("teacher_length", "batch_size")
RECORDS = ROOT / "book" / "results"


def picture(record: Record) -> alt.VConcatChart:
    """The chart of the chapter *Rare classes pay*, readable on a light and on a dark page."""
    title = findings.headline(teacher_length.by_teacher(record.table))
    chart = teacher_length_panels(*findings.drawn(record.table), title=title)
    return on_white(chart, title)


def cifar_picture() -> alt.VConcatChart:
    """The first chart of each paper on the page *CIFAR, planned before it was run*, likewise."""
    primary = outcomes.primary()
    tenths, classes = planned_charts.lengths(), outcomes.by_frequency(block="c")
    titled = {
        planned_charts.headline(tenths): planned_charts.lengths_chart(tenths),
        planned_charts.robust_headline(primary): planned_charts.robust_chart(classes, primary),
    }
    charts = [chart.properties(title=textwrap.wrap(title, 80)) for title, chart in titled.items()]
    both = alt.vconcat(*charts).resolve_scale(color="independent", shape="independent")
    return both.properties(**_ON_WHITE).configure(font="sans-serif")


def on_white(chart: Chart, title: str) -> Chart:
    """The chart as a picture of its own."""
    lines = textwrap.wrap(title, 80)
    return chart.properties(title=lines, **_ON_WHITE).configure(font="sans-serif")


def cifar_in_short() -> str:
    """What came of the plan, as a list."""
    answers = planned.in_short(outcomes.primary(), outcomes.longer(), outcomes.later())
    return compare.listed(answers)


def headline(record: Record) -> str:
    """The finding in one sentence."""
    said = findings.plain_headline(teacher_length.by_teacher(record.table))
    return f"**{said} (long-tailed {record.about.dataset}, {len(record.about.seeds)} seeds).**"


def in_words(lengths: Record, batches: Record) -> str:
    """The findings as a list, how much of them is the recipe's, and where they were measured."""
    recipe = batch_size.recipe_said(batch_size.effects(batches.table))
    lines = compare.listed([*findings.findings(lengths), recipe])
    return f"{lines}\n\n{findings.measured_on(lengths)}"


def batch_table(per_seed: pd.DataFrame) -> str:
    """A Markdown table: a row per student, a column per batch size, differences in points."""
    frame = batch_size.cells(batch_size.effects(per_seed))
    lines = [
        "| student | " + " | ".join(frame.columns) + " |",
        "|---" * (1 + len(frame.columns)) + "|",
        *(f"| {name} | " + " | ".join(row) + " |" for name, row in frame.iterrows()),
    ]
    return "\n".join(lines)


def main() -> None:
    """Draw, and fill the README and the first page."""
    lengths, batches = (book_record(name, "quick", RECORDS) for name in STUDIES)
    PICTURE.parent.mkdir(exist_ok=True)
    picture(lengths).save(PICTURE)
    cifar_picture().save(CIFAR)
    for page in (ROOT / "README.md", FIRST_PAGE):
        fill_readme("finding", in_words(lengths, batches), page)
        fill_readme("cifar", cifar_in_short(), page)
    fill_readme("headline", headline(lengths), FIRST_PAGE)
    fill_readme("batch size", batch_table(batches.table))
    print(in_words(lengths, batches))


if __name__ == "__main__":
    main()
