"""From a record to the one number, with its interval, that a question asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from kdbook.records import DIVERGED, Record, RecordError
from kdbook.reproduction.levels import ratio
from kdbook.reproduction.mapping import Measure
from kdbook.reproduction.questions import Question
from kdbook.selection import at_chosen, choose_temperature, chosen_settings
from kdlib.runs.shapes import SHAPES

NO_RATIO = "the record holds no such imbalance"
NO_METHOD = "the record holds no such method"
NO_MEASURE = "the record holds no such measure"
SMALLER = "smaller student: "
"""Stands for the two depths in the name of a compressed cell, which differ with the scale."""
Only = tuple[tuple[str, str], ...]
_DEPTHS = r"^\d+ to \d+: "
_ZERO = 1e-9


@dataclass(frozen=True, eq=False)
class Found:
    """What a record holds of a question.

    Attributes:
        values: one per seed, ``[n]``: accuracies in percent, or differences within the seed.
        diverged: in how many of the seeds a training diverged.
        on_floor: whether all accuracies behind them are 0.
    """

    values: np.ndarray
    diverged: int
    on_floor: bool


def answer(question: Question, record: Record) -> Found | str:
    """What the record says to the question, or why it says nothing."""
    asked = [question.method, *([question.baseline] if question.baseline else [])]
    of = _of_group if "group" in record.table else _of_classes
    found = of(question, record, asked)
    return found if isinstance(found, str) else _over_seeds(found)


def _of_classes(
    question: Question, record: Record, asked: Sequence[str]
) -> list[pd.DataFrame] | str:
    """Rows by seed of each method that is asked for, with the measure as ``value``."""
    at, setting = ratio(question, record), question.setting
    only_balanced = at == 1 and (setting is None or setting.imbalance != 1)
    if only_balanced or _at_ratio(record, at, question.only).empty:
        return NO_RATIO
    columns = _columns(question.measure, record)
    if columns is None:
        return NO_MEASURE
    if not set(asked) <= set(_at_ratio(record, at, question.only)["method"]):
        return NO_METHOD
    rows = (_by_seed(record, at, question.only, method) for method in asked)
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


@lru_cache(maxsize=1024)
def _at_ratio(record: Record, at: float | None, only: Only) -> pd.DataFrame:
    """The record's rows at one imbalance; kept, since many questions ask for the same."""
    table = record.table[record.table["imbalance"] == at]
    for column, value in only:
        table = table[table[column] == value] if column in table else table.iloc[:0]
    return table.assign(method=table["method"].str.replace(_DEPTHS, SMALLER, regex=True))


@lru_cache(maxsize=8192)
def _by_seed(record: Record, at: float | None, only: Only, method: str) -> pd.DataFrame:
    return _one_a_seed(_at_ratio(record, at, only), method, record)


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


def _over_seeds(found: Sequence[pd.DataFrame]) -> Found:
    """The values, or their differences within a seed."""
    if len(found) == 1:
        return _found(found[0]["value"], found[0]["status"] == DIVERGED, found)
    rows, base = found[0].align(found[1], join="inner", axis=0)
    diverged = (rows["status"] == DIVERGED) | (base["status"] == DIVERGED)
    return _found(rows["value"] - base["value"], diverged, (rows, base))


def _found(values: pd.Series, diverged: pd.Series, behind: Sequence[pd.DataFrame]) -> Found:
    zero = [bool((rows["value"].abs() < _ZERO).all()) for rows in behind]
    return Found(values.to_numpy(dtype=float), int(diverged.sum()), len(values) > 0 and all(zero))


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
