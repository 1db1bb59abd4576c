"""The matrix at a glance: five answers in place of nine verdicts, and the two sentences on top."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import pandas as pd

from kdbook.reproduction import words
from kdbook.reproduction.matrix import leading
from kdbook.reproduction.reading import decided_differences
from kdbook.reproduction.verdicts import Verdict


class Answer(StrEnum):
    """What we can say of a printed number."""

    AGREES = "agrees, at least in sign"
    DIFFERS = "differs"
    CANNOT_SAY = "we cannot say"
    OTHER = "no verdict"
    NOT_RUN = "not run"


ANSWERS = {
    Verdict.AGREES: Answer.AGREES,
    Verdict.SAME_SIGN: Answer.AGREES,
    Verdict.BOTH_DIVERGE: Answer.AGREES,
    Verdict.DIFFERS: Answer.DIFFERS,
    Verdict.CONSISTENT: Answer.CANNOT_SAY,
    Verdict.UNDECIDED: Answer.CANNOT_SAY,
    Verdict.ON_THE_FLOOR: Answer.CANNOT_SAY,
    Verdict.NO_VERDICT: Answer.OTHER,
    Verdict.NOT_RUN: Answer.NOT_RUN,
}
"""As on the page of what did not replicate, *consistent* is no support: our sign is undecided."""


def answers(matrix: pd.DataFrame) -> pd.DataFrame:
    """How many printed numbers have which answer: one row per paper and answer, zeros too.

    Args:
        matrix: from ``kdbook.reproduction.reproduction``, or those of several papers together.

    Returns:
        Columns: paper (in words), answer, numbers.
    """
    rows = leading(matrix)
    found = rows["verdict"].map(
        {verdict.value: answer.value for verdict, answer in ANSWERS.items()}
    )
    papers = [words.PAPERS[name] for name in dict.fromkeys(rows["paper"])]
    every = pd.MultiIndex.from_product(
        [papers, [answer.value for answer in Answer]], names=["paper", "answer"]
    )
    counts = (
        pd.Series(1, index=[rows["paper"].map(words.PAPERS), found]).groupby(level=[0, 1]).sum()
    )
    return counts.reindex(every, fill_value=0).rename("numbers").reset_index()


def headline(matrix: pd.DataFrame) -> str:
    """The finding as a title."""
    count = _total(matrix)
    rest = sum(count[one] for one in (Answer.CANNOT_SAY, Answer.OTHER, Answer.NOT_RUN))
    return (
        f"Of {sum(count.values()):,} printed numbers {count[Answer.AGREES]} agree, "
        f"{_differ(count[Answer.DIFFERS])}, and {rest:,} we cannot judge"
    )


def in_short(matrix: pd.DataFrame) -> str:
    """Two sentences: what the records say of the papers' numbers, and of how many they can."""
    count = _total(matrix)
    total, asked = sum(count.values()), (Answer.AGREES, Answer.DIFFERS, Answer.CANNOT_SAY)
    return (
        f"Of the {total:,} numbers that the two papers print, {sum(count[one] for one in asked)} "
        f"meet a measurement of ours on the paper's own data: {count[Answer.AGREES]} agree at "
        f"least in sign, {_differ(count[Answer.DIFFERS])}, and of {count[Answer.CANNOT_SAY]} we "
        "cannot say, because a sign is undecided or there are only zeros to compare. The other "
        f"{count[Answer.OTHER] + count[Answer.NOT_RUN]:,} stay open: {count[Answer.OTHER]} were "
        "measured on other data, such as digits, or in a setting in which an accuracy cannot be "
        f"compared, and {count[Answer.NOT_RUN]} were not run."
    )


def hard_to_agree(matrices: Sequence[pd.DataFrame]) -> str:
    """How far someone gets who has seen no data, beside us.

    Args:
        matrices: one per paper.
    """
    decided = pd.concat([decided_differences(one) for one in matrices], ignore_index=True)
    agree = int((decided["verdict"] != Verdict.DIFFERS.value).sum())
    plus = int((decided["compared"] > 0).sum())
    return (
        "Counting each measurement of ours once, with the first number that is printed for it, "
        f"{len(decided)} differences have a decided sign here and in print, and {agree} of them "
        f"agree. That is less than it seems, since always saying *plus* would agree with {plus}."
    )


def _total(matrix: pd.DataFrame) -> dict[Answer, int]:
    sums = answers(matrix).groupby("answer")["numbers"].sum()
    return {answer: int(sums[answer.value]) for answer in Answer}


def _differ(count: int) -> str:
    return {0: "none differs", 1: "one differs"}.get(count, f"{count} differ")
