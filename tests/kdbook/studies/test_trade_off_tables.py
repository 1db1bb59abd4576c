"""Tables of the grid of trade-offs, on numbers that can be computed by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdbook.chapters.trade_offs import STANDARD
from kdbook.chapters.trade_offs import frontier as tables
from kdlib.metrics import PERCENT, t_interval

ALPHAS = (0.0, 0.5, 1.0)


def row(method, teacher, student, seed, mean, worst, select_mean, select_worst):
    return {
        "method": method, "imbalance": 20.0, "temperature": 1.0, "seed": seed,
        "alpha_t": teacher, "alpha_s": student, "mean": mean, "worst_1": worst,
        "select_mean": select_mean, "select_worst": select_worst,
    }  # fmt: skip


def made(seeds=3, noise=0.0):
    """Averages fall by 4 points with alpha_s and 1 with alpha_t; the worst rises by 6 with alpha_s.

    On validation images the worst class is best at (0.5, 0); those never agree with the test.
    """
    rng = np.random.default_rng(0)
    rows = []
    for seed in range(seeds):
        rows.append(row("teacher std", "std", "none", seed, 80, 20, 80, 20))
        rows.append(row(STANDARD, "std", "std", seed, 89, 30, 89, 30))
        for t in ALPHAS:
            for s in ALPHAS:
                mean = 90 + seed - 4 * s - t + noise * rng.normal()
                select = 70 - abs(t - 0.5) - s
                cell = f"{t:g}", f"{s:g}"
                rows.append(row(" / ".join(cell), *cell, seed, mean, 60 + 6 * s, mean, select))
    return pd.DataFrame(rows)


def test_the_grid_leaves_out_teachers_reference_and_what_diverged():
    table = made(seeds=1)
    table.loc[2, ["mean", "worst_1"]] = np.nan
    found = tables.grid(table)
    assert len(found) == 8 and found["alpha_t"].dtype == float


def test_cells_are_means_over_seeds_with_their_frontier():
    found = tables.cells(tables.grid(made())).set_index(["alpha_t", "alpha_s"])
    assert found.loc[(0.5, 1.0), "mean"] == pytest.approx(91 - 4.5)
    assert found.loc[(0.5, 1.0), "mean_high"] == pytest.approx(
        t_interval([85.5, 86.5, 87.5], scale=PERCENT).high
    )
    assert found["seeds"].eq(3).all()
    on = found[found["frontier"]].index.tolist()
    assert on == [(0.0, 0.0), (0.0, 0.5), (0.0, 1.0)]  # a robust teacher only costs


def test_slopes_are_those_that_were_put_in():
    found = tables.slopes(tables.grid(made()), {"mean": "average", "worst_1": "worst"})
    assert found["mean"].tolist() == pytest.approx([-4, -1, 6, 0])
    noisy = tables.slopes(tables.grid(made(seeds=8, noise=0.5)), {"mean": "average"})
    assert (noisy["low"] < [-4, -1]).all() and (noisy["high"] > [-4, -1]).all()
    assert (noisy["p_holm"] >= noisy["p"]).all()


@given(st.lists(st.tuples(st.floats(-9, 9), st.floats(-9, 9)), min_size=3, max_size=20))
def test_a_slope_is_that_of_least_squares(points):
    x, y = np.array(points).T
    if np.ptp(x) > 0.1:
        assert tables.slope(x, y) == pytest.approx(np.polyfit(x, y, 1)[0], abs=1e-6)


def test_shares_of_each_seeds_frontier():
    found = tables.frontier_shares(tables.grid(made()))
    assert found["points"].tolist() == [3, 3, 3] and found["share"].tolist() == [1, 1, 1]
    assert found["of_grid"].tolist() == pytest.approx([2 / 3] * 3)


def test_each_rule_and_split_selects_its_cell():
    chosen = tables.selections(made()).set_index(["rule", "split", "seed"])
    free, kept = tables.RULES
    cell = ["alpha_t", "alpha_s"]
    assert chosen.loc[(free, "validation", 0), cell].tolist() == [0.5, 0]
    assert chosen.loc[(free, "test", 0), cell].tolist() == [0, 1]
    assert chosen.loc[(kept, "test", 0), cell].tolist() == [0, 0]  # the others average below 89
    assert chosen.loc[(kept, "test", 2), cell].tolist() == [0, 0.5]


def test_a_tie_is_no_matter_of_floating_point():
    table = made(seeds=1)
    table["select_worst"] = 80.0
    table.loc[table["method"] == "1 / 1", "select_worst"] += 1e-9
    chosen = tables.selections(table).set_index(["rule", "split"])
    for rule in tables.RULES:  # so the highest average decides
        assert chosen.loc[(rule, "validation"), ["alpha_t", "alpha_s"]].tolist() == [0, 0]


def test_where_no_cell_keeps_the_average_the_best_average_is_taken():
    table = made(seeds=1)
    table.loc[table["method"] == STANDARD, ["mean", "select_mean"]] = 99
    chosen = tables.selections(table).set_index(["rule", "split"])
    assert chosen.loc[(tables.RULES[1], "validation"), ["alpha_t", "alpha_s"]].tolist() == [0, 0]


def test_optimism_is_never_negative_without_a_constraint():
    found = tables.optimism(tables.selections(made())).set_index("rule")
    assert found.loc[tables.RULES[0], "mean"] == pytest.approx(6)
    assert found.loc[tables.RULES[0], "other"] == 3


def test_gains_are_paired_with_standard_distillation():
    table = made()
    found = tables.gains(table, tables.selections(table)).set_index(["rule", "measure"])
    assert found.loc[(tables.RULES[0], "worst_1"), "mean"] == pytest.approx(30)
    assert found.loc[(tables.RULES[0], "mean"), "mean"] == pytest.approx(91 - 0.5 - 89)
