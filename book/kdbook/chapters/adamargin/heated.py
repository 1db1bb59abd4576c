"""Where a training diverges: students at higher peak rates."""

from __future__ import annotations

import pandas as pd
from pandas.io.formats.style import Styler

from kdbook.chapters.adamargin import Margins, hot_table
from kdbook.tables import shown


def heated(study: Margins) -> pd.DataFrame:
    """``hot_table`` of the study's students at other rates; trains what the store lacks."""
    hot = study.hot_members()
    rows = hot_table(hot, study.train([member for _, member in hot]))
    return rows.assign(diverged=rows["status"] == "diverged")


def heated_table(rows: pd.DataFrame) -> Styler:
    """The same, a row per rate and method."""
    ends = rows.groupby(["rate", "method"], sort=False)
    table = ends.agg(
        runs=("seed", "size"),
        diverged=("diverged", "sum"),
        first=("diverged_step", "min"),
        loss=("worst", "max"),
        accuracy=("mean", "mean"),
    ).reset_index()
    table["rate"] = table["rate"].map("{:g}".format)
    table["first"] = [f"{step:.0f}" if step == step else "–" for step in table["first"]]
    table["loss"] = table["loss"].map("{:.3g}".format)
    heads = {
        "rate": "peak rate", "first": "first at step", "loss": "largest loss",
        "accuracy": "accuracy (%)",
    }  # fmt: skip
    caption = (
        "First at step: of all seeds, where a loss was not finite; where it is the number of all "
        "steps, a weight or a running variance had overflowed. Largest loss: the highest mean of "
        "an epoch. Accuracy: of those that completed."
    )
    return shown(table.rename(columns=heads), caption)


def heated_said(rows: pd.DataFrame) -> str:
    """How many of each method diverged at each rate."""
    parts = [
        f"at peak rate {rate:g} {', '.join(_counted(one))}" for rate, one in rows.groupby("rate")
    ]
    return f"Diverged: {'; '.join(parts)}."


def _counted(rows: pd.DataFrame) -> list[str]:
    by = rows.groupby("method", sort=False)["diverged"].agg(["sum", "size"])
    return [f"{name} {int(r['sum'])} of {int(r['size'])}" for name, r in by.iterrows()]
