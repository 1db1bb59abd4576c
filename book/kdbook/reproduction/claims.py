"""The claims of both papers beside ours: printed effect, ours with its prediction, evidence.

What is claimed stands in ``published/claims.toml``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pandas as pd
from pydantic import Field

from kdbook.published import published
from kdbook.published.lists import listed
from kdbook.records import Record
from kdbook.reproduction.lines import Line, lines_of
from kdbook.reproduction.mapping import PAPERS, Measure, Row
from kdbook.reproduction.printed import as_difference, less
from kdbook.reproduction.questions import AuditError, Question, answer_to, question
from kdlib.validated import Frozen


class Claim(Frozen):
    """One claim; what it does not say of our side follows from the mapping of its numbers.

    Attributes:
        text: in a line.
        paper: as ``kdbook.published`` names it.
        where: columns of the published numbers that it is about.
        printed: further columns of the number.
        less: those of the number that it is taken from; ``None`` where it is printed as a
            difference.
        studies: whose records speak to it, the preferred one first.
        method: ours.
        baseline: what it is compared with.
        measure: in our records.
        network: the paper's student, as our records name it.
        only: columns of a record and the value that they must have, where it holds more.
        chapters: the pages that lead with it; of claims about CIFAR only.
    """

    text: str
    paper: str
    where: dict[str, Any]
    printed: dict[str, Any]
    less: dict[str, Any] | None = None
    studies: tuple[str, ...] = ()
    method: str = ""
    baseline: str = ""
    measure: Measure | None = None
    network: str = ""
    only: dict[str, str] = Field(default_factory=dict)
    chapters: tuple[str, ...] = ()


CLAIMS = tuple(
    Claim(paper=paper, **claim)
    for paper, claims in listed("claims.toml").items()
    for claim in claims
)


def claims_table(records: Sequence[Record]) -> pd.DataFrame:
    """One row per claim: the strongest evidence for or against it that the records hold.

    Args:
        records: as ``kdbook.records.read_records`` and ``block_records`` give them.

    Returns:
        Columns: paper, table, claim, and those of ``kdbook.reproduction.reproduction`` that tell
        what is printed (``compared``: the effect), what is ours, the evidence, the verdict and why.
        P-values are corrected for all claims.
    """
    lines = pd.DataFrame(claim_lines(records))
    rows = lines[lines["leading"]].drop(columns="leading").set_index("number").sort_index()
    about = pd.DataFrame(
        {
            "paper": [claim.paper for claim in CLAIMS],
            "table": [claim.where["table"] for claim in CLAIMS],
            "dataset": [claim.where["dataset"] for claim in CLAIMS],
            "claim": [claim.text for claim in CLAIMS],
        }
    )
    return about.join(rows.reindex(columns=[*dict.fromkeys([*rows.columns, *_NEEDED])]))


def claim_lines(records: Sequence[Record]) -> list[Line]:
    """All that the records say of each claim; ``number`` is its place in ``CLAIMS``."""
    return lines_of([question_of(n, claim) for n, claim in enumerate(CLAIMS)], records)


_NEEDED = (
    "compared", "mean", "low", "high", "p", "predicted_low", "predicted_high", "seeds", "diverged",
    "evidence", "apart", "setting", "record", "verdict", "because",
)  # fmt: skip
_OURS = ("studies", "method", "baseline", "measure", "network")


def question_of(number: int, claim: Claim) -> Question:
    """What the claim asks of our records."""
    paper, row = PAPERS[claim.paper], _row(claim, claim.printed)
    base = None if claim.less is None else _row(claim, claim.less)
    asked = question(
        paper, number, row, as_difference(row) if base is None else less(row, base), ""
    )
    if base is not None:
        method = answer_to(paper, number, base).method.format_map(base)
        asked = replace(asked, baseline=method)
    said = {name: value for name in _OURS if (value := getattr(claim, name))}
    only = tuple(claim.only.items())
    return replace(asked, unavailable="", one_teacher=None, only=only, **said)


def _row(claim: Claim, columns: Row) -> Row:
    """The one published row that a claim is about."""
    rows = published(paper=claim.paper)
    for column, value in {**claim.where, **columns}.items():
        rows = rows[rows[column] == value]
    if len(rows) != 1:
        raise AuditError(f"claim {claim.text!r}: {len(rows)} published numbers, not one")
    return rows.to_dict("records")[0]
