"""What the printed digits of Tables 1, 2, 3 and 6 give away, without any image."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

from kdbook import compare
from kdbook.chapters.natural_long_tails.tails import counts_behind
from kdbook.published import DATASETS, printed_grid, published
from kdbook.tables import shown
from kdlib import metrics

METHODS = {
    "one_hot": "one-hot", "distillation": "distilled", "ada_margin": "AdaMargin",
    "ada_alpha": "AdaAlpha",
}  # fmt: skip
COLUMNS = {
    "mean_accuracy": "mean", "worst_20": "worst 20", "top_20pct": "top 20 %", "delta_20": "Δ20",
}  # fmt: skip
IMAGES = {"mean": 300, "worst 20": 60, "top 20 %": 60}
"""Test images behind each column, if 100 species have three each."""
SETS = {name: DATASETS[name] for name in ("imagenet", "imagenet_lt")}
WORDS = {
    "mean_accuracy": "mean", "worst_1": "worst class", "worst_10": "worst 10",
    "worst_100": "worst 100",
}  # fmt: skip
DELTAS = {"delta_mean_accuracy": "mean", "delta_worst_10": "worst 10", "delta_worst_k": "worst, k?"}


def table_6() -> pd.DataFrame:
    """Table 6 in percent, a row per method."""
    rows = published(paper="teachers_pet", table="Table 6")
    return printed_grid(rows, METHODS, COLUMNS)


def right_answers() -> pd.DataFrame:
    """Table 6 as whole numbers of right answers among ``IMAGES``."""
    table = table_6()
    counts = {name: table[name] * n / 100 for name, n in IMAGES.items()}
    return pd.DataFrame(counts).round().astype(int)


def best_cases() -> pd.DataFrame:
    """Images gained on one-hot, and the smallest p-value of a sign test, a row per method."""
    right = right_answers()["mean"]
    gains = (right - right["one-hot"]).drop("one-hot")
    least = [metrics.sign_test(max(n, 0), max(-n, 0)) for n in gains]
    return pd.DataFrame({"gained": gains, "least p": least})


def equal_species(species: int = 100, images: int = 3, draws: int = 10_000) -> pd.DataFrame:
    """What species all as easy as one-hot's mean would print: a row per draw, in percent."""
    p = float(table_6()["mean"]["one-hot"]) / 100
    shares = np.random.default_rng(0).binomial(images, p, size=(draws, species)) / images
    found = {
        "mean": shares.mean(axis=1),
        "worst 20": metrics.worst_k(shares, 20),
        "top 20 %": metrics.top_fraction(shares, 0.2),
        "Δ20": metrics.delta_k(shares, 20),
    }
    return 100 * pd.DataFrame(found)


def luck() -> pd.DataFrame:
    """The 2.5 %, 50 % and 97.5 % quantiles of ``equal_species``: measure, low, median, high."""
    quantiles = equal_species().quantile([0.025, 0.5, 0.975]).T
    return (
        quantiles.set_axis(["low", "median", "high"], axis=1).rename_axis("measure").reset_index()
    )


def headline() -> str:
    """The title of the first figure."""
    floor = float(compare.row_of(luck(), measure="worst 20")["median"])
    best = table_6()["worst 20"].max()
    return (
        f"With three images per species, 100 equal species would print a worst-20 of {floor:.0f} "
        "%; "
        f"the best printed one is {best:.0f} %"
    )


def smallest_counts() -> dict[str, list[int]]:
    """The three smallest numbers of images that fit all printed values of a column."""
    table = table_6()
    return {name: counts_behind(table[name], 1000)[:3] for name in IMAGES}


def no_hit_said() -> str:
    """Why not all species were tested."""
    mean = float(table_6()["mean"]["one-hot"]) / 100
    return (
        f"With all 8,142 species, at least {8142 * (1 - mean) ** 3:.0f} would be expected to "
        "have no "
        "hit, and worst-20 would be printed as 0.00, not as 5.00."
    )


def table_6_shown() -> Styler:
    """Table 6 as printed, and as right answers."""
    right = right_answers().rename(columns={name: f"{name}: of {n}" for name, n in IMAGES.items()})
    table = table_6().map("{:.2f}".format).join(right)
    return shown(table, "Table 6 of Teacher's pet in percent, and as right answers. Not run here.")


def best_case_table() -> Styler:
    """``best_cases`` in words."""
    rows = best_cases()
    cells = {
        "images gained": rows["gained"].map("{:+d}".format),
        "smallest possible p": rows["least p"].map("{:.3f}".format),
    }
    return shown(pd.DataFrame(cells), "Against one-hot, of 300 images.")


def luck_table() -> Styler:
    """``luck`` in words."""
    rows = luck().set_index("measure").set_axis(["2.5 %", "median", "97.5 %"], axis=1)
    return shown(rows, "What 100 equal species with three images each would print, in percent.")


def table_3(dataset: str) -> pd.DataFrame:
    """Table 3 of one of ``SETS``: a row per method, NaN where nothing is printed."""
    rows = published(paper="teachers_pet", table="Table 3", dataset=dataset)
    there = set(rows["metric"])
    return printed_grid(rows, METHODS, {key: name for key, name in WORDS.items() if key in there})


def table_3_shown() -> Styler:
    """Table 3's large sets, and distilled minus one-hot."""
    pieces = {name: _with_gap(table_3(key)) for key, name in SETS.items()}
    return shown(
        pd.concat(pieces, names=["set"]),
        "Table 3 of Teacher's pet, ResNet-50 of ResNet-50, in percent. Not run here.",
    )


def _with_gap(table: pd.DataFrame) -> pd.DataFrame:
    gap = table.loc["distilled"] - table.loc["one-hot"]
    cells = table.map(_cell)
    cells.loc["distilled − one-hot"] = gap.map(lambda v: _cell(v, "+.2f"))
    return cells.rename_axis("method")


def elsewhere_table() -> Styler:
    """Distilled minus one-hot as Tables 1 and 2 and the caption of Figure 1 print it."""
    rows = published(paper="teachers_pet", method="distillation")
    rows = rows[rows["dataset"].isin(list(SETS)) & (rows["student"] == rows["teacher"])]
    rows = rows[rows["metric"].str.startswith("delta") & (rows["table"] != "text")]
    by = ["dataset", "table", "student"]
    wide = rows.pivot_table(index=by, columns="metric", values="value").rename(columns=DELTAS)
    wide = wide.rename_axis(["set", "printed in", "network"])
    wide = wide.rename(SETS, level=0).rename(_network, level=2)
    return shown(wide.map(lambda v: _cell(v, "+.2f")), "Distilled minus one-hot, in points.")


def _network(name: str) -> str:
    return name.replace("resnet", "ResNet-")


def _cell(value: float, form: str = ".2f") -> str:
    return "–" if pd.isna(value) else format(value, form)


def enough(counts: Sequence[int]) -> Styler:
    """The p-value of 55 of 100 wins where one image in ten differs, for numbers of images."""
    rows = {
        f"{n:,}": metrics.sign_test(round(0.055 * n), n // 10 - round(0.055 * n)) for n in counts
    }
    table = pd.DataFrame({"p": pd.Series(rows).map("{:.3f}".format)}).rename_axis("test images")
    return shown(table, "p-value of the expected counts.")
