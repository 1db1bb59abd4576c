"""The reproduction matrix: every published number, what we measured, and the rule's verdict."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from kdbook.reproduction.ours import answer, one_teacher
from kdbook.reproduction.questions import AuditError, Question, questions
from kdbook.reproduction.robust_questions import robust_questions
from kdbook.reproduction.verdicts import Measured, Verdict, judge
from kdbook.studies import STUDIES
from kdbook.studies.published import published
from kdbook.studies.records import SIGNIFICANT_DIGITS, Record
from kdlib.metrics import holm

PAPERS = {"teachers_pet": questions, "robust_distillation": robust_questions}
PROFILE_ORDER = ("paper", "standard", "quick")
NO_STUDY = "no study of it yet"
NOT_RECORDED = "no record of the study"
COPIED = [
    "paper", "section", "table", "dataset", "teacher", "student", "method", "teacher_objective",
    "student_objective", "validation_labels", "alpha_t", "alpha_s", "subgroup", "metric",
]  # fmt: skip
_TEXTS = ("subgroup", "note", "teacher_objective", "student_objective", "validation_labels")


def reproduction(paper: str, records: Sequence[Record]) -> pd.DataFrame:
    """One row a published number and record that answers it, or one that says why none does.

    Args:
        paper: ``teachers_pet`` or ``robust_distillation``.
        records: as ``kdbook.studies.records.read_records`` gives them.

    Returns:
        Columns: number (the row in ``kdbook.studies.published``), those of ``COPIED``, printed
        (as in the CSV; NaN where training diverges), printed_spread, compared (what is compared:
        the difference, or the value), against, record, profile, setting, device, mean, low, high,
        seeds, diverged, papers_setting, p, verdict, because, and leading: True in one row of each
        number, the one whose record comes closest to the paper's setting.

    Raises:
        AuditError: a paper or a published number that the mapping does not know.
    """
    if paper not in PAPERS:
        raise AuditError(f"paper {paper!r} has no mapping: choose from {', '.join(PAPERS)}")
    rows = published(paper=paper)
    asked = PAPERS[paper](rows)
    found = [_of_one(question, records) for question in asked]
    table = pd.DataFrame([line for lines in found for line in lines])
    return _with_printed(rows, table)


def leading(matrix: pd.DataFrame) -> pd.DataFrame:
    """One row a published number: its verdict, from the record closest to the paper's setting."""
    return matrix[matrix["leading"]].reset_index(drop=True)


def summary(matrix: pd.DataFrame) -> pd.DataFrame:
    """How many published numbers have each verdict: verdict, because (if not run), numbers."""
    rows = leading(matrix)
    apart = (Verdict.NOT_RUN.value, Verdict.NO_VERDICT.value)
    why = rows["because"].where(rows["verdict"].isin(apart), "")
    counts = rows.assign(because=why).groupby(["verdict", "because"]).size()
    order = {verdict.value: place for place, verdict in enumerate(Verdict)}
    table = counts.rename("numbers").reset_index()
    return table.sort_values(
        ["verdict", "numbers", "because"],
        key=lambda column: column.map(order) if column.name == "verdict" else column,
        ascending=[True, False, True],
    ).reset_index(drop=True)


def decided_after_holm(matrix: pd.DataFrame, level: float = 0.05) -> tuple[int, int]:
    """How many leading differences have a p-value below ``level``: alone, and after Holm.

    One 95 % interval in twenty leaves out a true zero by chance, and the matrix holds many.
    """
    rows = leading(matrix)
    p_values = rows.loc[rows["compared"].notna(), "p"].dropna().to_numpy()
    return int((p_values < level).sum()), int((holm(p_values) < level).sum())


def distinct_differences(matrix: pd.DataFrame, level: float = 0.05) -> tuple[int, int, int]:
    """Our differences behind the verdicts, each counted once: all, decided alone, after Holm.

    Many published numbers ask the same of us: a grid that is printed for two data sets and three
    protocols is answered by one grid of ours.
    """
    rows = leading(matrix)
    rows = rows[rows["is_difference"].eq(True)].dropna(subset=["p", "compared"])
    once = rows.drop_duplicates(["record", "mean", "low", "high"])["p"].to_numpy()
    return len(once), int((once < level).sum()), int((holm(once) < level).sum())


