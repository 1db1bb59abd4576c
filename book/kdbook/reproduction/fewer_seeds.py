"""Would fewer seeds have said the same? The matrix again, from the first seeds of each record."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from kdbook.reproduction.matrix import distinct_differences, leading, reproduction
from kdbook.reproduction.verdicts import Verdict
from kdbook.studies.records import Record

_COUNTED = (Verdict.OVERLAP, Verdict.SAME_SIGN, Verdict.DIFFERS, Verdict.UNDECIDED)


def first_seeds(record: Record, count: int) -> Record:
    """The record as it would be, had only its ``count`` first seeds been trained."""
    kept = sorted(record.about.seeds)[:count]
    table = record.table[record.table["seed"].isin(kept)].reset_index(drop=True)
    return Record(record.about.model_copy(update={"seeds": tuple(kept)}), table)


def verdicts_by_seeds(paper: str, records: Sequence[Record], counts: Sequence[int]) -> pd.DataFrame:
    """How many published numbers have each verdict, if no record had more seeds than that.

    Args:
        paper: as ``kdbook.reproduction.reproduction`` takes it.
        records: whose seeds are cut off; one that has fewer keeps all of them.
        counts: of seeds, each 2 or more: one has no interval.

    Returns:
        One row a count: seeds, the verdicts on differences that occur, ours (the distinct
        differences behind them), and how many of these leave out zero: alone, and ``Holm``, after
        the correction for all of ours.
    """
    table = pd.DataFrame([_row(paper, records, count) for count in counts])
    return table.drop(columns=[v for v in _COUNTED if not table[v].any()])


def _row(paper: str, records: Sequence[Record], count: int) -> dict[str, int]:
    matrix = reproduction(paper, [first_seeds(record, count) for record in records])
    rows = leading(matrix)
    found = rows.loc[rows["is_difference"].eq(True), "verdict"].value_counts()
    verdicts = {v.value: int(found.get(v.value, 0)) for v in _COUNTED}
    different, alone, after = distinct_differences(matrix)
    ours = {"ours": different, "alone": alone, "Holm": after}
    return {"seeds": count} | verdicts | ours
