"""What the offset explorer shows: costs, Lemma 1's student and the trained ones."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kdbook import compare
from kdbook.chapters.adamargin.findings import GRID, POWERS, Findings

_LOG = dict(zip(POWERS, GRID, strict=True))


def explorer(found: Findings) -> dict[str, pd.DataFrame]:
    """The three frames of ``charts.offset_explorer``."""
    costs = _averaged(found, found.costs, "log_cost")
    shares = _averaged(found, found.lemma, "share")["share"]
    return {
        "classes": costs.assign(share=shares),
        "accuracy": _accuracies(found),
        "notes": _notes(found),
    }


def _averaged(found: Findings, table: pd.DataFrame, column: str) -> pd.DataFrame:
    rows = table.assign(log_offset=table["offset"].map(_LOG))
    means = rows.groupby(["log_offset", "label"])[column].mean().reset_index()
    return means.assign(class_name=means["label"].map(found.study.class_tags))


def _accuracies(found: Findings) -> pd.DataFrame:
    at = {name: np.log10(offset) for offset, name in found.names.items()}
    table = found.study.class_table
    known = table[table["method"].isin([*at, "one-hot", "distilled"])]
    curves = compare.with_intervals(known, "accuracy", ["method", "label"])
    curves = curves.assign(log_offset=curves["method"].map(at))
    curves["method"] = curves["method"].where(curves["log_offset"].isna(), "AdaMargin, trained")
    best = compare.with_intervals(found.lemma, "accuracy", ["offset", "label"])
    best = best.assign(method="Lemma 1", log_offset=best["offset"].map(_LOG))
    both = pd.concat([curves, best])
    return both.assign(class_name=both["label"].map(found.study.class_tags))


def _notes(found: Findings) -> pd.DataFrame:
    means = found.pressure(POWERS).groupby("offset")[["ratio", "spread", "gradient"]].mean()
    lines = [
        f"offset {o:.2g}\nweights up to {r.ratio:,.0f}\n"
        f"log-costs {r.spread:.1f} nats apart\nat the start: gradient {r.gradient:.2f}"
        for o, r in means.iterrows()
    ]
    return pd.DataFrame({"log_offset": [_LOG[o] for o in means.index], "text": lines})
