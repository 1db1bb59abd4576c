"""What each published number asks of our records, after ``kdbook.reproduction.mapping``."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from kdbook.reproduction import mapping
from kdbook.reproduction.mapping import Measure
from kdbook.reproduction.printed import Printed, as_difference, as_value, less
from kdbook.reproduction.settings import Setting
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


def questions(rows: pd.DataFrame) -> list[Question]:
    """One question a row of ``kdbook.published.published``.

    Raises:
        AuditError: a data set, method, metric or baseline that the mapping does not name.
    """
    return [_question(int(number), row, rows) for number, row in rows.iterrows()]  # type: ignore[call-overload]


def _question(number: int, row: pd.Series, rows: pd.DataFrame) -> Question:
    _check(number, row)
    printed, against, baseline = _printed(number, row, rows)
    return Question(
        number=number,
        printed=printed,
        against=against,
        studies=_studies(row),
        method=mapping.METHODS[row["method"]].method,
        baseline=baseline,
        measure=_measure(row),
        setting=mapping.SETTINGS.get(row["dataset"]),
        network=mapping.NETWORKS.get(row["student"], ""),
        subgroup=_text(row["subgroup"]),
        unavailable=mapping.UNAVAILABLE.get(row["dataset"], ""),
    )


def _check(number: int, row: pd.Series) -> None:
    known = {
        "dataset": mapping.SETTINGS.keys() | mapping.UNAVAILABLE.keys(),
        "method": mapping.METHODS.keys(),
        "metric": mapping.METRICS.keys() | set(mapping.DIFFERENCES),
    }
    for column, names in known.items():
        if row[column] not in names:
            raise AuditError(
                f"published number {number} ({row['table']}): {column} {row[column]!r} is not "
                f"in kdbook.reproduction.mapping"
            )


def _studies(row: pd.Series) -> tuple[str, ...]:
    if row["dataset"] == "adult":
        return (mapping.ADULT,)
    own = mapping.METHODS[row["method"]].studies
    asked = mapping.TABLES.get(row["table"], own)
    return asked if own else ()


def _measure(row: pd.Series) -> Measure | None:
    if row["metric"] in mapping.DIFFERENCES:
        if row["dataset"] == "adult" and row["metric"] == "delta_mean_accuracy":
            return mapping.METRICS["balanced_accuracy"]  # so says C.3 of this very gain
        return mapping.METRICS[row["metric"].removeprefix("delta_")]
    return mapping.METRICS[row["metric"]]


def _printed(number: int, row: pd.Series, rows: pd.DataFrame) -> tuple[Printed, str, str | None]:
    """The printed number to compare, what it is taken from, and our name of that."""
    if row["method"] in mapping.WITHOUT_TEACHER:
        return as_value(row), "", None
    if row["metric"] in mapping.DIFFERENCES:
        return as_difference(row), "printed as a difference", mapping.METHODS["one_hot"].method
    table, method = mapping.BASELINES.get((row["table"], row["method"]), (row["table"], "one_hot"))
    label = mapping.METHODS[method].method
    base = _base_row(number, row, rows, table, method)
    if base is None:
        return as_value(row), "", None
    return less(row, base), f"less {label} of {table}", label


def _base_row(
    number: int, row: pd.Series, rows: pd.DataFrame, table: str, method: str
) -> pd.Series | None:
    same = (rows["dataset"] == row["dataset"]) & (rows["metric"] == row["metric"])
    found = rows[same & (rows["table"] == table) & (rows["method"] == method)]
    if len(found) != 1:
        if row["method"] == "teacher_only":  # a teacher's accuracy that stands alone in the text
            return None
        raise AuditError(
            f"published number {number} ({row['table']}): {len(found)} rows of {method} in "
            f"{table} to take its difference from"
        )
    return found.iloc[0]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
