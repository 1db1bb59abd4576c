"""From a record to the one number, with its interval, that a question asks for."""

from __future__ import annotations

import pandas as pd

from kdlib.audit.mapping import Measure
from kdlib.audit.questions import Question
from kdlib.audit.verdicts import Measured
from kdlib.metrics import paired_p_value, t_interval
from kdlib.runs.estimate import SHAPES
from kdlib.studies.records import DIVERGED, Record, RecordError
from kdlib.studies.selection import at_chosen, choose_temperature

NO_RATIO = "the record holds no such imbalance"
NO_METHOD = "the record holds no such method"
NO_MEASURE = "the record holds no such measure"
SMALLER = "smaller student: "
"""Stands for the two depths in the name of a compressed cell, which differ with the scale."""
_DEPTHS = r"^\d+ to \d+: "
Answered = tuple[Measured, float]
"""What was measured, and the p-value of a difference (NaN for a value)."""


def answer(question: Question, record: Record) -> Answered | str:
    """What the record says to the question, or why it says nothing."""
    table = _values(question, record)
    if isinstance(table, str):
        return table
    table = table.assign(method=table["method"].str.replace(_DEPTHS, SMALLER, regex=True))
    asked = {question.method} | ({question.baseline} if question.baseline else set())
    if not asked <= set(table["method"]):
        return NO_METHOD
    return _over_seeds(question, record, table)


def _values(question: Question, record: Record) -> pd.DataFrame | str:
    """The record's rows that the question is about, with what it asks for as ``value``."""
    if "group" in record.table:
        return _of_group(question, record.table)
    table = _at_ratio(question, record)
    if table.empty:
        return NO_RATIO
    values = _column(question.measure, table, SHAPES[record.about.dataset].num_classes)
    return NO_MEASURE if values is None else table.assign(value=values)


def _of_group(question: Question, table: pd.DataFrame) -> pd.DataFrame | str:
    """Rows of one group of people, at the first threshold: it fits the printed accuracies best."""
    at_first = table[table["threshold"] == table["threshold"].iloc[0]]
    rows = at_first[at_first["group"] == group_name(question.subgroup)]
    return NO_MEASURE if rows.empty else rows.assign(status="completed", temperature=float("nan"))


def group_name(subgroup: str) -> str:
    """``race=Other,sex=Male,label=0`` as records name it: ``Other, Male, label 0``."""
    parts = [part.partition("=") for part in subgroup.split(",") if part]
    return ", ".join(f"label {v}" if k == "label" else v for k, _, v in parts) or "balanced"


def papers_setting(question: Question, record: Record) -> bool:
    """Whether data set, imbalance, network, epochs and schedule are the paper's."""
    about, theirs = record.about, question.setting
    return (
        theirs is not None
        and about.dataset == theirs.dataset
        and about.model == question.network
        and about.recipe.get("epochs") == theirs.epochs
        and (about.recipe.get("schedule") or {}).get("kind") == theirs.schedule
        and about.recipe.get("stop_after") is None
        and _ratio(question, record) == theirs.imbalance
        and question.one_teacher in (None, one_teacher(record))
    )


def one_teacher(record: Record) -> bool:
    """Whether all its students learn from one teacher; else each seed has its own."""
    return bool(record.about.settings.get("fixed_teacher", False))


def _ratio(question: Question, record: Record) -> float | None:
    """Balanced data are ratio 1; a long tail has the ratio that the record compares methods at."""
    assert question.setting is not None
    return 1.0 if question.setting.imbalance == 1 else record.about.imbalance


def _at_ratio(question: Question, record: Record) -> pd.DataFrame:
    ratio, table = _ratio(question, record), record.table
    if ratio == 1 and question.setting and question.setting.imbalance != 1:
        return table.iloc[:0]  # a balanced record has no long tail
    return table[table["imbalance"] == ratio]


def _column(measure: Measure | None, table: pd.DataFrame, num_classes: int) -> pd.Series | None:
    if measure is None:
        return None
    worst = f"worst_{max(1, round(measure.share * num_classes))}"
    needed = [worst if measure.column == "worst" else measure.column]
    needed += [worst] if measure.less_worst else []
    if not set(needed) <= set(table.columns):
        return None
    first = table[needed[0]]
    return first - table[worst] if measure.less_worst else first


def _over_seeds(question: Question, record: Record, table: pd.DataFrame) -> Answered:
    same = papers_setting(question, record)
    rows = _one_a_seed(table, question.method, record)
    if question.baseline is None:
        return _measured(rows["value"], rows["status"] == DIVERGED, same), float("nan")
    base = _one_a_seed(table, question.baseline, record)
    rows, base = rows.align(base, join="inner", axis=0)
    diverged = (rows["status"] == DIVERGED) | (base["status"] == DIVERGED)
    differences = rows["value"] - base["value"]
    found = _measured(differences, diverged, same)
    return found, paired_p_value(differences.to_numpy()) if len(differences) else float("nan")


def _measured(values: pd.Series, diverged: pd.Series, same: bool) -> Measured:
    if values.empty:
        return Measured(papers_setting=same)
    count = int(diverged.sum())
    interval = t_interval(values.to_numpy())
    return Measured(interval.mean, interval.low, interval.high, interval.n, count, same)


def _one_a_seed(table: pd.DataFrame, method: str, record: Record) -> pd.DataFrame:
    """The method's rows by seed, at the temperature that validation chooses.

    A teacher that all seeds share is one training, so it counts once.
    """
    rows = _at_chosen_temperature(table[table["method"] == method])
    rows = (rows.drop_duplicates("run") if "run" in rows else rows).set_index("seed")
    if rows.index.has_duplicates:
        raise RecordError(f"record {record.name} holds several rows of {method} for one seed")
    return rows


def _at_chosen_temperature(rows: pd.DataFrame) -> pd.DataFrame:
    """Those of the temperature that validation chooses, among seeds that have all of them.

    A record of finished runs may lack some temperatures of its last seed.
    """
    if rows["temperature"].nunique(dropna=False) == 1:
        return rows
    trained = rows.groupby("seed")["temperature"].transform("nunique")
    whole = rows[trained == rows["temperature"].nunique()]
    return at_chosen(whole, choose_temperature(whole)) if len(whole) else whole
