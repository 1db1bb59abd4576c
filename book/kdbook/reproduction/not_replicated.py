"""Which claims of the papers our records do not support, and how far that goes: by rule.

A claim counts as replicated where its verdict is *agrees*, *same sign* or *both diverge*, which
needs the paper's own data. All others stand in one of five groups. On other data, such as digits,
the rule is the same for a sign, but says only whether the mechanism is at work there.
"""

from __future__ import annotations

from enum import StrEnum
from html import escape
from math import isnan

import pandas as pd

from kdbook.chapters import STUDIES, study
from kdbook.compare import LEVEL
from kdbook.reproduction import words
from kdbook.reproduction.levels import Level
from kdbook.reproduction.mapping import BLOCKS
from kdbook.reproduction.verdicts import Verdict
from kdlib.metrics import holm

PLANNED = "cifar"
"""The page of the planned evidence."""


class Standing(StrEnum):
    """Where a claim stands."""

    REPLICATED = "replicated"
    CONTRADICTED = "contradicted on the paper's data"
    UNDECIDED = "undecided on the paper's data"
    OTHER_WAY = "untested on the paper's data; on ours the other way"
    UNCLEAR = "untested on the paper's data; no clear change on ours"
    AT_WORK = "untested on the paper's data; its mechanism is at work on ours"
    NOT_RUN = "not run"


_SUPPORT = (Verdict.AGREES.value, Verdict.SAME_SIGN.value, Verdict.BOTH_DIVERGE.value)


def standings(claims: pd.DataFrame) -> pd.DataFrame:
    """The claims with a column ``standing``, and ``corrected``: Holm's p over those on other data.

    Args:
        claims: as ``kdbook.reproduction.claims_table`` gives them.
    """
    other = claims["evidence"] == Level.MECHANISM.value
    corrected = pd.Series(float("nan"), index=claims.index)
    if other.any():
        corrected[other] = holm(claims.loc[other, "p"].astype(float))
    found = [_standing(row).value for _, row in claims.iterrows()]
    return claims.assign(standing=found, corrected=corrected)


def _standing(row: pd.Series) -> Standing:
    if not row["evidence"]:
        return Standing.NOT_RUN
    if row["evidence"] != Level.MECHANISM.value:
        if row["verdict"] in _SUPPORT:
            return Standing.REPLICATED
        differs = row["verdict"] == Verdict.DIFFERS.value
        return Standing.CONTRADICTED if differs else Standing.UNDECIDED
    if not row["low"] > 0 and not row["high"] < 0:
        return Standing.UNCLEAR
    return Standing.AT_WORK if row["mean"] * row["compared"] > 0 else Standing.OTHER_WAY


def in_short(found: pd.DataFrame) -> str:
    """Two sentences: how many claims stand where.

    Args:
        found: as ``standings`` gives it.
    """
    count = found["standing"].value_counts()

    def of(*standings: Standing) -> int:
        return int(sum(count.get(standing.value, 0) for standing in standings))

    other = (Standing.OTHER_WAY, Standing.UNCLEAR, Standing.AT_WORK)
    return (
        f"Of {len(found)} claims of the two papers, {_are(of(Standing.REPLICATED))} replicated on "
        "the paper's own data, at least in their sign, while "
        f"{_are(of(Standing.CONTRADICTED))} contradicted there and "
        f"{_are(of(Standing.UNDECIDED))} undecided. The other {of(*other, Standing.NOT_RUN)} are "
        f"untested on the paper's data: on digits {_do(of(Standing.AT_WORK), 'show')} the "
        f"mechanism at work, {_do(of(Standing.UNCLEAR), 'show')} no clear change, and "
        f"{_do(of(Standing.OTHER_WAY), 'point')} the other way."
    )


def headline(found: pd.DataFrame) -> str:
    """How many are decided on the paper's own data, and how."""
    here = [
        int((found["standing"] == one.value).sum())
        for one in (Standing.REPLICATED, Standing.CONTRADICTED)
    ]
    return (
        f"{here[0]} of {len(found)} claims replicate on the paper's own data, "
        f"{_are(here[1])} contradicted there"
    )


def _are(count: int) -> str:
    return {0: "none is", 1: "one is"}.get(count, f"{count} are")


def _do(count: int, verb: str) -> str:
    return {0: f"none {verb}s", 1: f"one {verb}s"}.get(count, f"{count} {verb}")


def listed_html(found: pd.DataFrame, standing: Standing) -> str:
    """A list of the claims that stand there, each with its evidence and its chapter.

    Args:
        found: as ``standings`` gives it.
        standing: which of them.
    """
    rows = found[found["standing"] == standing.value]
    if rows.empty:
        return "<p>So far there is none.</p>"
    items = "".join(f"<li>{_item(row)}</li>" for _, row in rows.iterrows())
    return f"<ul>{items}</ul>"


def _item(row: pd.Series) -> str:
    where = f"{words.PAPERS[row['paper']]}, {row['table']}, {words.DATASETS[row['dataset']]}"
    parts = [f"<p><b>{escape(row['claim'])}</b> ({escape(where)}).", _printed(row), _ours(row)]
    evidence = f"Evidence: {escape(row['evidence'] or 'none')}."
    return " ".join([*parts, evidence, _chapter(row)]) + "</p>"


def _printed(row: pd.Series) -> str:
    if isnan(row["compared"]):
        return "In print the training diverges."
    return f"The paper prints {row['compared']:+.2f} points."


def _ours(row: pd.Series) -> str:
    if not row["evidence"]:
        return f"We have not run it: {escape(row['because'])}."
    return f"We measured {_measured(row)} on {escape(row['setting'])}{_why(row)}."


def _measured(row: pd.Series) -> str:
    seeds = f"{int(row['seeds'])} seeds"
    if isnan(row["low"]):
        return f"{row['mean']:+.1f} points ({seeds})"
    return f"{row['mean']:+.1f} points ({row['low']:+.1f} to {row['high']:+.1f}, {seeds})"


def _why(row: pd.Series) -> str:
    """On the paper's data why it is no more; on others whether correction leaves a change."""
    if row["evidence"] != Level.MECHANISM.value:
        apart = f"; apart from the paper: {escape(row['apart'])}" if row["apart"] else ""
        return f": {escape(row['because'])}{apart}"
    if row["standing"] == Standing.UNCLEAR.value:
        return ""
    word = "" if row["corrected"] <= LEVEL else "not "
    return f", {word}significant after correction for all claims on other data"


def _chapter(row: pd.Series) -> str:
    """A link to the page of the study that speaks to the claim."""
    name = str(row["record"] or "").partition("-")[0]
    if name == BLOCKS:
        return f'Chapter: <a href="{PLANNED}.html">CIFAR, planned before it was run</a>'
    if name not in STUDIES:
        return ""
    page = STUDIES[name].removeprefix("book/")
    return f'Chapter: <a href="{page}.html">{escape(study(name).question)}</a>'