def export(matrix: pd.DataFrame) -> str:
    """The matrix as CSV, rounded."""
    return matrix.to_csv(index=False, lineterminator="\n", float_format=f"%.{SIGNIFICANT_DIGITS}g")


def _of_one(question: Question, records: Sequence[Record]) -> list[dict[str, Any]]:
    if question.unavailable:
        return [_not_run(question, f"no access to {question.unavailable}")]
    if question.unanswerable:
        return [_not_run(question, question.unanswerable)]
    if not set(question.studies) & set(STUDIES):
        return [_not_run(question, NO_STUDY)]
    mine = _closest_first(question, [r for r in records if r.about.study in question.studies])
    if not mine:
        return [_not_run(question, NOT_RECORDED)]
    answers = [(record, answer(question, record)) for record in mine]
    lines = [_line(question, r, *a) for r, a in answers if not isinstance(a, str)]
    if not lines:
        return [_not_run(question, next(a for _, a in answers if isinstance(a, str)))]
    # The first of equals. One seed has no interval, so that it decides nothing.
    first = max(lines, key=lambda line: (line["papers_setting"], line["seeds"] > 1))
    return [line | {"leading": line is first} for line in lines]


def _closest_first(question: Question, records: Iterable[Record]) -> list[Record]:
    def distance(record: Record) -> tuple[Any, ...]:
        about = record.about
        place = question.studies.index(about.study)
        profile = PROFILE_ORDER.index(about.profile)
        other_data = question.setting is None or about.dataset != question.setting.dataset
        other_teachers = question.one_teacher not in (None, one_teacher(record))
        apart = (profile, other_data, other_teachers, place, len(about.conditions))
        return *apart, -len(about.seeds), record.name

    return sorted(records, key=distance)


def _not_run(question: Question, because: str) -> dict[str, Any]:
    return _start(question) | {
        "verdict": Verdict.NOT_RUN.value,
        "because": because,
        "leading": True,
    }


def _line(question: Question, record: Record, ours: Measured, p: float) -> dict[str, Any]:
    verdict, because = judge(question.printed, ours)
    about = record.about
    return _start(question) | {
        "record": record.name,
        "profile": about.profile,
        "setting": _setting(question, record),
        "device": about.device,
        "mean": ours.mean,
        "low": ours.low,
        "high": ours.high,
        "seeds": ours.seeds,
        "diverged": ours.diverged,
        "papers_setting": ours.papers_setting,
        "p": p,
        "verdict": verdict.value,
        "because": because,
    }


def _start(question: Question) -> dict[str, Any]:
    return {
        "number": question.number,
        "compared": question.printed.value,
        "compared_spread": question.printed.spread,
        "is_difference": question.printed.is_difference,
        "against": question.against,
    }


def _setting(question: Question, record: Record) -> str:
    about = record.about
    balanced = question.setting is not None and question.setting.imbalance == 1
    ratio = 1.0 if balanced else about.imbalance
    tail = [] if ratio is None else [f"ratio {ratio:g}"]
    epochs = [f"{about.recipe['epochs']} epochs"] if "epochs" in about.recipe else []
    teachers = {None: [], True: ["one teacher"], False: ["a teacher a seed"]}
    known = None if question.one_teacher is None else one_teacher(record)
    return ", ".join([about.dataset, *tail, about.model, *epochs, *teachers[known]])


def _with_printed(rows: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The published columns in front."""
    columns = [
        "record", "profile", "setting", "device", "mean", "low", "high", "seeds", "diverged",
        "papers_setting", "p",
    ]  # fmt: skip
    whole = table.reindex(columns=[*dict.fromkeys([*table.columns, *columns])])
    whole["papers_setting"] = whole["papers_setting"].eq(True)
    printed = rows[[*COPIED, "value", "uncertainty", "note"]].rename(
        columns={"value": "printed", "uncertainty": "printed_spread"}
    )
    joined = printed.join(whole.set_index("number"), how="right").rename_axis("number")
    return joined.fillna(dict.fromkeys(_TEXTS, "")).reset_index()


def is_run(matrix: pd.DataFrame) -> np.ndarray:
    """Which rows hold a measurement of ours."""
    return (matrix["verdict"] != Verdict.NOT_RUN.value).to_numpy()
