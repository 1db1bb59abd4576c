"""What Tables 7 and 8 of Teacher's pet print of Adult, read as numbers of people.

A change of accuracy in a group of n people is a whole number of people over n. So a printed change
and the size of the group in the official test set give the net number of people behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from kdbook.chapters.groups_that_are_not_classes.changes import group_name, groups_of
from kdbook.published import published
from kdlib.data.adult import People, load_adult
from kdlib.metrics import holm, sign_test

TABLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"Table 7": ("label", "sex"), "Table 8": ("label", "sex", "race")}
)
"""The tables, and what makes their groups."""
OVERALL = ("teacher", "one-hot", "distilled", "label 0", "label 1")
"""The five numbers of section C.3: three balanced accuracies, two changes by label."""
_MEASURES = {"teacher_only": "teacher", "one_hot": "one-hot", "distillation": "distilled"}


def printed_overall() -> pd.Series:
    """The numbers of the text of C.3, by their names in ``OVERALL``: percent, and points."""
    rows = published(paper="teachers_pet", section="C.3", table="text")
    balanced = rows[rows["metric"] == "balanced_accuracy"].set_index("method")["value"]
    labels = rows[rows["subgroup"].isin(["label=0", "label=1"])].set_index("subgroup")["value"]
    found = pd.concat([balanced.rename(_MEASURES), labels.rename(lambda s: s.replace("=", " "))])
    return found[[*OVERALL]]


def distance_to_paper(recipes: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds of every recipe beside the five numbers of C.3, nearest first.

    Args:
        recipes: rows of ``groups_that_are_not_classes.recipes``.

    Returns:
        One row per recipe: encoding, missing, class_weight, threshold, the means of ``OVERALL``,
        and ``off``, the mean absolute difference from the printed numbers in points.
    """
    choices = [name for name in recipes.columns if name not in (*OVERALL, "seed")]
    means = recipes.groupby(choices, sort=False)[[*OVERALL]].mean()
    off = (means - printed_overall()).abs().mean(axis=1)
    return means.assign(off=off).sort_values("off").reset_index()


def printed_changes(table: str, people: People | None = None) -> pd.DataFrame:
    """The printed changes of ``Table 7`` or ``Table 8``, and the people behind them.

    Args:
        table: one of ``TABLES``.
        people: who was tested; by default the official test set.

    Returns:
        One row per group, as printed: label, sex and perhaps race, ``group``, ``people``,
        ``printed`` (percentage points), ``moved`` (the nearest whole number of people),
        ``off`` (how far ``printed`` is from that number of people, in points), ``least_p`` (of a
        sign test in the best case, that nobody moved the other way) and ``least_holm``.
    """
    test = people or load_adult().test
    sizes = {
        group_name(values): int(inside.sum())
        for values, inside in groups_of(test.groups, TABLES[table])
    }
    rows = published(paper="teachers_pet", table=table)
    values = [_values(text) for text in rows["subgroup"]]
    named = pd.DataFrame(values).assign(group=[group_name(one) for one in values])
    named["people"] = named["group"].map(sizes)
    named["printed"] = rows["value"].to_numpy()
    moved = np.rint(named["printed"] * named["people"] / 100).astype(int)
    least = sign_test(np.abs(moved), np.zeros(len(moved)))
    off = (named["printed"] - 100 * moved / named["people"]).abs()
    return named.assign(moved=moved, off=off, least_p=least, least_holm=holm(least))


def fits_whole_people(printed: pd.DataFrame) -> pd.Series:
    """Whether each printed change is a whole number of people, as far as three decimals tell.

    The tables round or cut the third decimal, so up to a thousandth of a point may be missing.
    """
    return printed["off"] < 0.001


def _values(subgroup: str) -> dict[str, Any]:
    """``race=Other,sex=Male,label=0`` as a mapping, label first."""
    pairs: dict[str, Any] = dict(part.split("=") for part in reversed(subgroup.split(",")))
    return {**pairs, "label": int(pairs["label"])}
