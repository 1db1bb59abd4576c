"""The way that class multipliers went in a training, and whether they collapsed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from kdbook.tables import Member
from kdlib.runs import RunResult

COLLAPSED = 1.5
"""Multipliers of at most so many effective classes have collapsed: one class has nearly all."""


def paths(members: Sequence[Member], results: Sequence[RunResult]) -> pd.DataFrame:
    """One row per move and class of each run whose multipliers moved.

    Columns: the keys of a member, step, label, multiplier (a weight; those of a move sum to 1) and
    error (of the class, before the move, in percent).
    """
    pieces = [
        _rows(result).assign(**member.key())
        for member, result in zip(members, results, strict=True)
        if result.multipliers is not None and len(result.multipliers["steps"])
    ]
    return pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame()


def effective_classes(multipliers: Sequence[float] | np.ndarray) -> float:
    """How many classes share the weight: exp of the entropy, from 1 (one class) to L (even).

    Near 1 the multipliers have collapsed: training hears of one class only.
    """
    weights = np.asarray(multipliers, dtype=float)
    weights = weights / weights.sum()
    return float(np.exp(-np.sum(weights * np.log(np.clip(weights, 1e-300, None)))))


def collapses(rows: pd.DataFrame, by: Sequence[str] = ("method", "seed")) -> pd.DataFrame:
    """How even the multipliers are at each move.

    Args:
        rows: as ``paths`` gives them.
        by: columns that name a run.

    Returns:
        One row per run and move: ``by``, step, ``effective`` (classes, 1 to L), ``log_ratio`` (of
        the largest multiplier to the smallest, in nats), ``collapsed`` (``effective`` at most 1.5).
    """
    groups = rows.groupby([*by, "step"], sort=False)["multiplier"]
    table = groups.agg(effective=effective_classes, log_ratio=_log_ratio).reset_index()
    return table.assign(collapsed=table["effective"] <= COLLAPSED)


def stepper(
    rows: pd.DataFrame, methods: Sequence[str], seeds: int = 2, most: int = 40
) -> pd.DataFrame:
    """The rows that ``kdbook.charts.multiplier_explorer`` shows.

    Args:
        rows: as ``paths`` gives them.
        methods: runs to choose from.
        seeds: how many of the first seeds.
        most: moves of a run to show, evenly spaced with the last among them; all where there are
            no more.

    Returns:
        One row per run, seed, move and class: run, seed, move (from 1, of those shown), step,
        label, multiplier, error.
    """
    kept = rows[rows["method"].isin(methods) & (rows["seed"] < seeds)]
    pieces = [
        _thinned(kept[kept["method"] == name], most).assign(run=name)
        for name in methods
        if name in set(kept["method"])
    ]
    table = pd.concat(pieces, ignore_index=True).round({"multiplier": 4, "error": 1})
    return table[["run", "seed", "move", "step", "label", "multiplier", "error"]]


def _thinned(rows: pd.DataFrame, most: int) -> pd.DataFrame:
    steps = np.sort(rows["step"].unique())
    places = np.unique(np.linspace(len(steps) - 1, 0, min(most, len(steps))).round().astype(int))
    number = {int(steps[place]): move for move, place in enumerate(places, start=1)}
    kept = rows[rows["step"].isin(number)]
    return kept.assign(move=kept["step"].map(number))


def _log_ratio(weights: pd.Series) -> float:
    return float(np.log(weights.max()) - np.log(weights.min()))


def _rows(result: RunResult) -> pd.DataFrame:
    path = result.multipliers
    assert path is not None
    moves, classes = path["errors"].shape
    return pd.DataFrame(
        {
            "step": np.repeat(path["steps"], classes),
            "label": np.tile(np.arange(classes), moves),
            "multiplier": np.exp(path["log_multipliers"].astype(float)).ravel(),
            "error": 100 * path["errors"].astype(float).ravel(),
        }
    )
