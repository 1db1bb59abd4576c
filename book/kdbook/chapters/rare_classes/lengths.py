"""The numbers behind the chart of teachers' lengths, as sentences and a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from kdbook import tables
from kdbook.chapters.rare_classes import findings, teacher_length
from kdbook.compare import change, listed, method_name
from kdbook.profiles import Profile
from kdbook.records import Record
from kdlib.training import Recipe

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler


def dose_said(table: pd.DataFrame, shares: pd.DataFrame) -> str:
    """How much lies off the label at each temperature, and whether more of it costs more."""
    dose, heats = teacher_length.dose(table), sorted(shares["temperature"].unique())
    told = "; ".join(f"{findings.share_said(shares, t)} at T = {t:g}" for t in heats)
    return (
        f"Off the label, in the rarest fifth: {told}. Within a seed, the rank correlation of this "
        f"share with the change is {dose['mean']:+.2f} ({dose['low']:+.2f} to "
        f"{dose['high']:+.2f}): below zero, the more is off the label, the more is lost."
    )


def finished_said(record: Record, teachers: Recipe) -> str:
    """What chose the length of the profile's teachers."""
    found = teacher_length.validation_by_length(record.table)
    each = "; ".join(
        f"{row['teacher_epochs']:g} epochs: {row['mean']:.1f} % ({row['low']:.1f} to "
        f"{row['high']:.1f})"
        for _, row in found.iterrows()
    )
    return (
        f"When is a teacher finished? Mean accuracy on validation images, by its length: {each}. "
        f"The teachers of the {record.about.profile} profile train for {teachers.epochs} epochs. "
        "Validation images chose that; no test image had a say."
    )


def at_lengths_said(record: Record, profile: Profile) -> str:
    """What the record says of distilled students at the lengths of the profile."""
    found = teacher_length.effects(record.table)
    lengths = profile.teachers_recipe.epochs, profile.recipe.epochs
    here = (found["teacher_epochs"] == lengths[0]) & (found["student_epochs"] == lengths[1])
    rows = found[here & (found["method"] == "distilled")]
    if rows.empty:
        return "These lengths are not among the record's."
    said = [
        f"{method_name('distilled', row['temperature'])}: the rarest fifth {change(row)}."
        for _, row in rows.iterrows()
    ]
    return listed(said)


def cells_shown(pooled: pd.DataFrame) -> Styler:
    """``cells`` as a table."""
    return tables.shown(
        tables.unbroken(findings.cells(pooled)),
        "The rarest fifth, each student minus one-hot, in points. A star: significant after "
        "Holm's correction for all rows of a method, at both temperatures.",
    )
