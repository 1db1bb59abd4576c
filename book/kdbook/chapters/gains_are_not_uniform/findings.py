"""Who gains and who loses, in sentences and tables that follow from the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from kdbook import compare, tables
from kdbook.chapters import gains_are_not_uniform as room
from kdbook.chapters.gains_are_not_uniform import orders

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

    from kdbook.chapters.gains_are_not_uniform import GainsAreNotUniform

TEACHERS = {"distilled": "trained to the end", "distilled (stopped)": "early-stopped"}
"""The two taught students, by the training of their teachers."""
HONEST, PAPERS = "one-hot, validation", "one-hot, test"


def curves(gains: pd.DataFrame) -> pd.DataFrame:
    """The cumulative gain of every candidate and order, with intervals over seeds."""
    return compare.with_intervals(gains, "gain", ["candidate", "order", "k"])


def both_orders(curves: pd.DataFrame) -> pd.DataFrame:
    """The distilled student's curve with either half of the held-out images as the chooser."""
    rows = curves[(curves["candidate"] == "distilled") & curves["order"].isin([PAPERS, HONEST])]
    names = {PAPERS: "chosen on test", HONEST: "chosen on validation"}
    return rows.assign(method=rows["order"].map(names))


def at(rows: pd.DataFrame, k: int, order: str | None = None) -> pd.Series:
    """The row at k, of one order where there are several."""
    own = rows if order is None else rows[rows["order"] == order]
    return own[own["k"] == k].iloc[0]


def headline(both: pd.DataFrame) -> str:
    """The title of the first figure.

    Args:
        both: as ``both_orders`` gives it.
    """
    worst, mean = at(both, 1, HONEST), at(both, int(both["k"].max()), HONEST)
    return f"The worst class {compare.moves(worst)}, the mean of the classes {compare.moves(mean)}"


def in_short(both: pd.DataFrame, bias: pd.DataFrame) -> str:
    """Two sentences: the gain of the worst class beside the mean, and what the choice adds.

    Args:
        both: as ``both_orders`` gives it.
        bias: as ``bias`` gives it.
    """
    most = int(both["k"].max())
    return (
        f"From one-hot to distilled the mean of the {most} classes "
        f"{compare.moved(at(both, most, HONEST))}, while the class that the validation images "
        f"call the worst {compare.change(at(both, 1, HONEST))}. Images that choose the worst class "
        "must not also measure it: where one half of the test images does both, the gain of that "
        f"class {compare.change(at(bias, 1))} by this alone."
    )


def bias(study: GainsAreNotUniform) -> pd.DataFrame:
    """What it adds to the gain that the same half of the images chooses and measures, by k."""
    halves = orders.chosen_by_halves(study.by_method_and_seed(study.results()))
    return compare.with_intervals(halves[halves["candidate"] == "distilled"], "bias", ["k"])


def biases(by_ratio: Mapping[float, pd.DataFrame]) -> pd.DataFrame:
    """``bias`` at several long-tail ratios, for k up to 3, as a chart of differences takes it."""
    rows = [
        found[found["k"] <= 3].assign(
            comparison=[f"ratio {ratio:g}, k = {k}" for k in found["k"] if k <= 3]
        )
        for ratio, found in by_ratio.items()
    ]
    return pd.concat(rows, ignore_index=True)


def shift_said(gains: pd.DataFrame, first: str = PAPERS, second: str = HONEST) -> str:
    """What it moves to choose by ``first`` instead of by ``second``: a Markdown list."""
    shift = orders.between_orders(gains, first, second)
    shift = shift[shift["candidate"] == "distilled"]
    return compare.listed([f"k = {k}: the gain {_shift(at(shift, k))}." for k in (1, 2, 3)])


def comparisons(study: GainsAreNotUniform) -> pd.DataFrame:
    """Both taught students against one-hot, and against each other, in all measures."""
    heat = study.settings.temperature
    taught = [name for name in TEACHERS if (study.table["method"] == name).any()]
    names = [compare.method_name(name, heat) for name in taught]
    pairs = [(name, "one-hot") for name in names]
    pairs += [(names[1], names[0])] if len(names) == 2 else []
    return compare.compare(study.table, pairs, study.measures())


def differences(gaps: pd.DataFrame, ratio: float) -> Styler:
    """``comparisons`` as a table: a row per pair, a column per measure."""
    wide = gaps.pivot(index="comparison", columns="measure", values="cell")
    wide = wide.loc[gaps["comparison"].unique(), gaps["measure"].unique()].rename_axis(columns=None)
    return tables.shown(
        tables.unbroken(wide), f"Points of accuracy, paired by seed, ratio {ratio:g}."
    )


def levels(study: GainsAreNotUniform) -> Styler:
    """Accuracies of all methods, a column per measure."""
    rows = compare.overview(study.table, study.measures())
    caption = f"Percent on the test images at ratio {study.ratio:g}, 95 % intervals over seeds."
    return tables.shown(tables.unbroken(rows), caption)


