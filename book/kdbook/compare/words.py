"""Sentences and table cells made from intervals, so that a page says what was measured.

A chapter runs at any profile and any number of seeds. What it says of a direction comes from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from kdbook.compare.intervals import with_intervals
from kdlib.metrics import FEWEST_REPEATS

Row = Mapping[str, Any] | pd.Series
"""``mean``, ``low``, ``high`` (percent or percentage points) and ``seeds``."""


TRAINED = "trained"
"""Column of ``kdbook.records.with_recorded``: ``here`` or ``recorded``."""


def p_said(p: float, unknown: str = "too few seeds") -> str:
    """A p-value in three decimals; ``unknown`` where there is none."""
    if np.isnan(p):
        return unknown
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def verdict(row: Row) -> str:
    """``up`` or ``down`` where the interval leaves out zero, else ``undecided``."""
    if row["low"] > 0:
        return "up"
    return "down" if row["high"] < 0 else "undecided"


def change(row: Row) -> str:
    """A difference in words, e.g. ``falls by 9.5 points (-13.0 to -6.0, 10 seeds)``."""
    mean, seeds = row["mean"], int(row["seeds"])
    if np.isnan(mean):
        return f"has no value: a training diverged in one of {seeds} seeds or more"
    if np.isnan(row["low"]):
        return _without_interval(mean, seeds)
    verb = {"up": "rises", "down": "falls"}.get(verdict(row))
    span = f"{row['low']:+.1f} to {row['high']:+.1f}, {seeds} seeds"
    if verb is None:
        return f"shows no clear change ({mean:+.1f} points, {span})"
    return f"{verb} by {abs(mean):.1f} points ({span})"


def moves(row: Row) -> str:
    """A difference in a headline, e.g. ``gains 3 points``."""
    if verdict(row) == "undecided":
        return "shows no clear change"
    return f"{'gains' if row['mean'] > 0 else 'loses'} {abs(row['mean']):.0f} points"


def moved(row: Row) -> str:
    """The same without its interval, for a sentence that gives another: ``falls by 9.5 points``."""
    return change(row).partition(" (")[0]


def signed(row: Row, digits: int = 1) -> str:
    """A difference as a cell of a table, e.g. ``+8.3 (+1.0 to +15.6)``."""
    return _cell(row, f"+.{digits}f")


def level(row: Row, digits: int = 1) -> str:
    """A level as a cell of a table, e.g. ``91.0 (78.3 to 97.1)`` or ``0.0 (in all 5 seeds)``."""
    return _cell(row, f".{digits}f")


def method_name(method: str, temperature: float) -> str:
    """The method, with its temperature where it listens to a teacher."""
    return method if pd.isna(temperature) else f"{method}, T = {temperature:g}"


def named(table: pd.DataFrame) -> pd.DataFrame:
    """The table with ``method`` and ``temperature`` joined into one column ``method``."""
    pairs = zip(table["method"], table["temperature"], strict=True)
    return table.assign(method=[method_name(*pair) for pair in pairs])


def full_name(table: pd.DataFrame, method: str) -> str:
    """The method as ``named`` has it, where the table holds it at one temperature only."""
    rows = table.loc[table["method"] == method, "temperature"].unique()
    return method_name(method, rows[0]) if len(rows) == 1 else method


def overview(per_seed: pd.DataFrame, measures: Mapping[str, str]) -> pd.DataFrame:
    """One row per method, one column per measure, as text: the mean and its 95 % interval.

    Args:
        per_seed: rows of ``kdbook.tables.per_seed`` at one imbalance ratio.
        measures: from columns of ``per_seed`` to the words that head the columns.
    """
    table, columns = named(per_seed), {}
    for measure, words in measures.items():
        rows = with_intervals(table, measure, ["method"]).set_index("method")
        columns[words] = rows.apply(level, axis=1)
    return pd.DataFrame(columns)


def starred(found: pd.DataFrame) -> pd.DataFrame:
    """One row per comparison, one column per measure, as text; star: significant after correction.

    Args:
        found: as ``kdbook.compare.compare_corrected`` gives it.
    """
    cells = found.assign(cell=found["cell"] + found["holds"].map({True: " *", False: ""}))
    wide = cells.pivot(index="comparison", columns="measure", values="cell")
    in_order = [list(dict.fromkeys(found[name])) for name in ("comparison", "measure")]
    return wide.loc[in_order[0], in_order[1]]


def seeds_told(rows: pd.DataFrame) -> str:
    """Of how many seeds there are runs, and of how many a record of accuracies, as a sentence.

    Args:
        rows: as ``kdbook.records.with_recorded`` gives them.
    """
    total = rows["seed"].nunique()
    here = rows[rows[TRAINED] == "here"]["seed"].nunique()
    if total == here:
        return "1 seed, with all its runs." if here == 1 else f"{here} seeds, all with their runs."
    return (
        f"{total} seeds: of {here} there are the runs, and of {total - here} the record of the "
        "same study has the accuracies. A row of it counts only where its run has the id of a run "
        "of these settings."
    )


def listed(items: Sequence[str]) -> str:
    """Lines of a Markdown list."""
    return "\n".join(f"* {item}" for item in items)


def _without_interval(mean: float, seeds: int) -> str:
    if seeds < FEWEST_REPEATS:
        return f"moves by {mean:+.1f} points, with no interval from so few seeds ({seeds})"
    return f"moves by {mean:+.1f} points in all {seeds} seeds, which shows no spread to judge it by"


def _cell(row: Row, form: str) -> str:
    """The mean with its interval; seeds that are enough for one and have none are all equal."""
    mean, low, high = (format(row[name], form) for name in ("mean", "low", "high"))
    if not np.isnan(row["low"]):
        return f"{mean} ({low} to {high})"
    seeds = row.get("seeds", 0)
    equal = seeds >= FEWEST_REPEATS and not np.isnan(row["mean"])
    return f"{mean} (in all {int(seeds)} seeds)" if equal else mean
