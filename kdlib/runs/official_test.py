"""The official test set, put together from the two halves that a run is evaluated on."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kdlib.data.sources import WITHOUT_OFFICIAL_TEST
from kdlib.errors import StoreError

OFFICIAL_TEST = "official_test"
HALVES = ("validation", "test")
MEASURED = ["accuracy", "log_loss", "margin"]


def refuse_official_test(dataset: str, saw_validation: bool) -> None:
    """Refuse to test on all official test images where that would mean nothing, or would cheat.

    Raises:
        StoreError: the data set has no official test set, or half of it has had a say in the run.
    """
    if dataset in WITHOUT_OFFICIAL_TEST:
        raise StoreError(f"{OFFICIAL_TEST}: {dataset} has no official test set; use test")
    if saw_validation:
        raise StoreError(
            f"{OFFICIAL_TEST}: validation images, which are half of it, have moved class weights "
            "of this run or of one that it builds on; use test"
        )


def put_together(rows: pd.DataFrame) -> pd.DataFrame:
    """The class rows of two or more splits as those of all their images.

    Args:
        rows: one row per split and class: label, count, and the columns of ``MEASURED``, each a
            mean over that class's images; NaN where there are none.

    Returns:
        One row per class, by label: label, count, ``MEASURED``.
    """
    sums = rows[MEASURED].mul(rows["count"], axis=0)
    sums["accuracy"] = sums["accuracy"].round()  # right answers are counted
    by_class = sums.assign(count=rows["count"], label=rows["label"]).groupby("label")
    totals = by_class.sum(min_count=1)
    means = totals[MEASURED].div(totals["count"].where(totals["count"] > 0), axis=0)
    return means.assign(count=totals["count"].astype(int)).reset_index()[
        ["label", "count", *MEASURED]
    ]


def in_official_order(arrays: list[np.ndarray], index: list[np.ndarray]) -> np.ndarray:
    """Arrays ``[N_k, ...]`` of the halves as one, in the order of the official test file.

    Args:
        arrays: of each half.
        index: rows of the file ``[N_k]`` that each half holds.
    """
    order = np.argsort(np.concatenate(index), kind="stable")
    return np.concatenate(arrays)[order]
