"""What the study ``teacher_length`` found: what is drawn, and sentences that follow by rule.

A change is clear where its p-value, corrected by Holm's procedure for all rows of its method, is at
most 5 %.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from kdbook.chapters.rare_classes import batch_size, teacher_length
from kdbook.compare import LEVEL, Row, named, signed
from kdbook.records import Record

_VERBS = {1: "is higher", -1: "is lower"}


def in_short(record: Record, by_batch: pd.DataFrame) -> str:
    """Two sentences: what the highest temperature costs, and where it costs nothing clear.

    Args:
        record: of ``teacher_length``.
        by_batch: as ``kdbook.chapters.rare_classes.batch_size.effects`` gives it.
    """
    pooled = teacher_length.by_teacher(record.table)
    cold, hot = pooled["temperature"].min(), pooled["temperature"].max()
    rows = _rows(pooled, "distilled", hot)
    first, last = rows.iloc[0], rows.iloc[-1]
    return (
        f"Against students of the labels alone, accuracy in the rarest fifth of the classes "
        f"{_change(first)} at T = {hot:g} under a teacher of {first['teacher_epochs']:g} epochs, "
        f"and {_moved(last)} under one of {last['teacher_epochs']:g}; at T = {cold:g} it "
        f"{_without_span(change_said(pooled, 'distilled', cold))}. "
        f"{batch_size.recipe_in_short(by_batch)}"
    )


def _without_span(said: str) -> str:
    return said.partition(" (")[0] if said.startswith("shows") else said


def _moved(row: Row) -> str:
    return _without_span(_change(row)) if _sign(row) == 0 else _change(row).partition(" (")[0]


def _change(row: Row) -> str:
    span = f"{row['low']:+.1f} to {row['high']:+.1f}, {row['seeds']:g} seeds"
    if _sign(row) == 0:
        return f"shows no clear change ({row['mean']:+.1f} points, {span})"
    verb = "rises" if row["mean"] > 0 else "falls"
    return f"{verb} by {abs(row['mean']):.1f} points ({span})"


def findings(record: Record) -> list[str]:
    """Four sentences: distilled at the highest T, what moves that, at the lowest T; AdaAlpha."""
    pooled = teacher_length.by_teacher(record.table)
    cold, hot = pooled["temperature"].min(), pooled["temperature"].max()
    lines = {("distilled", hot): "Distilled", ("distilled", cold): "Distilled"}
    lines[("AdaAlpha", hot)] = "With AdaAlpha"
    first, *others = [
        f"{start} at T = {heat:g}, accuracy in the rarest fifth of the classes "
        f"{change_said(pooled, method, heat)}."
        for (method, heat), start in lines.items()
    ]
    return [first, levers_said(teacher_length.levers(record.table), hot), *others]


def levers_said(levers: pd.DataFrame, temperature: float) -> str:
    """What longer teachers and longer students do to the distilled student's change.

    Args:
        levers: as ``kdbook.chapters.rare_classes.teacher_length.levers`` gives it.
        temperature: one of its temperatures.
    """
    rows = levers[(levers["method"] == "distilled") & (levers["temperature"] == temperature)]
    said = ", and ".join(lever_said(row) for _, row in rows.iterrows())
    return f"At T = {temperature:g}, {said}."


def measured_on(record: Record) -> str:
    """Where the numbers come from, as a sentence."""
    about = record.about
    return (
        f"Measured on long-tailed {about.dataset} (imbalance ratio {about.imbalance:g}, "
        f"{about.model}, {len(about.seeds)} seeds): each student minus the one-hot student of its "
        "seed and length, averaged over the students' lengths."
    )


def drawn(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The two frames of ``kdbook.charts.teacher_length_panels``.

    AdaAlpha is drawn at the highest temperature only; the share off the label is that of the
    rarest fifth of the classes.

    Args:
        table: rows of ``kdbook.chapters.rare_classes.teacher_length.per_seed``, or its record.
    """
    told = teacher_length.off_label_shares(table).assign(method="distilled")
    share = told.rename(columns={teacher_length.OFF_LABEL_RAREST: "share"})
    return named(_shown(teacher_length.effects(table))), named(share)


def cells(pooled: pd.DataFrame) -> pd.DataFrame:
    """What is drawn as text: a row per teacher's length, a column per method; a star where clear.

    Args:
        pooled: as ``kdbook.chapters.rare_classes.teacher_length.by_teacher`` gives it.
    """
    rows = named(_shown(pooled))
    text = [f"{signed(row)}{' *' if _sign(row) else ''}" for _, row in rows.iterrows()]
    wide = rows.assign(cell=text).pivot(index="teacher_epochs", columns="method", values="cell")
    wide = wide[list(dict.fromkeys(rows["method"]))].rename_axis(columns=None)
    return wide.rename("{:g} epochs".format).rename_axis("teachers of")


def _shown(found: pd.DataFrame) -> pd.DataFrame:
    """Distilled from the highest temperature down, then AdaAlpha at the highest."""
    hot = found["temperature"].max()
    taught = found[found["method"] == "distilled"]
    ada = found[(found["method"] == "AdaAlpha") & (found["temperature"] == hot)]
    hottest_first = taught.sort_values("temperature", ascending=False, kind="stable")
    return pd.concat([hottest_first, ada], ignore_index=True)


