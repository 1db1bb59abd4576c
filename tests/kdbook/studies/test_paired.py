"""Paired differences over a grid against SciPy and numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from kdbook.compare import paired_rows, with_holm


def grid(seeds=5):
    rng = np.random.default_rng(0)
    rows = [
        {"method": method, "cell": cell, "seed": seed, "mean": rng.normal(50 - 3 * (cell == "b"))}
        for method in ("one-hot", "distilled", "teacher")
        for cell in "abc"
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows)


def test_differences_are_within_a_cell_and_seed():
    table = grid()
    rows = paired_rows(
        table.sample(frac=1, random_state=3), "mean", ("distilled", "one-hot"), ["cell"]
    )
    assert len(rows) == 15
    wide = table.pivot(index=["cell", "seed"], columns="method", values="mean")
    expected = wide["distilled"] - wide["one-hot"]
    found = rows.set_index(["cell", "seed"])["difference"]
    pd.testing.assert_series_equal(found.sort_index(), expected, check_names=False)


def test_a_seed_that_one_method_lacks_is_left_out():
    table = grid().drop(index=0)  # one-hot, cell a, seed 0
    rows = paired_rows(table, "mean", ("distilled", "one-hot"), ["cell"])
    assert len(rows) == 14


def test_a_run_that_stands_twice_is_refused():
    table = pd.concat([grid(), grid()])
    with pytest.raises(ValueError, match="not unique"):
        paired_rows(table, "mean", ("distilled", "one-hot"), ["cell"])


def test_intervals_and_p_values_are_the_paired_t_test():
    table = grid()
    rows = with_holm(paired_rows(table, "mean", ("distilled", "one-hot"), ["cell"]), ["cell"])
    for _, row in rows.iterrows():
        here = table[table["cell"] == row["cell"]].pivot(
            index="seed", columns="method", values="mean"
        )
        test = stats.ttest_rel(here["distilled"], here["one-hot"])
        interval = test.confidence_interval(0.95)
        assert (row["low"], row["high"], row["p"]) == pytest.approx(
            (interval.low, interval.high, test.pvalue)
        )


def test_holm_counts_every_cell():
    rows = with_holm(paired_rows(grid(), "mean", ("distilled", "one-hot"), ["cell"]), ["cell"])
    smallest = rows["p"].min()
    assert rows.loc[rows["p"].idxmin(), "p_holm"] == pytest.approx(min(1, 3 * smallest))
    assert (rows["p_holm"] >= rows["p"]).all()
