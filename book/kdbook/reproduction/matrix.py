"""The reproduction matrix: every published number, what we measured, and the rule's verdict."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from kdbook.published import published
from kdbook.records import SIGNIFICANT_DIGITS, Record
from kdbook.reproduction.lines import lines_of
from kdbook.reproduction.mapping import PAPERS
from kdbook.reproduction.questions import AuditError, questions
from kdbook.reproduction.verdicts import Verdict
from kdlib.names import choices

COPIED = [
    "paper", "section", "table", "dataset", "teacher", "student", "method", "teacher_objective",
    "student_objective", "validation_labels", "alpha_t", "alpha_s", "subgroup", "metric",
]  # fmt: skip
_OURS = [
    "record", "measurement", "profile", "setting", "device", "evidence", "apart", "mean", "low",
    "high", "predicted_low", "predicted_high", "predicted", "seeds", "diverged", "p", "p_holm",
]  # fmt: skip
_INNER = ["sizes", "on_floor", "study", "trained_on", "experiment"]
"""Columns of lines that the matrix does not show."""
_TEXTS = ("subgroup", "note", "teacher_objective", "student_objective", "validation_labels")


def reproduction(paper: str, records: Sequence[Record]) -> pd.DataFrame:
    """One row per published number and record that answers it, or one that says why none does.

    Args:
        paper: ``teachers_pet`` or ``robust_distillation``.
        records: as ``kdbook.records.read_records`` gives them.

    Returns:
        Columns: number (the row in ``kdbook.published``), those of ``COPIED``, printed
        (as in the CSV; NaN where training diverges), printed_spread, compared (what is compared:
        the difference, or the value) with the paper's own interval, is_difference, against, record,
        measurement (its name: several numbers may ask for the same), profile, setting, device,
        evidence (a ``kdbook.reproduction.Level``), apart (what besides the data is not as in the
        paper), mean, low, high, predicted_low, predicted_high (where the printed number should
        fall), predicted (whether it does; only where sizes can be compared), seeds, diverged, p,
        p_holm (corrected for all measurements that may have a verdict), verdict, because, and
        leading: True in one row of each number, the one whose record comes closest to the paper's
        setting.

    Raises:
        AuditError: a paper or a published number that the mapping does not know.
    """
    if paper not in PAPERS:
        raise AuditError(f"paper {paper!r} has no mapping: {choices(paper, PAPERS)}")
    rows = published(paper=paper)
    table = pd.DataFrame(lines_of(questions(paper, rows), records))
    return _with_printed(rows, table)


def leading(matrix: pd.DataFrame) -> pd.DataFrame:
    """One row per published number: its verdict, from the record closest to the paper's setting."""
    return matrix[matrix["leading"]].reset_index(drop=True)


def summary(matrix: pd.DataFrame) -> pd.DataFrame:
    """How many have each verdict: verdict, because (if none), measurements (of ours), numbers."""
    rows = leading(matrix)
    apart = (Verdict.NOT_RUN.value, Verdict.NO_VERDICT.value)
    why = rows["because"].where(rows["verdict"].isin(apart), "")
    groups = rows.assign(because=why).groupby(["verdict", "because"])
    order = {verdict.value: place for place, verdict in enumerate(Verdict)}
    counts = {"measurements": groups["measurement"].nunique(), "numbers": groups.size()}
    table = pd.DataFrame(counts).reset_index()
    return table.sort_values(
        ["verdict", "numbers", "because"],
        key=lambda column: column.map(order) if column.name == "verdict" else column,
        ascending=[True, False, True],
    ).reset_index(drop=True)


def export(matrix: pd.DataFrame) -> str:
    """The matrix as CSV, rounded."""
    return matrix.to_csv(index=False, lineterminator="\n", float_format=f"%.{SIGNIFICANT_DIGITS}g")


def _with_printed(rows: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The published columns in front."""
    whole = table.reindex(columns=[*dict.fromkeys([*table.columns, *_OURS])])
    printed = rows[[*COPIED, "value", "uncertainty", "note"]].rename(
        columns={"value": "printed", "uncertainty": "printed_spread"}
    )
    whole = whole.drop(columns=_INNER, errors="ignore").set_index("number")
    joined = printed.join(whole, how="right").rename_axis("number")
    return joined.fillna(dict.fromkeys(_TEXTS, "")).reset_index()
