"""The tables of the page, in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from IPython.display import Markdown
from pandas.io.formats.style import Styler

from kdbook import compare
from kdbook.chapters.groups_that_are_not_classes import changes, printed_groups
from kdbook.chapters.groups_that_are_not_classes.findings import Findings
from kdbook.records import find_record
from kdbook.tables import shown, unbroken
from kdbook.trained_where import said_of
from kdlib import metrics
from kdlib.data.adult import load_adult

WEIGHTS = {"none": "no class weights", "teacher": "a balanced teacher", "both": "all balanced"}


def why_table(found: Findings) -> Styler:
    """How often a method is undecided, and how many 1s it predicts at every threshold."""
    scored, seen = found.scored, dict.fromkeys((*found.thresholds, 0.5))
    middle = {m: ((s > 0.05) & (s < 0.95)).mean() for m, s in scored.scores.items()}
    rates = {
        f"predicted 1 at {t:g}": {m: scored.positive_rate(m, t).mean() for m in middle}
        for t in seen
    }
    table = 100 * pd.DataFrame({"score between 0.05 and 0.95": middle, **rates})
    return shown(table.rename_axis("method"), "Share of the test people, in percent.")


def equal_table(found: Findings) -> Styler:
    """What is left of the change when both students predict as many 1s."""
    rows = found.at_equal_rates()
    cells = {"people": rows["people"], "change": rows.apply(compare.signed, axis=1)}
    table = pd.DataFrame(cells).set_index(rows["group"])
    return shown(table, "Change at equal rates of predicted 1s, in points with 95 % intervals.")


def sizes_table() -> Styler:
    """Test people in each group."""
    groups = load_adult().test.groups
    sizes = groups.value_counts().unstack("race", fill_value=0).sort_index()
    return shown(sizes, "Test people in each group.")


def recipes_table(near: pd.DataFrame) -> Styler:
    """Every recipe beside the five printed numbers; ``near`` is of ``distance_to_paper``."""
    names = [_recipe(row) for row in near.itertuples()]
    table = near[["threshold", *printed_groups.OVERALL, "off"]].set_axis(names)
    printed = printed_groups.printed_overall().to_frame("the paper").T
    table = pd.concat([printed, table]).rename_axis("recipe")
    table["threshold"] = ["" if pd.isna(t) else f"{t:g}" for t in table["threshold"]]
    table["off"] = ["" if pd.isna(off) else f"{off:.1f}" for off in table["off"]]
    columns = ["threshold", *printed_groups.OVERALL, "off"]
    return shown(
        table[columns],
        "Balanced accuracy in percent, change of each label in points, mean distance from the "
        "paper.",
    )


def _recipe(row: Any) -> str:
    dropped = ", unknown dropped" if row.missing == "drop" else ""
    return f"{row.encoding} codes, {WEIGHTS[row.class_weight]}{dropped}"


def signs_table(tried: pd.DataFrame) -> Styler:
    """In how many recipes each label gains or loses clearly; ``tried`` is of ``recipes``."""
    by = ["encoding", "missing", "class_weight", "threshold"]
    counts = {}
    for label in ("label 0", "label 1"):
        groups = tried.groupby(by)[label]
        ways = [compare.verdict(compare.mean_over_seeds(values)) for _, values in groups]
        counts[label] = {way: ways.count(way) for way in ("up", "undecided", "down")}
    table = pd.DataFrame(counts).T.rename_axis("change of")
    return shown(table, "Recipes by the sign of the change, with an interval over seeds.")


def table_7(found: Findings) -> Styler:
    """Table 7 beside ours at every threshold, with the verdicts."""
    paper = printed_groups.printed_changes("Table 7").set_index("group")
    columns = {f"ours at {t:g}": _judged(found, t) for t in found.thresholds}
    printed = paper["printed"].map("{:+.3f}".format)
    table = pd.DataFrame({"people": paper["people"], "paper": printed, **columns})
    return shown(unbroken(table), "Table 7: change in points, with 95 % intervals.")


def _judged(found: Findings, threshold: float) -> pd.Series:
    rows = found.beside("Table 7", threshold)
    signs = found.study.beside_paper(rows, rows["printed"].to_list())
    words = [f"{cell}: {sign}" for cell, sign in zip(rows["cell"], signs, strict=True)]
    return pd.Series(words, rows["group"])


def balanced_table(found: Findings) -> Styler:
    """Balanced accuracies at every threshold."""
    rows = found.study.compute().query("group == 'balanced'")
    means = compare.with_intervals(rows, "value", ["threshold", "method"], metrics.PERCENT)
    table = means.pivot(index="method", columns="threshold", values="mean")
    table.columns = [f"threshold {t:g}" for t in table.columns]
    order = ["teacher", "one-hot", "distilled"]
    return shown(table.loc[order], "Balanced accuracy in percent, mean over seeds.")


def least_table(found: Findings) -> Styler:
    """Table 8 read as people, with the best case of a sign test."""
    rows = found.eight
    table = pd.DataFrame(
        {
            "people": rows["people"],
            "printed": rows["printed"].map("{:+.3f}".format),
            "net people": rows["moved"].map("{:+d}".format),
            "least p": rows["least_p"].map(compare.p_said),
            "least p, Holm": rows["least_holm"].map(compare.p_said),
        }
    ).set_index(rows["group"])
    return shown(
        table, "Table 8 read backwards: printed change in points, and the people behind it."
    )


def table_8(found: Findings) -> Styler:
    """Table 8 beside ours at the first threshold."""
    rows = found.eight
    table = pd.DataFrame(
        {
            "people": rows["people"],
            "paper": rows["printed"].map("{:+.3f}".format),
            "ours": rows["cell"],
            "p, Holm over 20": [
                "no interval" if np.isnan(p) else compare.p_said(holm)
                for p, holm in zip(rows["p"], rows["holm"], strict=True)
            ],
        }
    ).set_index(rows["group"])
    return shown(
        table, f"Change in points at threshold {found.thresholds[0]:g}, over people and seeds."
    )


def small_table(found: Findings) -> Styler:
    """Net people won in the smallest groups: the paper, the range of the seeds, three seeds."""
    rows = found.eight.sort_values("people", kind="stable").set_index("group")
    names = {"people": "people", "moved": "paper", "fewest": "fewest", "most": "most"}
    table = rows[list(names)].rename(columns=names)
    seeds = range(min(3, found.study.scale_of().seeds))
    return shown(
        table.assign(**{f"seed {s}": _net(found, s) for s in seeds}).head(8),
        "Net people won: the paper's pair of students, our fewest and most, and three single "
        "seeds.",
    )


def _net(found: Findings, seed: int) -> pd.Series:
    rows = changes.one_seed(found.judged, changes.RACES, seed).set_index("group")
    return rows["gained"] - rows["lost"]


def fitted_where(found: Findings) -> Markdown:
    """Which forests the page fits, and when and where those of the records were fitted."""
    seeds, name = found.study.scale_of().seeds, found.study.name
    kept = [find_record(name, profile) for profile in ("quick", "paper")]
    told = [
        said_of(one.about, f"{len(one.about.seeds)} seeds of {one.about.model}")
        for one in kept
        if one
    ]
    return Markdown(
        f"*No network is trained. This page fits {3 * seeds} models, a forest and two trees for "
        f"each of {seeds} seeds, where it runs, unless the store there holds them already. "
        f"Recorded too: {'; '.join(told) or 'nothing'}.*"
    )


def recorded_table() -> Any:
    """What is recorded at the paper's scale, or how to record it."""
    rows = changes.recorded()
    if isinstance(rows, str):
        return rows
    table = rows.rename(columns=lambda t: t if t == "seeds" else f"threshold {t:g}")
    return shown(table, "Change in points with 95 % intervals over seeds; teachers of 500 trees.")
