"""The report as a short text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kdlib.audit.advice import listed
from kdlib.audit.verdicts import HARMED, HELPED, UNCLEAR

if TYPE_CHECKING:
    from kdlib.audit.findings import Findings

NAMES = {
    "student": "the distilled student",
    "one_hot": "the one-hot student",
    "teacher": "the teacher",
    "baseline": "the baseline",
}
_MOST_WEIGHTS = 200
_MOST_PAIRS = 5


def text_of(report: Findings) -> str:
    """The report in a few lines."""
    parts = [
        headline(report),
        report.finding,
        *(measure_line(report, row) for _, row in report.overall.iterrows()),
        *verdict_lines(report),
        *confident_lines(report),
        *report.notes,
        *report.advice,
        weights_line(report) or "",
    ]
    return "\n".join(part for part in parts if part)


def headline(report: Findings) -> str:
    """What was compared."""
    examples = "example" if report.examples == 1 else "examples"
    seeds = "one training" if report.seeds == 1 else f"{report.seeds} trainings"
    return (
        f"{NAMES['student'].capitalize()} against {NAMES[report.baseline]}: "
        f"{report.examples:,} {examples}, {len(report.by_class):,} classes, {seeds}."
    )


def measure_line(report: Findings, row: pd.Series) -> str:
    """One measure of both models."""
    name = measure_name(row["measure"])
    return (
        f"{name}: {row['student']:.1f} % against {row[report.baseline]:.1f} % "
        f"({row['gain']:+.1f} points, {interval(row)})"
    )


def measure_name(measure: str) -> str:
    """A measure of the table ``overall`` in words."""
    words = {"mean": "mean accuracy", "balanced": "balanced accuracy", "worst_1": "worst class"}
    return words.get(measure, measure.replace("worst_", "worst ") + " classes")


def interval(row: pd.Series) -> str:
    """Its interval, or that there is none."""
    if np.isnan(row["low"]):
        return "no interval"
    return f"{row['low']:+.1f} to {row['high']:+.1f}"


def verdict_lines(report: Findings) -> list[str]:
    """How many classes and groups have which verdict, with the names of those that changed."""
    lines = []
    for what, frame in (("classes", report.by_class), ("groups", report.by_group)):
        if len(frame):
            counts = frame["verdict"].value_counts()
            shown = [word for word in (HARMED, HELPED, UNCLEAR) if word in counts]
            others = [word for word in counts.index if word not in shown]
            said = [f"{counts[word]:,} {word}{_named(frame, word)}" for word in shown + others]
            lines.append(f"{what}: " + "; ".join(said))
    return lines


def _named(frame: pd.DataFrame, word: str) -> str:
    if word not in (HARMED, HELPED):
        return ""
    chosen = frame[frame["verdict"] == word]
    largest = chosen.reindex(chosen["gain"].abs().sort_values(ascending=False).index)
    names = [f"{row['name']} {row['gain']:+.1f}" for _, row in largest.iterrows()]
    return f" ({listed(names)})"


def confident_lines(report: Findings) -> list[str]:
    """What the teacher is most often sure of and wrong."""
    rows = report.confident_errors.head(_MOST_PAIRS)
    if not len(rows):
        return []
    said = [f"{row['name']} for {row['taken_for']} ({row['share']:.0f} %)"
            for _, row in rows.iterrows()]  # fmt: skip
    return ["The teacher is sure and wrong most often where it takes " + ", ".join(said) + "."]


def weights_line(report: Findings) -> str | None:
    """AdaAlpha's weights, ready to paste; a pointer where they are too many."""
    if report.weights is None:
        return None
    if len(report.weights) > _MOST_WEIGHTS:
        return "mix = torch.tensor(report.weights)  # too many to print: the JSON file has them"
    numbers = ", ".join(f"{weight:.3g}" for weight in report.weights)
    return f"mix = torch.tensor([{numbers}])"