def headline(pooled: pd.DataFrame) -> str:
    """One line: what the highest temperature costs under the shortest and the longest teachers.

    Args:
        pooled: as ``kdbook.chapters.rare_classes.teacher_length.by_teacher`` gives it.
    """
    hot = pooled["temperature"].max()
    rows = _rows(pooled, "distilled", hot)
    if not (rows.apply(_sign, axis=1) < 0).any():
        return f"At T = {hot:g} rare classes show no clear loss under any teacher"
    first, last = rows.iloc[0], rows.iloc[-1]
    return (
        f"At T = {hot:g} rare classes {_loss(first)} under a teacher of "
        f"{first['teacher_epochs']:g} epochs, and {_loss(last)} under one of "
        f"{last['teacher_epochs']:g}"
    )


def plain_headline(pooled: pd.DataFrame) -> str:
    """``headline`` for a reader who has not met temperature or distillation yet."""
    hot = pooled["temperature"].max()
    rows = _rows(pooled, "distilled", hot)
    first, last = rows.iloc[0], rows.iloc[-1]
    return (
        f"Students of a teacher that was trained for {first['teacher_epochs']:g} epochs and is "
        f"heard at a high temperature (T = {hot:g}) {_loss(first)} in rare classes; students of "
        f"one that was trained for {last['teacher_epochs']:g} {_loss(last)}"
    )


def change_said(pooled: pd.DataFrame, method: str, temperature: float) -> str:
    """How the measure moves under the teachers, as the end of a sentence.

    E.g. ``is lower under every teacher, by 20.2 points (40 epochs) to 4.1 (320 epochs), significant
    after correction under those of 40 epochs``, or ``shows no clear change under any teacher (-2.9
    to -0.8 points)``.
    """
    rows = _rows(pooled, method, temperature)
    signs = rows.apply(_sign, axis=1)
    clear = rows[signs != 0]
    if clear.empty:
        return f"shows no clear change under any teacher ({_span(rows)} points)"
    if (rows["mean"] > 0).all() or (rows["mean"] < 0).all():
        where = "all" if len(clear) == len(rows) else f"those of {_lengths(clear)} epochs"
        clearly = f"significant after correction under {where}"
        return f"{_VERBS[_sign(clear.iloc[0])]} under every teacher, {_sizes(rows)}, {clearly}"
    said = [
        f"{_VERBS[_sign(row)]} by {abs(row['mean']):.1f} points under teachers of "
        f"{row['teacher_epochs']:g} epochs"
        for _, row in clear.iterrows()
    ]
    others = rows[signs == 0]
    rest = f"; no clear change elsewhere ({_span(others)})" if len(others) else ""
    return ", ".join(said) + rest


def lever_said(row: Row) -> str:
    """Whether longer training moved the difference from the one-hot student.

    E.g. ``longer teachers (40 to 320 epochs) move this difference by +9.5 points (+4.0 to +15.0)``.

    Args:
        row: of ``kdbook.chapters.rare_classes.teacher_length.levers``.
    """
    who = f"longer {row['longer']} ({row['shortest']:g} to {row['longest']:g} epochs)"
    span = f"{row['low']:+.1f} to {row['high']:+.1f}"
    if _sign(row) == 0:
        return f"{who} bring no clear change ({row['mean']:+.1f} points, {span})"
    return f"{who} move this difference by {row['mean']:+.1f} points ({span})"


def share_said(shares: pd.DataFrame, temperature: float, column: str = "off_label_rarest") -> str:
    """How much of the target lies off the label, under the shortest and the longest teachers.

    Args:
        shares: as ``kdbook.chapters.rare_classes.teacher_length.off_label_shares`` gives it.
        temperature: one of its temperatures.
        column: of it.
    """
    rows = shares[shares["temperature"] == temperature].sort_values("teacher_epochs")
    ends = [f"{row[column]:.1f} % ({row['teacher_epochs']:g} epochs)" for _, row in rows.iterrows()]
    return ends[0] if len(ends) == 1 else f"{ends[0]} to {ends[-1]}"


def _rows(pooled: pd.DataFrame, method: str, temperature: float) -> pd.DataFrame:
    rows = pooled[(pooled["method"] == method) & (pooled["temperature"] == temperature)]
    return rows.sort_values("teacher_epochs")


def _sign(row: Row) -> int:
    """1 or -1 for a clear change, else 0; a missing p-value is not clear."""
    if not row["p_holm"] <= LEVEL:
        return 0
    return int(np.sign(row["mean"]))


def _loss(row: Row) -> str:
    return f"lose {-row['mean']:.0f} points" if _sign(row) < 0 else "do not clearly lose"


def _sizes(rows: pd.DataFrame) -> str:
    ends = rows.iloc[[0, -1]] if len(rows) > 1 else rows
    said = [f"{abs(r['mean']):.1f}" for _, r in ends.iterrows()]
    lengths = [f"({length:g} epochs)" for length in ends["teacher_epochs"]]
    first = f"by {said[0]} points {lengths[0]}"
    return first if len(said) == 1 else f"{first} to {said[1]} {lengths[1]}"


def _lengths(rows: pd.DataFrame) -> str:
    *first, last = [f"{length:g}" for length in rows["teacher_epochs"]]
    return f"{', '.join(first)} and {last}" if first else last


def _span(rows: pd.DataFrame) -> str:
    low, high = rows["mean"].min(), rows["mean"].max()
    return f"{low:+.1f}" if len(rows) == 1 else f"{low:+.1f} to {high:+.1f}"
