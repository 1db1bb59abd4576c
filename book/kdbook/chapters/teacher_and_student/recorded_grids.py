"""Is robust twice best, by the recorded grids: with more seeds, and without a long tail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from kdbook.chapters.teacher_and_student.objective_cells import LABELS, against, rivals
from kdbook.compare import compare_corrected, overview, p_said, signed
from kdbook.published import DATASETS
from kdbook.records import Record, read_records

STUDY = "teacher_and_student"


def recorded_grids(profile: str, folder: Path | None = None) -> dict[str, pd.DataFrame]:
    """The recorded grids at a profile with a teacher per seed, each by its data in words.

    The data set is named where it is not the profile's own.

    Of records that differ in nothing but the seeds the one with the most counts. The rows are at
    the first recorded temperature.

    Args:
        profile: at which they were recorded.
        folder: where the records lie; by default the book's own.

    Raises:
        RecordError: a record is malformed.
    """
    found = [r for r in read_records(folder) if _is_grid(r, profile)]
    by_seeds = sorted(found, key=lambda record: len(record.about.seeds))
    return {_words(record): _at_first_temperature(record.table) for record in by_seeds}


def on_cifar(measures: Mapping[str, str], folder: Path | None = None) -> dict[str, pd.DataFrame]:
    """Every grid recorded beyond ``quick``, each under a caption that says how it was trained.

    Args:
        measures: columns of a record's table and the words for them.
        folder: where the records lie; by default the book's own.
    """
    found = [r for r in read_records(folder) if r.about.study == STUDY]
    return {
        _caption(record): overview(record.table, measures).rename_axis("teacher / student")
        for record in found
        if record.about.profile != "quick"
    }


def _caption(record: Record) -> str:
    about = record.about
    data = DATASETS.get(f"{about.dataset}_lt", about.dataset)
    return (
        f"{data}, ratio {about.imbalance:g}: {about.model}, "
        f"{about.recipe['epochs']} epochs, {len(about.seeds)} seeds ({about.device}); percent on "
        f"test with 95 % intervals"
    )


def answers_by_seeds(
    table: pd.DataFrame, counts: Sequence[int], measures: Mapping[str, str]
) -> pd.DataFrame:
    """How the other cells compare with robust twice, from the first seeds alone.

    Cells that the table lacks in some seed are left out: a record may have been cut off.

    Args:
        table: one of ``recorded_grids``.
        counts: of seeds; those above what the table has stand for all of its seeds.
        measures: columns of the table and the words for them.

    Returns:
        One row per measure, kind of validation labels and count: measure, labels, seeds, cells (how
        many others, at most eight), higher (how many of them have a higher mean), and how many are
        better, worse, and unclear (Holm, 5 %, over the cells).
    """
    total = table["seed"].nunique()
    kept = dict.fromkeys(min(count, total) for count in counts)
    rows = pd.DataFrame([row for count in kept for row in _answers(table, count, measures)])
    order = {words: place for place, words in enumerate([*measures.values(), *LABELS])}
    return rows.sort_values(
        ["measure", "labels"],
        key=lambda column: column.map(order),
        kind="stable",
        ignore_index=True,
    )


def still_standing(table: pd.DataFrame, few: int, measures: Mapping[str, str]) -> list[str]:
    """What became of the differences from robust twice that are significant with few seeds.

    Returns:
        A sentence per measure and kind of labels: how many are significant with the ``few``
        seeds, how many of these with all, and how many others with all (Holm, 5 %, over the other
        cells).
    """
    total = table["seed"].nunique()
    early, late = (_standing(_first_seeds(table, n), measures) for n in (few, total))
    return [
        f"{measure}, {labels} labels: significant with {few} seeds {len(stood)}, still so with "
        f"{total} seeds {len(stood & late[measure, labels])}, and with {total} seeds only "
        f"{len(late[measure, labels] - stood)}."
        for (measure, labels), stood in early.items()
    ]


def against_each(table: pd.DataFrame, measure: str) -> pd.DataFrame:
    """Robust twice minus each other cell in the column ``measure``: one row per cell, by its name.

    Columns: under either kind of labels ``points``, the difference with its 95 % interval, and
    ``p``, after Holm's correction for the cells.
    """
    compared, columns = _compared(table, {measure: measure}), {}
    for labels in LABELS:
        rows = against(compared, labels, measure)
        rows.index = pd.Index(rows["comparison"].str.removeprefix("minus "), name="minus")
        columns[f"{labels} labels", "points"] = rows.apply(signed, axis=1)
        columns[f"{labels} labels", "p"] = rows["holm"].map(p_said)
    found = pd.DataFrame(columns)
    order = [f"{t} / {s}-d" for t in ("std", "bal", "rob") for s in ("std", "bal", "rob")]
    return found.reindex([cell for cell in order if cell in found.index]).fillna("not recorded")


def _is_grid(record: Record, profile: str) -> bool:
    about = record.about
    known = set(about.conditions) <= {"imbalance", "dataset"}
    return (about.study, about.profile) == (STUDY, profile) and known


def _words(record: Record) -> str:
    about = record.about
    tail = "balanced" if about.imbalance == 1 else f"ratio {about.imbalance:g}"
    return f"{about.dataset}, {tail}" if "dataset" in about.conditions else tail


def _at_first_temperature(table: pd.DataFrame) -> pd.DataFrame:
    first = table["temperature"].dropna().min()
    return table[table["temperature"].isna() | (table["temperature"] == first)]


def _first_seeds(table: pd.DataFrame, count: int) -> pd.DataFrame:
    return table[table["seed"].isin(sorted(table["seed"].unique())[:count])]


def _compared(table: pd.DataFrame, measures: Mapping[str, str]) -> pd.DataFrame:
    """Robust twice minus the others; all rows are at one temperature, so none is named."""
    rows = table.assign(temperature=float("nan"))
    pieces = [
        compare_corrected(rows, pairs, measures).assign(labels=labels)
        for labels in LABELS
        for pairs in [[pair for pair in rivals(labels, float("nan")) if pair[1] in _whole(rows)]]
    ]
    return pd.concat(pieces, ignore_index=True)


def _whole(table: pd.DataFrame) -> set[str]:
    """The methods that every seed has."""
    seeds = table.groupby("method")["seed"].nunique()
    return set(seeds.index[seeds == table["seed"].nunique()])


def _answers(
    table: pd.DataFrame, count: int, measures: Mapping[str, str]
) -> list[dict[str, object]]:
    compared = _compared(_first_seeds(table, count), measures)
    return [
        {"measure": measure, "labels": labels, "seeds": count} | _counted(rows)
        for (measure, labels), rows in compared.groupby(["measure", "labels"], sort=False)
    ]


def _counted(rows: pd.DataFrame) -> dict[str, int]:
    better = int((rows["holds"] & (rows["mean"] < 0)).sum())
    worse = int((rows["holds"] & (rows["mean"] > 0)).sum())
    return {
        "cells": len(rows),
        "higher": int((rows["mean"] < 0).sum()),
        "better": better,
        "worse": worse,
        "unclear": len(rows) - better - worse,
    }


def _standing(
    table: pd.DataFrame, measures: Mapping[str, str]
) -> dict[tuple[str, str], set[tuple[str, bool]]]:
    """By measure and labels the comparisons that stand, each with its sign."""
    groups = _compared(table, measures).groupby(["measure", "labels"], sort=False)
    return {
        (str(measure), str(labels)): {
            (row["comparison"], row["mean"] > 0) for _, row in rows[rows["holds"]].iterrows()
        }
        for (measure, labels), rows in groups
    }
