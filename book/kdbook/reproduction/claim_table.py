"""The claims of both papers beside ours: printed effect, ours with its prediction, evidence."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from kdbook.published import published
from kdbook.records import Record
from kdbook.reproduction.claims import CLAIMS, Claim, Row
from kdbook.reproduction.lines import lines_of
from kdbook.reproduction.printed import as_difference, less
from kdbook.reproduction.questions import AuditError, Question
from kdbook.reproduction.robust_claims import ROBUST_CLAIMS

ALL_CLAIMS = (*CLAIMS, *ROBUST_CLAIMS)


def claims_table(records: Sequence[Record]) -> pd.DataFrame:
    """One row a claim: the strongest evidence for or against it that the records hold.

    Args:
        records: as ``kdbook.records.read_records`` and ``block_records`` give them.

    Returns:
        Columns: paper, table, claim, and those of ``kdbook.reproduction.reproduction`` that tell
        what is printed (``compared``: the effect), what is ours, the evidence, the verdict and why.
        P-values are corrected for all claims.
    """
    asked = [_question(number, claim) for number, claim in enumerate(ALL_CLAIMS)]
    lines = pd.DataFrame(lines_of(asked, records))
    rows = lines[lines["leading"]].drop(columns="leading").set_index("number").sort_index()
    about = pd.DataFrame(
        {
            "paper": [claim.paper for claim in ALL_CLAIMS],
            "table": [claim.printed["table"] for claim in ALL_CLAIMS],
            "dataset": [claim.printed["dataset"] for claim in ALL_CLAIMS],
            "claim": [claim.text for claim in ALL_CLAIMS],
        }
    )
    return about.join(rows.reindex(columns=[*dict.fromkeys([*rows.columns, *_NEEDED])]))


_NEEDED = (
    "compared", "mean", "low", "high", "p", "predicted_low", "predicted_high", "seeds", "diverged",
    "evidence", "apart", "setting", "record", "verdict", "because",
)  # fmt: skip


def _question(number: int, claim: Claim) -> Question:
    row = _printed(claim, claim.printed)
    base = None if claim.less is None else _printed(claim, claim.less)
    return Question(
        number=number,
        printed=as_difference(row) if base is None else less(row, base),
        against="",
        studies=claim.studies,
        method=claim.method,
        baseline=claim.baseline,
        measure=claim.measure,
        setting=claim.setting,
        network=claim.network,
        subgroup=claim.subgroup,
        unavailable="",
        one_teacher=None,
        only=tuple(claim.only.items()),
    )


def _printed(claim: Claim, wanted: Row) -> pd.Series:
    """The one published row that a claim is about."""
    rows = published(paper=claim.paper)
    for column, value in wanted.items():
        known = rows[column]
        rows = rows[known == (float(value) if known.dtype == float else value)]
    if len(rows) != 1:
        raise AuditError(f"claim {claim.text!r}: {len(rows)} published numbers, not one")
    return rows.iloc[0]
