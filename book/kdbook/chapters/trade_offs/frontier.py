"""Tables of the grid of trade-offs: its cells, frontier, slopes, and what a selection picks.

The rows are those of ``kdbook.chapters.trade_offs.per_seed``, or of a record of that study.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from kdbook.chapters.trade_offs import STANDARD
from kdbook.compare import with_holm, with_intervals
from kdlib.metrics import pareto_frontier

AVERAGE, WORST = "mean", "worst_1"
"""Columns of test accuracy: of the classes on average, and of the worst of them."""

CELL = ["alpha_t", "alpha_s", "temperature"]
RULES = ("worst class", "worst class, average kept")
"""The best worst class; and the same among the cells whose average is no lower than that of
standard distillation, as for main Table 2 of "Robust distillation"."""

_DECIMALS = 4
"""Ties are common with few images per class; beyond this lies the noise of floating point."""

_ON = {"validation": ("select_worst", "select_mean"), "test": (WORST, AVERAGE)}


def grid(per_seed: pd.DataFrame) -> pd.DataFrame:
    """The students of the grid, with numbers in ``alpha_t`` and ``alpha_s``; none that diverged."""
    words = ~per_seed["alpha_t"].eq("std") & ~per_seed["alpha_s"].eq("none")
    cells = per_seed[words & per_seed[AVERAGE].notna()]
    numbers = {name: cells[name].astype(float) for name in ("alpha_t", "alpha_s")}
    return cells.assign(**numbers).reset_index(drop=True)


def cells(rows: pd.DataFrame) -> pd.DataFrame:
    """Mean and 95 % interval of both measures over seeds, one row per cell.

    Args:
        rows: as ``grid`` gives them.

    Returns:
        Columns: ``CELL``, mean, worst, each with ``_low`` and ``_high`` (percent), seeds, frontier
        (whether no cell is better in one mean and no worse in the other).
    """
    average, worst = (with_intervals(rows, name, CELL) for name in (AVERAGE, WORST))
    found = average[[*CELL, "seeds"]].copy()
    for name, part in (("mean", average), ("worst", worst)):
        found[[name, f"{name}_low", f"{name}_high"]] = part[["mean", "low", "high"]]
    return found.assign(frontier=pareto_frontier(found[["mean", "worst"]].round(_DECIMALS)))


def frontier_shares(rows: pd.DataFrame, below: float = 1.0) -> pd.DataFrame:
    """How much of each seed's own frontier has teachers with ``alpha_t`` below ``below``.

    Returns:
        One row per seed: seed, points (on the frontier), share (0 to 1), of_grid (the share of all
        cells that have such teachers).
    """
    found = []
    for seed, cells_ in rows.groupby("seed"):
        on = cells_[pareto_frontier(cells_[[AVERAGE, WORST]].round(_DECIMALS))]
        shares = [float((part["alpha_t"] < below).mean()) for part in (on, cells_)]
        found.append({"seed": seed, "points": len(on), "share": shares[0], "of_grid": shares[1]})
    return pd.DataFrame(found)


def slope(alphas: Any, values: Any) -> float:
    """Least squares: points that ``values`` change while alpha goes from 0 to 1."""
    x = np.asarray(alphas, dtype=float) - np.mean(alphas)
    return float(x @ np.asarray(values, dtype=float) / (x @ x))


def slopes(rows: pd.DataFrame, measures: Mapping[str, str]) -> pd.DataFrame:
    """How the measures change with either alpha, the other one averaged over.

    In each seed one slope over all cells. A grid crosses both alphas, so neither slope hides the
    other's.

    Args:
        rows: as ``grid`` gives them.
        measures: from columns of ``rows`` to words.

    Returns:
        As ``kdbook.compare.with_holm`` by measure and alpha: mean, low, high (percentage
        points from alpha = 0 to 1), seeds, p, p_holm (over all rows).
    """
    found = [
        {"measure": words, "alpha": alpha, "seed": seed,
         "difference": slope(cells_[alpha], cells_[column])}
        for column, words in measures.items()
        for alpha in ("alpha_s", "alpha_t")
        for seed, cells_ in rows.groupby("seed")
    ]  # fmt: skip
    return with_holm(pd.DataFrame(found), ["measure", "alpha"])


def choose(cells_: pd.DataFrame, split: str, rule: str, reference: float) -> pd.Series:
    """One cell, by one split and rule.

    Of equally bad worst classes the higher average is taken, then the smaller alphas. Where no cell
    keeps the reference average, the one with the highest average is taken.

    Args:
        cells_: one row per cell, e.g. one seed of ``grid``.
        split: ``validation`` or ``test``.
        rule: one of ``RULES``.
        reference: average of standard distillation on that split, in percent.
    """
    worst, average = _ON[split]
    known = cells_.round({worst: _DECIMALS, average: _DECIMALS})
    allowed = known
    if rule == RULES[1]:
        kept = known[known[average] >= round(reference, _DECIMALS)]
        allowed = known[known[average] == known[average].max()] if kept.empty else kept
    ranked = allowed.sort_values(
        [worst, average, "alpha_s", "alpha_t"], ascending=[False, False, True, True]
    )
    return cells_.loc[ranked.index[0]]


def selections(per_seed: pd.DataFrame) -> pd.DataFrame:
    """What each seed selects by each rule, on validation images and on test images.

    Args:
        per_seed: of the study, with the rows of ``STANDARD``.

    Returns:
        One row per rule, split and seed: rule, split, seed, ``CELL``, mean, worst_1 (test accuracy
        of the selected cell, percent), select_mean and select_worst.
    """
    standard = per_seed[per_seed["method"] == STANDARD].groupby("seed")
    reference = {split: standard[average].max().to_dict() for split, (_, average) in _ON.items()}
    found = [
        choose(cells_, split, rule, reference[split][seed])
        for rule in RULES
        for split in _ON
        for seed, cells_ in grid(per_seed).groupby("seed")
    ]
    keys = [(rule, split) for rule in RULES for split in _ON]
    count = len(found) // len(keys)
    table = pd.DataFrame(found).reset_index(drop=True)
    names = pd.DataFrame([key for key in keys for _ in range(count)], columns=["rule", "split"])
    kept = ["seed", *CELL, AVERAGE, WORST, "select_mean", "select_worst"]
    return pd.concat([names, table[kept]], axis=1)


def optimism(chosen: pd.DataFrame) -> pd.DataFrame:
    """What selecting on test images adds: selected by test minus selected by validation.

    Args:
        chosen: as ``selections`` gives it.

    Returns:
        One row per rule: rule, mean, low, high (points of the worst class on test), seeds, other
        (in how many seeds the two selected cells differ).
    """
    test, honest = (
        chosen[chosen["split"] == name].reset_index() for name in ("test", "validation")
    )
    gaps = test.assign(difference=test[WORST] - honest[WORST])
    rows = with_intervals(gaps, "difference", ["rule"])
    differ = (test[CELL] != honest[CELL]).any(axis=1)
    return rows.assign(other=differ.groupby(test["rule"], sort=False).sum().to_numpy())


def gains(per_seed: pd.DataFrame, chosen: pd.DataFrame) -> pd.DataFrame:
    """The cells selected on validation minus standard distillation, within seeds, on test images.

    Returns:
        As ``kdbook.compare.with_holm`` by rule and measure.
    """
    standard = per_seed[per_seed["method"] == STANDARD].groupby("seed")[[AVERAGE, WORST]].max()
    honest = chosen[chosen["split"] == "validation"]
    rows = [
        {"rule": row["rule"], "measure": name, "seed": row["seed"],
         "difference": row[name] - standard.loc[row["seed"], name]}
        for _, row in honest.iterrows()
        for name in (WORST, AVERAGE)
    ]  # fmt: skip
    return with_holm(pd.DataFrame(rows), ["rule", "measure"])
