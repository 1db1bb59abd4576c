"""What each published number asks of our records, after ``kdbook.reproduction.mapping``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from kdbook.reproduction.mapping import (
    DIFFERENCES,
    METRICS,
    NETWORKS,
    PAPERS,
    Answer,
    Measure,
    Paper,
    Row,
    Setting,
    holds,
)
from kdbook.reproduction.printed import Printed, as_difference, as_value, less
from kdlib.errors import KdlibError


class AuditError(KdlibError):
    """A published number that the mapping does not know."""


@dataclass(frozen=True)
class Question:
    """One published number, as a question to a record.

    Attributes:
        number: its row in ``kdbook.published``.
        printed: the difference, or the value of a method without a teacher.
        against: what the difference is taken from, in words; empty for a value.
        studies: whose records may answer, the preferred one first.
        method: our name of the method.
        baseline: our name of what it is compared with; ``None`` for a value.
        measure: which column; ``None`` where no study has such a measure.
        setting: the paper's; ``None`` where the data set is not available.
        network: the paper's student, as our records name it.
        subgroup: as printed, e.g. ``sex=Male,label=0``; empty for all.
        unavailable: the data set in words, where it is not available.
        unanswerable: why nothing can be compared with it, if so.
        one_teacher: whether all students of the paper's table learn from one teacher; ``None``
            where that is not asked.
        only: columns of a record and the value that they must have, where it holds more.
    """

    number: int
    printed: Printed
    against: str
    studies: tuple[str, ...]
    method: str
    baseline: str | None
    measure: Measure | None
    setting: Setting | None
    network: str
    subgroup: str
    unavailable: str
    unanswerable: str = ""
    one_teacher: bool | None = None
    only: tuple[tuple[str, str], ...] = ()


def questions(paper: str, rows: pd.DataFrame) -> list[Question]:
    """One question per row of ``kdbook.published.published``.

    Raises:
        AuditError: a data set, method, metric or baseline that the mapping does not name.
    """
    known, places = PAPERS[paper], _places(rows)
    asked = zip(rows.index, rows.to_dict("records"), strict=True)
    return [question(known, int(n), row, *_printed(known, n, row, places)) for n, row in asked]


_Places = dict[tuple[str, str, str], list[Row]]


def _places(rows: pd.DataFrame) -> _Places:
    """The rows by table, data set and metric."""
    found: _Places = {}
    for row in rows.to_dict("records"):
        found.setdefault((row["table"], row["dataset"], row["metric"]), []).append(row)
    return found


def question(paper: Paper, number: int, row: Row, printed: Printed, against: str) -> Question:
    """What one published number asks."""
    answer = answer_to(paper, number, row)
    network = row["teacher"] if row["student"] == "none" else row["student"]
    own = answer.one_teacher
    return Question(
        number=number,
        printed=printed,
        against=against,
        studies=answer.studies,
        method=answer.method.format_map(row),
        baseline=answer.less if printed.is_difference else None,
        measure=_measure(paper, row, answer),
        setting=paper.settings.get(row["dataset"]),
        network=NETWORKS.get(network, ""),
        subgroup=row["subgroup"] if isinstance(row["subgroup"], str) else "",
        unavailable=paper.unavailable.get(row["dataset"], ""),
        unanswerable=answer.unanswerable,
        one_teacher=paper.one_teacher.get(row["table"]) if own is None else own,
    )


def answer_to(paper: Paper, number: int, row: Row) -> Answer:
    """The first rule that holds for the row.

    Raises:
        AuditError: a data set or metric that the mapping does not name, or no rule holds.
    """
    known = {
        "dataset": paper.settings.keys() | paper.unavailable.keys(),
        "metric": METRICS.keys() | set(DIFFERENCES),
    }
    unknown = [column for column, names in known.items() if row[column] not in names]
    found = next((answer for answer in paper.answers if holds(answer.when, row)), None)
    if not unknown and found is not None:
        return found
    column = unknown[0] if unknown else "method"
    raise AuditError(f"{_where(number, row)}: {column} {row[column]!r} is not in answers.toml")


def _measure(paper: Paper, row: Row, answer: Answer) -> Measure | None:
    name = answer.measure or paper.same_metric.get(row["metric"], row["metric"])
    return METRICS[name.removeprefix("delta_") if name in DIFFERENCES else name]


def _printed(paper: Paper, number: int, row: Row, places: _Places) -> tuple[Printed, str]:
    """The printed number to compare, and what it is taken from."""
    answer = answer_to(paper, number, row)
    if row["metric"] in DIFFERENCES:
        return as_difference(row), "printed as a difference"
    found = [] if answer.less is None else _bases(paper, row, answer, places)
    if answer.less is None or (row["dataset"] in paper.unavailable and len(found) != 1):
        return as_value(row), ""
    if len(found) != 1:
        base = _base(paper, row, answer)
        of = f"{len(found)} rows of {base['method']} in {base['table']}"
        raise AuditError(f"{_where(number, row)}: {of} to take its difference from")
    return less(row, found[0]), f"less {answer.less} of {found[0]['table']}"


def _bases(paper: Paper, row: Row, answer: Answer, places: _Places) -> Sequence[Row]:
    """The rows that the number may be taken from; right is one."""
    base = _base(paper, row, answer)
    metric = str(paper.same_metric.get(row["metric"], row["metric"]))
    near = places.get((base["table"], row["dataset"], metric), ())
    return [one for one in near if holds(base, one)]


def _base(paper: Paper, row: Row, answer: Answer) -> dict[str, Any]:
    """The columns of what a difference is taken from, with its table."""
    table = paper.elsewhere.get(row["table"], row["table"])
    return {"table": table, **(answer.base or paper.base)}


def _where(number: int, row: Row) -> str:
    return f"published number {number} ({row['table']})"
