"""From a record to the one number, with its interval, that a question asks for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import pandas as pd

from kdbook.reproduction.mapping import Measure
from kdbook.reproduction.questions import Question
from kdbook.reproduction.verdicts import Measured
from kdbook.studies.records import DIVERGED, Record, RecordError
from kdbook.studies.robust_profiles import teaching_at
from kdbook.studies.selection import at_chosen, choose_temperature, chosen_settings
from kdlib.metrics import paired_p_value, t_interval
from kdlib.runs.estimate import SHAPES

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
    asked = [question.method, *([question.baseline] if question.baseline else [])]
    of = _of_group if "group" in record.table else _of_classes
    found = of(question, record, asked)
    return found if isinstance(found, str) else _over_seeds(question, record, found)


def _of_classes(
    question: Question, record: Record, asked: Sequence[str]
) -> list[pd.DataFrame] | str:
    """Rows by seed of each method that is asked for, with the measure as ``value``."""
    ratio, setting = _ratio(question, record), question.setting
    assert setting is not None
    only_balanced = ratio == 1 and setting.imbalance != 1
    if only_balanced or _at_ratio(record, ratio).empty:
        return NO_RATIO
    columns = _columns(question.measure, record)
    if columns is None:
        return NO_MEASURE
    if not set(asked) <= set(_at_ratio(record, ratio)["method"]):
        return NO_METHOD
    rows = (_by_seed(record, ratio, method) for method in asked)
    return [table.assign(value=_value(table, columns)) for table in rows]


def _of_group(question: Question, record: Record, asked: Sequence[str]) -> list[pd.DataFrame] | str:
    """The same for one group of people, at the first threshold.

    That threshold fits the printed accuracies best.
    """
    table = record.table
    at_first = table[table["threshold"] == table["threshold"].iloc[0]]
    rows = at_first[at_first["group"] == group_name(question.subgroup)]
    if rows.empty:
        return NO_MEASURE
    if not set(asked) <= set(rows["method"]):
        return NO_METHOD
    whole = rows.assign(status="completed", temperature=float("nan"))
    return [_one_a_seed(whole, method, record) for method in asked]


def group_name(subgroup: str) -> str:
    """``race=Other,sex=Male,label=0`` as records name it: ``Other, Male, label 0``."""
    parts = [part.partition("=") for part in subgroup.split(",") if part]
    return ", ".join(f"label {v}" if k == "label" else v for k, _, v in parts) or "balanced"


def papers_setting(question: Question, record: Record) -> bool:
    """Whether data set, imbalance, network, epochs and schedule are the paper's."""
    about, theirs = record.about, question.setting
    recipe = about.recipe_at(_ratio(question, record)) if theirs is not None else {}
    return (
        theirs is not None
        and about.dataset == theirs.dataset
        and about.model == question.network
        and recipe.get("epochs") == theirs.epochs
        and (recipe.get("schedule") or {}).get("kind") == theirs.schedule
        and recipe.get("stop_after") is None
        and _ratio(question, record) == theirs.imbalance
        and question.one_teacher in (None, one_teacher(record))
    )


def one_teacher(record: Record) -> bool:
    """Whether all its students learn from one teacher; else each seed has its own."""
    about = record.about
    named = about.settings.get("fixed_teacher")
    return teaching_at(about.profile, about.dataset).fixed_teacher if named is None else bool(named)


def _ratio(question: Question, record: Record) -> float | None:
    """Balanced data are ratio 1; a long tail has the ratio that the record compares methods at."""
    assert question.setting is not None
    return 1.0 if question.setting.imbalance == 1 else record.about.imbalance


@lru_cache(maxsize=1024)
def _at_ratio(record: Record, ratio: float | None) -> pd.DataFrame:
    """The record's rows at one imbalance; kept, since many questions ask for the same."""
    table = record.table[record.table["imbalance"] == ratio]
    return table.assign(method=table["method"].str.replace(_DEPTHS, SMALLER, regex=True))


@lru_cache(maxsize=8192)
def _by_seed(record: Record, ratio: float | None, method: str) -> pd.DataFrame:
    return _one_a_seed(_at_ratio(record, ratio), method, record)


def _columns(measure: Measure | None, record: Record) -> list[str] | None:
    """The record's column that is measured, and the one that is taken from it, if any."""
    if measure is None:
        return None
    num_classes = SHAPES[record.about.dataset].num_classes
    worst = f"worst_{max(1, round(measure.share * num_classes))}"
    needed = [worst if measure.column == "worst" else measure.column]
    needed += [worst] if measure.less_worst else []
    return needed if set(needed) <= set(record.table.columns) else None


def _value(rows: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    first, *less = (rows[name] for name in columns)
    return first - less[0] if less else first


def _over_seeds(question: Question, record: Record, found: Sequence[pd.DataFrame]) -> Answered:
    same = papers_setting(question, record)
    rows = found[0]
    if len(found) == 1:
        return _measured(rows["value"], rows["status"] == DIVERGED, same), float("nan")
    rows, base = rows.align(found[1], join="inner", axis=0)
    diverged = (rows["status"] == DIVERGED) | (base["status"] == DIVERGED)
    differences = rows["value"] - base["value"]
    measured = _measured(differences, diverged, same)
    return measured, paired_p_value(differences.to_numpy()) if len(differences) else float("nan")


def _measured(values: pd.Series, diverged: pd.Series, same: bool) -> Measured:
    if values.empty:
        return Measured(papers_setting=same)
    count = int(diverged.sum())
    interval = t_interval(values.to_numpy())
    return Measured(interval.mean, interval.low, interval.high, interval.n, count, same)


def _one_a_seed(table: pd.DataFrame, method: str, record: Record) -> pd.DataFrame:
    """The method's rows by seed, at the temperature that its paper's protocol chooses.

    A teacher that all seeds share is one training, so it counts once.
    """
    rows = _at_chosen_temperature(table[table["method"] == method])
    rows = (rows.drop_duplicates("run") if "run" in rows else rows).set_index("seed")
    if rows.index.has_duplicates:
        raise RecordError(f"record {record.name} holds several rows of {method} for one seed")
    return rows


def _at_chosen_temperature(rows: pd.DataFrame) -> pd.DataFrame:
    """Those of the temperature that is chosen, among seeds that have all of them.

    A record of finished runs may lack some temperatures of its last seed.
    """
    kinds = rows.groupby(chosen_settings(rows), dropna=False).ngroup()
    if kinds.nunique() == 1:
        return rows
    trained = kinds.groupby(rows["seed"]).transform("nunique")
    whole = rows[trained == kinds.nunique()]
    return at_chosen(whole, choose_temperature(whole)) if len(whole) else whole
