"""Paired comparisons with Holm's correction, against scipy and the procedure by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from kdbook import compare

RNG = np.random.default_rng(3)
ARMS = (("one-hot", np.nan), ("distilled", 1.0), ("AdaAlpha", 1.0))
PAIRS = [
    ("distilled, T = 1", "one-hot"),
    ("AdaAlpha, T = 1", "one-hot"),
    ("AdaAlpha, T = 1", "distilled, T = 1"),
]


def table(seeds=6):
    rows = [
        {"method": m, "temperature": t, "imbalance": 20.0, "seed": seed,
         "mean": 80 + 3 * arm + RNG.normal(), "rarest": RNG.normal()}
        for arm, (m, t) in enumerate(ARMS)
        for seed in range(seeds)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def values(frame, method, column="mean"):
    return frame[frame["method"] == method].sort_values("seed")[column].to_numpy()


def test_p_values_are_those_of_the_paired_t_test():
    frame = table()
    rows = compare.compare_corrected(frame.sample(frac=1, random_state=0), PAIRS, {"mean": "m"})
    names = [("distilled", "one-hot"), ("AdaAlpha", "one-hot"), ("AdaAlpha", "distilled")]
    expected = [stats.ttest_rel(values(frame, a), values(frame, b)).pvalue for a, b in names]
    np.testing.assert_allclose(rows["p"], expected)


def test_each_measure_is_a_family_of_its_own():
    frame = table()
    rows = compare.compare_corrected(frame, PAIRS, {"mean": "m", "rarest": "r"})
    for measure in ("m", "r"):
        family = rows[rows["measure"] == measure]
        ordered = np.sort(family["p"])
        by_hand = np.minimum(1, np.maximum.accumulate([3, 2, 1] * ordered))
        np.testing.assert_allclose(np.sort(family["holm"]), by_hand)
    assert (rows["holds"] == (rows["holm"] <= 0.05)).all()


def test_only_seeds_that_both_have_are_paired():
    frame = table()
    short = frame[(frame["method"] != "distilled") | (frame["seed"] < 4)]
    row = compare.compare_corrected(short, PAIRS[:1], {"mean": "m"}).iloc[0]
    shared = (values(frame, "distilled") - values(frame, "one-hot"))[:4]
    assert (row["mean"], row["seeds"]) == (pytest.approx(shared.mean()), 4)
    assert row["p"] == pytest.approx(stats.ttest_1samp(shared, 0).pvalue)


def test_a_diverged_seed_is_not_dropped():
    frame = table()
    frame.loc[frame["method"] == "AdaAlpha", "mean"] = np.nan
    row = compare.compare_corrected(frame, PAIRS[1:2], {"mean": "m"}).iloc[0]
    assert np.isnan(row["mean"]) and np.isnan(row["p"]) and row["seeds"] == 6


@pytest.mark.parametrize("seeds", [1, 2])
def test_few_seeds_have_no_p_value(seeds):
    rows = compare.compare_corrected(table(seeds), PAIRS, {"mean": "m"})
    assert rows["holm"].isna().all() and not rows["holds"].any()
