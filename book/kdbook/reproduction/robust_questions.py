"""What each published number of "Robust distillation" asks of our records.

Students are compared with the standard student of the standard teacher in the same table, teachers
with the standard teacher; these two are themselves compared by value.
"""

from __future__ import annotations

import pandas as pd

from kdbook.reproduction import robust_mapping as mapping
from kdbook.reproduction.ours import SMALLER
from kdbook.reproduction.printed import Printed, as_value, less
from kdbook.reproduction.questions import AuditError, Question

_STANDARD_METHODS = ("distillation", "objective_pair")
References = dict[tuple[str, str, str, bool], list[pd.Series]]


def robust_questions(rows: pd.DataFrame) -> list[Question]:
    """One question a row of ``kdbook.published.published``.

    Raises:
        AuditError: a data set, method, metric or baseline that the mapping does not name.
    """
    standard = _references(rows)
    return [_question(int(number), row, standard) for number, row in rows.iterrows()]  # type: ignore[call-overload]


def _question(number: int, row: pd.Series, standard: References) -> Question:
    _check(number, row)
    printed, against, baseline = _printed(number, row, standard)
    studies, method = _answer(row)
    network = row["teacher"] if row["student"] == "none" else row["student"]
    return Question(
        number=number,
        printed=printed,
        against=against,
        studies=studies,
        method=method,
        baseline=baseline,
        measure=mapping.METRICS[row["metric"]],
        setting=mapping.SETTINGS.get(row["dataset"]),
        network=mapping.NETWORKS.get(network, ""),
        subgroup="",
        unavailable=mapping.UNAVAILABLE.get(row["dataset"], ""),
        unanswerable=mapping.UNANSWERABLE.get(row["method"], ""),
        one_teacher=_one_teacher(row),
    )


def _one_teacher(row: pd.Series) -> bool | None:
    """Teachers are trained again for each repeat, also where students share one."""
    if row["method"] == "teacher_only":
        return False
    return mapping.ONE_TEACHER.get(row["table"])


def _check(number: int, row: pd.Series) -> None:
    known = {
        "dataset": mapping.SETTINGS.keys() | mapping.UNAVAILABLE.keys(),
        "method": mapping.METHODS.keys() | mapping.UNANSWERABLE.keys() | set(mapping.CELLS),
        "metric": mapping.METRICS.keys(),
    }
    for column, names in known.items():
        if row[column] not in names:
            raise AuditError(
                f"published number {number} ({row['table']}): {column} {row[column]!r} is not "
                f"in kdbook.reproduction.robust_mapping"
            )


def _answer(row: pd.Series) -> tuple[tuple[str, ...], str]:
    """The studies that may answer, and our name of the method in them."""
    if row["method"] in mapping.UNANSWERABLE:
        return (), ""
    if row["student"] == mapping.COMPRESSED:
        return _compressed(row)
    if _is_standard_point(row):
        return (mapping.TRADED,), mapping.STANDARD
    if row["method"] == "traded_off":
        return (mapping.TRADED,), f"{row['alpha_t']:g} / {row['alpha_s']:g}"
    if row["method"] in mapping.CELLS:
        return (mapping.BLOCKS, mapping.GRID), _cell(row)
    found = mapping.METHODS[row["method"]]
    return found.studies, found.method.format(teacher=row["teacher_objective"])


def _compressed(row: pd.Series) -> tuple[tuple[str, ...], str]:
    """Of smaller students: robust ones have one-hot validation labels here, and no name for it."""
    if row["method"] not in mapping.COMPRESSED_METHODS:
        return (), ""
    cell = _cell(row)
    if row["method"] == "robust_student":
        cell = mapping.METHODS["robust_student"].method
    return (mapping.OTHERS,), f"{SMALLER}{cell.removesuffix(mapping.LABELS['onehot'])}"


def _cell(row: pd.Series) -> str:
    """As ``kdbook.chapters.teacher_and_student`` names it."""
    teacher, student = row["teacher_objective"], row["student_objective"]
    if student == "none":
        return f"teacher {teacher}"
    labels = row["validation_labels"] if isinstance(row["validation_labels"], str) else "teacher"
    return f"{teacher} / {student}{mapping.LABELS[labels] if student == 'rob-d' else ''}"


def _printed(number: int, row: pd.Series, standard: References) -> tuple[Printed, str, str | None]:
    """The printed number to compare, what it is taken from, and our name of that."""
    base = None if _is_reference(row) else _base_row(number, row, standard)
    if base is None:
        return as_value(row), "", None
    label = _label(row)
    return less(row, base), f"less {label} of {base['table']}", label


def _label(row: pd.Series) -> str:
    """What a difference is taken from, as the study that answers calls it."""
    if row["method"] == "teacher_only":
        return mapping.STANDARD_TEACHER
    if row["student"] == mapping.COMPRESSED:
        return f"{SMALLER}{mapping.STANDARD}"
    studies, _ = _answer(row)
    return mapping.STANDARD_OF_OTHERS if mapping.OTHERS in studies else mapping.STANDARD


def _is_reference(row: pd.Series) -> bool:
    """Whether others are compared with this number, so that it is compared by value."""
    if _is_standard_point(row):
        return True
    if row["teacher_objective"] != "std":
        return False
    standard = row["method"] in _STANDARD_METHODS and row["student_objective"] == "std-d"
    return standard or row["method"] == "teacher_only"


def _is_standard_point(row: pd.Series) -> bool:
    """Whether these trade-offs are standard distillation under another name: on balanced data."""
    setting = mapping.SETTINGS.get(row["dataset"])
    balanced = setting is not None and setting.imbalance == 1
    point = (row["alpha_t"], row["alpha_s"])
    return balanced and row["method"] == "traded_off" and point == mapping.BALANCED_IS_STANDARD


def _references(rows: pd.DataFrame) -> References:
    """The standard students and teachers by table, data set, metric, and whether a teacher."""
    found: References = {}
    for _, row in rows[rows["teacher_objective"] == "std"].iterrows():
        if _is_reference(row):
            place = row["table"], row["dataset"], row["metric"], row["method"] == "teacher_only"
            found.setdefault(place, []).append(row)
    return found


def _base_row(number: int, row: pd.Series, standard: References) -> pd.Series | None:
    """The standard student or teacher to compare with; none where its data set prints none."""
    table = mapping.ELSEWHERE.get(row["table"], row["table"])
    metric = "mean_accuracy" if row["metric"] == "balanced_accuracy" else row["metric"]
    found = standard.get((table, row["dataset"], metric, row["method"] == "teacher_only"), [])
    if len(found) == 1:
        return found[0]
    if row["dataset"] in mapping.UNAVAILABLE:  # it is not compared anyway
        return None
    raise AuditError(
        f"published number {number} ({row['table']}): {len(found)} standard rows in {table} "
        "to take its difference from"
    )
