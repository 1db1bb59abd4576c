"""The 150 points of supplementary Figure 1 of "Robust distillation", and where Table 2's lie.

The figure prints no numbers: they were measured from its vector marks. The colour of a mark gives
alpha_s; alpha_t follows from the order in which the marks are drawn.
"""

from __future__ import annotations

from functools import cache

import pandas as pd

from kdbook.chapters.trade_offs.frontier import slope
from kdbook.published import published
from kdlib.metrics import pareto_frontier

PAPER = "robust_distillation"
FIGURE = "Supp Figure 1"
SETS = (
    "cifar10", "cifar10_lt", "cifar100", "cifar100_lt", "tinyimagenet", "tinyimagenet_lt",
)  # fmt: skip
"""The figure's data sets, in its order."""
LABELLED = {
    "cifar10": (0.25, 0.0),
    "cifar10_lt": (0.25, 0.5),
    "cifar100": (1.0, 0.0),
    "cifar100_lt": (0.75, 0.5),
    "tinyimagenet": (0.25, 0.0),
    "tinyimagenet_lt": (1.0, 0.75),
}
"""(alpha_t, alpha_s) that the figure prints beside the point that it calls selected."""

_KEYS = [
    "table", "dataset", "teacher", "student", "method", "teacher_objective", "student_objective",
    "validation_labels", "alpha_t", "alpha_s", "note",
]  # fmt: skip
_IN_TENS = "tinyimagenet_lt"
_SAME = 0.011
"""Two numbers printed or read with two decimals are taken for one where they differ by less."""


def grid() -> pd.DataFrame:
    """The figure's points: dataset, alpha_t, alpha_s, mean, worst (percent), frontier.

    ``worst`` is the worst class, on TinyImageNet-LT the ten worst.
    """
    rows = _pairs(FIGURE, "traded_off")[["dataset", "alpha_t", "alpha_s", "mean", "worst"]]
    marks = [
        pd.Series(pareto_frontier(panel[["mean", "worst"]]), panel.index)
        for _, panel in rows.groupby("dataset", sort=False)
    ]
    return rows.assign(frontier=pd.concat(marks))


def standard() -> pd.DataFrame:
    """The figure's points of standard distillation: dataset, mean, worst (percent)."""
    return _pairs(FIGURE, "distillation")[["dataset", "mean", "worst"]]


def selected() -> pd.DataFrame:
    """Main Table 2's selected points, beside the figure's label and the rows that hold them.

    Returns:
        One row per data set: dataset, mean, worst (of Table 2), labelled (the figure's label),
        there (what the figure shows at that label, as text), found (where this pair of numbers
        stands elsewhere in the paper, or ``nowhere``).
    """
    rows = _pairs("Table 2", "selected_alphas")[["dataset", "mean", "worst"]]
    points = {(p["dataset"], p["alpha_t"], p["alpha_s"]): p for _, p in grid().iterrows()}
    labels = [LABELLED[name] for name in rows["dataset"]]
    at = [points[name, *label] for name, label in zip(rows["dataset"], labels, strict=True)]
    return rows.assign(
        labelled=[f"({t:g}, {s:g})" for t, s in labels],
        there=[f"{point['mean']:.2f} / {point['worst']:.2f}" for point in at],
        found=[_where(row) for _, row in rows.iterrows()],
    )


def slopes() -> pd.DataFrame:
    """Least-squares slopes over the 25 cells of each panel: dataset, alpha, mean, worst.

    In points from alpha = 0 to 1. One number per cell is printed, so there is no interval.
    """
    found = [
        {"dataset": name, "alpha": alpha,
         **{measure: slope(panel[alpha], panel[measure]) for measure in ("mean", "worst")}}
        for name, panel in grid().groupby("dataset", sort=False)
        for alpha in ("alpha_s", "alpha_t")
    ]  # fmt: skip
    return pd.DataFrame(found)


def frontiers() -> pd.DataFrame:
    """How many points each panel's frontier has, and how many of them have alpha_t below 1."""
    on = grid().query("frontier")
    below = on["alpha_t"].lt(1).groupby(on["dataset"], sort=False)
    return pd.DataFrame({"points": below.size(), "alpha_t < 1": below.sum()}).reset_index()


@cache
def _all_pairs() -> pd.DataFrame:
    """Average and worst class (or ten worst) that stand in one place of the paper, side by side."""
    rows = published(paper=PAPER)
    rows = rows.assign(worst=rows["value"], mean=rows["value"])
    rows["note"] = rows["note"].str.replace(r"(; )?bold in print", "", regex=True).fillna("")
    by_metric = {name: part.drop_duplicates(_KEYS) for name, part in rows.groupby("metric")}
    averages, few = by_metric["mean_accuracy"].drop(columns="worst"), by_metric["worst_10"]
    one = by_metric["worst_1"]
    worst = pd.concat([one[one["dataset"] != _IN_TENS], few[few["dataset"] == _IN_TENS]])
    return averages.merge(worst[[*_KEYS, "worst"]], on=_KEYS)


def _pairs(table: str, method: str) -> pd.DataFrame:
    pairs = _all_pairs()
    rows = pairs[(pairs["table"] == table) & (pairs["method"] == method)]
    order = rows["dataset"].map(SETS.index)
    return rows.iloc[order.argsort(kind="stable")].reset_index(drop=True)


def _where(row: pd.Series) -> str:
    pairs = _all_pairs()
    same = (pairs[["mean", "worst"]] - row[["mean", "worst"]].astype(float)).abs().lt(_SAME)
    hits = pairs[same.all(axis=1) & (pairs["dataset"] == row["dataset"])]
    hits = hits[hits["method"] != "selected_alphas"]
    return "; ".join(dict.fromkeys(_place(hit) for _, hit in hits.iterrows())) or "nowhere"


def _place(row: pd.Series) -> str:
    if row["method"] == "traded_off" and pd.notna(row["alpha_t"]):
        return f"{row['table']} at ({row['alpha_t']:g}, {row['alpha_s']:g})"
    labels = "" if pd.isna(row["validation_labels"]) else f", {row['validation_labels']} labels"
    return f"{row['table']}: {row['teacher_objective']} / {row['student_objective']}{labels}"
