"""What the chapter finds, in sentences and tables that follow from its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from kdbook import tables
from kdbook.chapters.audit_your_own_model.bench import Bench
from kdbook.compare import words
from kdlib.audit.report import Report

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

_MEASURES = {"mean": "mean", "balanced": "balanced", "worst_1": "worst class"}


def headline(report: Report, temperature: float) -> str:
    """The title of the first figure: whom distillation harms for sure."""
    harmed, helped = _named(report, "harmed"), _named(report, "helped")
    if harmed:
        return f"Distilled at T = {temperature:g}, the student harms {harmed}"
    rest = f"it helps {helped}" if helped else "none is helped"
    return f"Distilled at T = {temperature:g}, the student harms no class for sure, and {rest}"


def in_short(bench: Bench) -> str:
    """Two sentences: what distillation does, and what either remedy does instead."""
    told = {name: _effect(one) for name, one in bench.reports.items()}
    return (
        f"Beside students of the labels alone, distillation {told['distilled']}. AdaAlpha instead "
        f"{told['AdaAlpha']}, while the robust objective {told['robust']}."
    )


def _effect(report: Report) -> str:
    harmed = _named(report, "harmed") or "no class for sure"
    row = report.overall.set_index("measure").loc["worst_1"]
    change = {"mean": row["gain"], **_span(row), "seeds": report.seeds}
    unclear = words.verdict(change) == "undecided"
    worst = words.moved(change) if unclear else words.change(change)
    return f"harms {harmed}, and the worst class {worst}"


def _span(row: Any) -> dict[str, float]:
    return {"low": row["low"], "high": row["high"]}


def _named(report: Report, verdict: str) -> str:
    """The classes of a verdict with their gains, the largest first."""
    rows = report.by_class[report.by_class["verdict"] == verdict]
    rows = rows.sort_values("gain", key=abs, ascending=False)
    return ", ".join(f"{row['name']} ({row['gain']:+.1f} points)" for _, row in rows.iterrows())


def in_lines(report: Report) -> str:
    """``Report.text`` as Markdown: a list, and the weights as code."""
    lines = report.text().splitlines()
    return "\n".join(f"* `{one}`" if one.startswith("mix = ") else f"* {one}" for one in lines)


def data_said(bench: Bench) -> str:
    """Which images these are, and how many of each class."""
    train, dev, test = (p.class_counts for p in (bench.data.train, bench.data.dev, bench.data.test))
    return (
        f"Here it is {len(bench.labels):,} training images of {bench.classes} classes, "
        f"{int(train.max()):,} of the commonest and {int(train.min())} of the rarest, beside "
        f"{_span_of(dev)} dev images and {_span_of(test)} test images per class."
    )


def _span_of(counts: Any) -> str:
    least, most = int(counts.min()), int(counts.max())
    return f"{least}" if least == most else f"{least} to {most}"


def luck_said(alone: Report, report: Report) -> str:
    """How many classes seem to change with one training each, and with all of them."""
    few, many = (one.by_class["verdict"].value_counts() for one in (alone, report))
    return (
        f"Were the first training of each model taken for all, {few.get('harmed', 0)} classes "
        f"would count as harmed and {few.get('helped', 0)} as helped; with {report.seeds} "
        f"trainings of each, {many.get('harmed', 0)} and {many.get('helped', 0)} remain."
    )


def found_said(reports: dict[str, Report]) -> str:
    """What each audit found, one line per student."""
    return "\n".join(f"* **{name}**: {one.finding}" for name, one in reports.items())


def gates_said(reports: dict[str, Report], limit: float) -> str:
    """What a gate at this limit answers, one line per student."""
    gates = {name: one.gate(f"worst-class:{limit}") for name, one in reports.items()}
    return "\n".join(
        f"* **{name}** (exit code {found.exit_code}): {found.text()}"
        for name, found in gates.items()
    )


def overall_shown(reports: dict[str, Report]) -> Styler:
    """Gains of each student over the one-hot ones, a row per measure."""
    columns = {
        name: one.overall.set_index("measure").apply(_gain, axis=1) for name, one in reports.items()
    }
    table = pd.DataFrame(columns).rename(index=_measure).rename_axis("Measure")
    caption = "Gain over the one-hot students in points, with 95 % intervals over images and seeds."
    return tables.shown(tables.unbroken(table), caption)


def classes_shown(reports: dict[str, Report]) -> Styler:
    """Gain and verdict of each class and student."""
    columns = {name: _with_verdict(one) for name, one in reports.items()}
    table = pd.DataFrame(columns).rename_axis("Class")
    return tables.shown(table, "Gain over the one-hot students in points, and the verdict.")


def class_numbers(bench: Bench) -> Styler:
    """The distilled students class by class."""
    report = bench.reports["distilled"]
    rows = report.by_class
    table = pd.DataFrame(
        {
            "Class": rows["name"],
            "Training images": bench.data.train.class_counts.numpy(),
            "Trust": [f"{one:.2f}" for one in np.asarray(report.weights, dtype=float)],
            "Distilled": rows["student"],
            "One-hot": rows["one_hot"],
            "Gain": rows.apply(_gain, axis=1),
            "Corrected p": rows["p_adjusted"].map("{:.2f}".format),
        }
    )
    return tables.shown(tables.unbroken(table), "Accuracy in percent, gain in points.")


def groups_shown(report: Report) -> Styler:
    """Gain and verdict of each group."""
    rows = report.by_group
    table = pd.DataFrame(
        {
            "Group": rows["name"].str.replace("=", ": "),
            "Images": rows["examples"],
            "Gain": rows.apply(_gain, axis=1),
            "Verdict": rows["verdict"],
        }
    )
    return tables.shown(table, "Gain by group in points, with 95 % intervals.")


def _with_verdict(report: Report) -> pd.Series:
    rows = report.by_class.set_index("name")
    return rows["gain"].map("{:+.1f}".format) + ", " + rows["verdict"]


def _gain(row: pd.Series) -> str:
    return words.signed({"mean": row["gain"], **_span(row), "seeds": 0})


def _measure(name: str) -> str:
    return _MEASURES.get(name, name.replace("worst_", "worst ") + " classes")
