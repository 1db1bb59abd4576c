"""Table 9 of Teacher's pet, and ours beside it."""

from __future__ import annotations

import pandas as pd
from pandas.io.formats.style import Styler

from kdbook import compare
from kdbook.chapters.repeated_distillation import against
from kdbook.chapters.repeated_distillation.findings import HEADS, PRINTED, Findings
from kdbook.published import printed_grid
from kdbook.tables import shown, unbroken


def printed(found: Findings) -> pd.DataFrame:
    """Table 9: a row per round, a column per measure."""
    rows = found.study.published(table="Table 9")
    return printed_grid(rows, PRINTED, HEADS)


def printed_table(found: Findings) -> Styler:
    """The same as a page shows it."""
    table = printed(found).rename_axis("round").map("{:.2f}".format)
    return shown(table, "Table 9: CIFAR-100-LT, accuracies in percent. Δ10 is mean minus worst 10.")


def beside_table(found: Findings) -> Styler:
    """The third round, or the last, minus one-hot: theirs and ours."""
    gaps, third = found.gaps, min(3, found.last)
    table = printed(found).to_dict("index")
    keys = {"mean": "mean", found.worst: "worst 10", "delta": "Δ10"}
    alpha = found.study.settings.alpha
    chains = [c for c in gaps["mean"]["chain"].unique() if "α" not in c or alpha != 1]
    rows = []
    for chain in chains:
        for key, head in keys.items():
            ours = gaps[key].set_index(["chain", "round"]).loc[chain, third]
            paper = table[f"{third}×"][head] - table["one-hot"][head]
            (sign,) = found.study.beside_paper([ours], [paper])
            rows.append((chain, found.names[key], f"{paper:+.2f}", compare.signed(ours), sign))
    heads = ["chain", "measure", "paper", "ours", "sign"]
    return shown(unbroken(pd.DataFrame(rows, columns=heads)), _caption(found, third))


def _caption(found: Findings, third: int) -> str:
    used, ratio = found.study.profile, found.study.members()[0].imbalance
    return (
        f"Round {third} minus one-hot, percentage points. Paper: CIFAR-100-LT, ratio 100, worst "
        "10 of 100; the appendix does not name the network, ResNet-56 in the body. Ours: "
        f"{used.dataset}, ratio {ratio:g}, {used.model.title}, "
        f"{found.summary['seed'].nunique()} seeds. Signs can be compared, sizes cannot."
    )


def mean_said(found: Findings) -> str:
    """Whether the mean falls below the one-hot student's, theirs and ours."""
    ends = sorted({min(3, found.last), found.last})
    table = printed(found)["mean"]
    here = " and ".join(_falls_by(found, number) for number in ends)
    return (
        f"Does the mean fall below the one-hot student's (95 % intervals)? Here {here}; in Table "
        f"9 it goes from {table['one-hot']:.2f} to {table['3×']:.2f} in three rounds."
    )


def _falls_by(found: Findings, number: int) -> str:
    rows = against(found.summary.drop(columns="chain"), "mean")
    rows = compare.with_intervals(rows[rows["round"] == number], "difference", ["chain"])
    return f"in {(rows['high'] < 0).sum()} of {len(rows)} chains by round {number}"
