"""What the trainings of the chapter say of the place of class weights, by rule."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from kdbook.chapters.objectives import (
    OBJECTIVES,
    PLACEMENTS,
    STANDARD,
    at_usual_length,
    by_length,
    method,
)
from kdbook.compare import overview, row_of, signed, tested
from kdbook.published import beside_paper, published

RAREST = "rarest"
_WORDS = {"outer": "outside the loss", "margin": "as a margin inside it"}
_METRICS = {"worst class": "worst_1", "mean of the classes": "mean_accuracy"}
_KEYS = {"balanced": "bal", "robust": "rob"}


def effects(summary: pd.DataFrame) -> pd.DataFrame:
    """What balanced weights change in the rarest fifth, by place and length of the training.

    Returns:
        Rows of ``objectives.by_length`` against the standard student, with ``place`` in words.
    """
    rows = by_length(summary, RAREST)
    pieces = [
        rows[rows["comparison"] == f"{method('balanced', place)} − {STANDARD}"].assign(
            place=_WORDS[place]
        )
        for place in PLACEMENTS
    ]
    return pd.concat(pieces, ignore_index=True)


def headline(rows: pd.DataFrame) -> str:
    """The title of the first figure: each place after the shortest and the longest training.

    Args:
        rows: as ``effects`` gives them.
    """
    first, last = rows["epochs"].min(), rows["epochs"].max()
    early, late = (
        [f"{round(_at(rows, words, epochs)['mean']):+d}" for words in _WORDS.values()]
        for epochs in (first, last)
    )
    return (
        f"Weights outside the loss: {early[0]} points after {first:.0f} epochs, {late[0]} after "
        f"{last:.0f}; as a margin: {early[1]}, then {late[1]}"
    )


def in_short(rows: pd.DataFrame) -> str:
    """Two sentences: what outer weights do early and late, and what the margin does.

    Args:
        rows: as ``effects`` gives them.
    """
    first, last = rows["epochs"].min(), rows["epochs"].max()
    outer, margin = _WORDS.values()
    early, late = (f"{_at(rows, outer, epochs)['mean']:+.1f}" for epochs in (first, last))
    inside = signed(_at(rows, margin, last))
    seeds = int(rows["seeds"].min())
    return (
        f"Every objective of the paper asks for the true probabilities times one number per class. "
        f"In a network the place of these numbers matters: outside the loss, balanced weights move "
        f"the rarest fifth of the classes by {early} points after {first:.0f} epochs and by {late} "
        f"after {last:.0f}, when all training images are fitted; as a margin inside the loss they "
        f"still move it by {inside} then ({seeds} seeds)."
    )


def accuracies(summary: pd.DataFrame, measures: Mapping[str, str]) -> pd.DataFrame:
    """Every student at every length, with its training error, as text in percent."""
    columns = {**measures, "train_error": "training error"}
    found = {f"{epochs:.0f}": overview(rows, columns) for epochs, rows in summary.groupby("epochs")}
    return pd.concat(found, names=["epochs", "student"])


def usual(summary: pd.DataFrame, measures: Mapping[str, str]) -> pd.DataFrame:
    """Both objectives at the profile's own length: a row per difference, a column per measure."""
    found = {words: at_usual_length(summary, column) for column, words in measures.items()}
    shown = {
        words: rows.set_index("comparison").apply(signed, axis=1) for words, rows in found.items()
    }
    *_, last = found.values()
    corrected = tested(last, {"comparison": "difference"}).set_index("difference").iloc[:, -1]
    return pd.DataFrame({**shown, "p": corrected}).rename_axis("difference")


def beside(summary: pd.DataFrame, measures: Mapping[str, str]) -> pd.DataFrame:
    """Objectives with margins minus standard, printed and ours, in points.

    Args:
        summary: of the study.
        measures: columns of the summary by words, the worst class and the mean among them.
    """
    columns = {words: column for column, words in measures.items()}
    rows = [
        _beside(name, words, columns, summary)
        for name in OBJECTIVES
        for words in _METRICS
        if words in columns
    ]
    return pd.DataFrame(rows)


def printed() -> pd.DataFrame:
    """The paper's teachers alone on CIFAR-10-LT (Table 1): a row per objective, in percent."""
    rows = published(
        paper="robust_distillation", table="Table 1", dataset="cifar10_lt", method="teacher_only"
    )
    return rows.pivot(index="teacher_objective", columns="metric", values="value")


def _beside(
    name: str, words: str, columns: Mapping[str, str], summary: pd.DataFrame
) -> dict[str, object]:
    ours = at_usual_length(summary, columns[words])
    row = row_of(ours, comparison=f"{method(name, 'margin')} − {STANDARD}")
    in_print = printed()[_METRICS[words]]
    gap = in_print[_KEYS[name]] - in_print["std"]
    (sign,) = beside_paper([row], [gap])
    return {
        "objective": name, "measure": words, "paper": f"{gap:+.1f}", "ours": signed(row),
        "sign": sign,
    }  # fmt: skip


def _at(rows: pd.DataFrame, place: str, epochs: float) -> pd.Series:
    return row_of(rows, place=place, epochs=epochs)
