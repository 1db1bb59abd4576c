"""Straight lines through the changes of all classes, one fit per seed.

Seeds are what repeats independently: classes, temperatures and lengths within one share images and
initial weights. So each seed is fitted by itself, and an interval is over the seeds' coefficients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from kdbook.compare import over_seeds, with_holm
from kdlib.errors import SettingError
from kdlib.metrics import DIFFERENCE

EDGES = (0.0, 2.0, 5.0, 10.0, 20.0, 30.0, 40.0, 60.0, 100.0)
"""Bounds of the bins of ``off_label``, in percent."""


@dataclass(frozen=True)
class Factor:
    """Something that may decide: its unit in words, and its values in that unit."""

    words: str
    values: Callable[[pd.DataFrame], pd.Series]


FACTORS: Mapping[str, Factor] = {
    "share": Factor("10 points more of the target off the label", lambda t: t["off_label"] / 10),
    "size": Factor("twice as many training images", lambda t: np.log2(t["train_count"])),
    "temperature": Factor("T = 3 in place of 1", lambda t: (t["temperature"] - 1) / 2),
    "length": Factor("a teacher trained twice as long", lambda t: np.log2(t["teacher_epochs"])),
    "margin": Factor("a teacher's margin larger by 0.1", lambda t: 10 * t["teacher_margin"]),
}
"""What may decide, in the order of a page."""

CLASS_OF_A_SEED = ("seed", "label", "student_epochs")
"""What is held fixed when only the teacher, or its temperature, changes."""


def coefficients(
    table: pd.DataFrame, factors: Sequence[str], within: Sequence[str] = ()
) -> pd.DataFrame:
    """Percentage points of accuracy per unit of each factor, all others held fixed.

    Args:
        table: rows of one family, as the study gives them.
        factors: of ``FACTORS``.
        within: columns; only differences between rows that agree in them count.

    Returns:
        Columns: factor, mean, low, high, seeds, p, p_holm (corrected for these factors), words.
    """
    fitted = _by_seed(table, factors, within)
    each = fitted.melt("seed", list(factors), "factor", "difference")
    found = with_holm(each, ["factor"], DIFFERENCE)
    return found.assign(words=[FACTORS[name].words for name in found["factor"]])


def explained(table: pd.DataFrame, factors: Sequence[str], within: Sequence[str] = ()) -> float:
    """Share of the changes' variance within a seed that the factors explain, mean over seeds."""
    return float(_by_seed(table, factors, within)["explained"].mean())


def binned(table: pd.DataFrame, by: Sequence[str] = ()) -> pd.DataFrame:
    """Mean change by share off the label, in the bins of ``EDGES``, with intervals over seeds.

    Args:
        table: rows of one family, as the study gives them.
        by: columns that split the bins further.

    Returns:
        Columns: ``by``, bin (a text), middle (mean share in it), mean, low, high, seeds, classes
        (rows in it).
    """
    labelled = table.assign(bin=bin_of(table["off_label"]))
    rows = []
    for key, group in labelled.groupby([*by, "bin"], observed=True, sort=True):
        names = dict(zip([*by, "bin"], key, strict=True))
        means = group.groupby("seed")["difference"].mean()
        about = {"middle": group["off_label"].mean(), "classes": len(group)}
        rows.append(names | about | over_seeds(means, DIFFERENCE))
    return pd.DataFrame(rows)


SPLITS: Mapping[str, Callable[[pd.DataFrame], pd.Series]] = {
    "nothing": lambda t: pd.Series("all classes", t.index),
    "temperature": lambda t: t["temperature"].map("T = {:g}".format),
    "class": lambda t: (t["label"] > t["label"].max() / 2).map(
        {False: "common classes", True: "rare classes"}
    ),
    "teacher": lambda t: (t["teacher_epochs"] > np.median(t["teacher_epochs"].unique())).map(
        {False: "shorter teachers", True: "longer teachers"}
    ),
}
"""By what a reader may split the bins; the values name the groups."""


def splits(table: pd.DataFrame, by: Sequence[str] = tuple(SPLITS)) -> pd.DataFrame:
    """``binned`` for each split, without bins that fewer than three seeds reach.

    A split that leaves these rows together is left out.

    Args:
        table: rows of one family, as the study gives them.
        by: of ``SPLITS``.

    Returns:
        Columns: split, group, and those of ``binned``.
    """
    groups = {name: SPLITS[name](table) for name in by}
    rows = [
        binned(table.assign(group=group), ["group"]).assign(split=name)
        for name, group in groups.items()
        if name == "nothing" or group.nunique() > 1
    ]
    found = pd.concat(rows, ignore_index=True)
    return found[found["seeds"] >= 3].reset_index(drop=True)


def foretold(fitted: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """What the bins of one family foretell of another, beside what happened there.

    Args:
        fitted: rows whose bins are taken.
        other: rows of the other family, at other imbalance ratios.

    Returns:
        One row per imbalance ratio: imbalance, foretold and mean, low, high, seeds of the change
        in the mean of all classes; and of the rarest class rarest_foretold, rarest (its mean
        change) and rarest_one_hot (accuracy of the one-hot students there).
    """
    means = fitted.groupby(bin_of(fitted["off_label"]), observed=True)["difference"].mean()
    told = other.assign(foretold=bin_of(other["off_label"]).map(means).astype(float))
    rows = []
    for ratio, group in told.groupby("imbalance", sort=True):
        by_seed = group.groupby("seed")[["foretold", "difference"]].mean()
        last = group[group["label"] == group["label"].max()]
        ends = {
            "rarest_foretold": last["foretold"].mean(),
            "rarest": last["difference"].mean(),
            "rarest_one_hot": last["one_hot"].mean(),
        }
        about = {"imbalance": ratio, "foretold": by_seed["foretold"].mean()}
        rows.append(about | over_seeds(by_seed["difference"], DIFFERENCE) | ends)
    return pd.DataFrame(rows)


def bin_of(shares: pd.Series) -> pd.Series:
    """The bin of each share (percent), as a category of ``bin_names``."""
    return pd.cut(shares, EDGES, include_lowest=True, labels=bin_names())


def bin_names() -> list[str]:
    """The bins in words, e.g. ``10–20 %``."""
    return [f"{low:g}–{high:g} %" for low, high in pairwise(EDGES)]


def _by_seed(table: pd.DataFrame, factors: Sequence[str], within: Sequence[str]) -> pd.DataFrame:
    """One row per seed: the coefficient of each factor, and ``explained``."""
    data = table[["seed", "difference", *set(within) - {"seed"}]].assign(
        **{name: FACTORS[name].values(table) for name in factors}
    )
    measured = ["difference", *factors]
    if within:
        data[measured] -= data.groupby(list(within))[measured].transform("mean")
    return pd.DataFrame([_fit(group, factors, seed) for seed, group in data.groupby("seed")])


def _fit(group: pd.DataFrame, factors: Sequence[str], seed: object) -> dict[str, object]:
    inputs = np.column_stack([np.ones(len(group)), group[list(factors)].to_numpy(float)])
    change = group["difference"].to_numpy(float)
    found, _, rank, _ = np.linalg.lstsq(inputs, change, rcond=None)
    if rank < inputs.shape[1]:
        raise SettingError(f"seed {seed}: {', '.join(factors)} cannot be told apart in these rows")
    left = change - inputs @ found
    share = 1 - float(left @ left) / float(((change - change.mean()) ** 2).sum())
    return {"seed": seed, **dict(zip(factors, found[1:], strict=True)), "explained": share}