def twin(curves: pd.DataFrame) -> Styler:
    """The gain of the one-hot student's twin, by the order of the classes."""
    rows = curves[(curves["candidate"] == "teacher") & curves["k"].isin([1, 2, 3])]
    rows = rows.assign(cell=[compare.signed(row) for _, row in rows.iterrows()])
    wide = rows.pivot(index="order", columns="k", values="cell")
    wide = wide.loc[list(dict.fromkeys(rows["order"]))]
    wide = wide.rename(columns="k = {}".format).rename_axis(columns=None)
    wide.index.name = "classes sorted by"
    return tables.shown(
        tables.unbroken(wide), "Gain of the twin over the k worst classes, in points."
    )


def named_classes(study: GainsAreNotUniform, accuracies: pd.DataFrame) -> pd.DataFrame:
    """``orders.by_class`` with the names of the classes, and their place from the worst up.

    The place is by the mean validation accuracy of the one-hot students.
    """
    held_out = accuracies["split"].eq("validation") & accuracies["method"].eq("one-hot")
    place = accuracies[held_out].groupby("label")["accuracy"].mean().rank(method="first")
    rows = orders.by_class(accuracies)
    names = dict(enumerate(study.class_names))
    return rows.assign(class_name=rows["label"].map(names), place=rows["label"].map(place))


def holm_said(per_class: pd.DataFrame) -> str:
    """Which classes differ from one-hot after the correction, a line per student."""
    lines = []
    for candidate, words in TEACHERS.items():
        rows = per_class[
            (per_class["candidate"] == candidate) & (per_class["holm"] <= compare.LEVEL)
        ]
        told = [f"{row.class_name} ({row.mean:+.1f})" for row in rows.itertuples()]
        lines.append(f"teacher {words}: {', '.join(told) or 'no class'}")
    said = "Classes that differ from one-hot after Holm's correction, in points:"
    return f"{said}\n\n{compare.listed(lines)}"


def lowest(per_class: pd.DataFrame) -> Styler:
    """The ten classes with the lowest one-hot accuracy, and how each changes."""
    rows = per_class[per_class["candidate"] == "distilled"].sort_values("one_hot").head(10)
    columns = {
        "class": rows["class_name"], "one-hot": rows["one_hot"], "distilled": rows["accuracy"],
        "difference": [compare.signed(row) for _, row in rows.iterrows()],
        "p": rows["p"].map("{:.3f}".format), "p, corrected": rows["holm"].map("{:.3f}".format),
    }  # fmt: skip
    return tables.shown(tables.unbroken(pd.DataFrame(columns)), "Accuracy in percent, by class.")


def places(gains: pd.DataFrame, per_class: pd.DataFrame) -> pd.DataFrame:
    """Every class at its place in each order and seed, as ``gain_explorer`` takes them."""
    columns = ["candidate", "label", "class_name", "one_hot", "accuracy"]
    rows = gains.rename(columns={"k": "place"}).merge(per_class[columns], on=columns[:2])
    return by_teacher(rows).drop(columns=["candidate", "gain"])


def by_teacher(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the two taught students, with the training of their teachers in words."""
    kept = rows[rows["candidate"].isin(TEACHERS)]
    return kept.assign(teacher=kept["candidate"].map(TEACHERS))


def printed() -> Styler:
    """What the paper prints of ImageNet where a network teaches its like."""
    rows = room.printed()
    signs = {
        name: rows[name].map("{:+.2f}".format, na_action="ignore") for name in ("mean", "worst_10")
    }
    network = rows["network"].str.replace("resnet", "ResNet-")
    table = pd.DataFrame({"printed in": rows["where"], "network": network, **signs})
    table = table.astype(object).fillna("not printed").assign(here="not run")
    table = table.rename(columns={"worst_10": "worst 10 classes"})
    return tables.shown(table, "ImageNet, distilled minus one-hot, in points.")


def beside_paper(study: GainsAreNotUniform) -> Styler:
    """Our differences beside those of Table 2."""
    table = room.printed().set_index(["where", "network"])
    paper: list[float] = table.loc[[("Table 2", "resnet34")]].to_numpy()[0].tolist()
    rows = study.compare("distilled", "one-hot")
    rows = rows[rows["measure"] != "rarest fifth"].set_index("measure")
    columns = {
        "paper": [f"{value:+.2f}" for value in paper],
        "here": rows["cell"],
        "sign": study.beside_paper(rows, paper),
    }
    counts, settings = study.data.train.class_counts, study.settings
    caption = (
        "Distilled minus one-hot, in points. Paper: ImageNet, ResNet-34, early-stopped teacher, "
        f"Table 2, not run here. Here: {study.data.name}, ratio {study.ratio:g}, "
        f"{study.profile.model.title}, full teacher, T = {settings.temperature:g}, "
        f"α = {settings.alpha:g}, {len(counts)} classes with {int(counts.min())} to "
        f"{int(counts.max())} training images."
    )
    return tables.shown(tables.unbroken(pd.DataFrame(columns)), caption)


def _shift(row: pd.Series) -> str:
    equal = row["mean"] == 0 and pd.isna(row["low"])
    return "is the same in every seed" if equal else compare.change(row)
