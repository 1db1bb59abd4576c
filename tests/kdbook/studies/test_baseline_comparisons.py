"""Tables of the chapter on baselines, on accuracies that one can subtract by hand."""

import pandas as pd
import pytest

from kdbook.chapters import baselines_and_compression as study
from kdbook.chapters.baselines_and_compression import comparisons as tables
from kdbook.chapters.baselines_and_compression.charts import baseline_scatter

SETTINGS = study.Settings()


def made(worst):
    """Three seeds; ``worst`` maps a method to its worst class in seed 0; each next has 2 more."""
    return pd.DataFrame(
        {"method": name, "temperature": 1.0, "imbalance": 20.0, "seed": seed,
         "worst_1": value + 2 * seed, "mean": 90.0 + seed}
        for name, value in worst.items()
        for seed in (0, 1, 2)
    )  # fmt: skip


def test_every_baseline_is_set_against_distillation():
    rows = made({name: 50.0 + i for i, name in enumerate(study.baselines())} | {"distilled": 40.0})
    found = tables.to_distilled(rows, {"worst_1": "worst class"})
    assert list(found["mean"]) == [10.0 + i for i in range(len(study.baselines()))]
    assert found["comparison"].iloc[0] == "robust student − distilled"


def test_a_compressed_student_is_set_against_its_own_teacher():
    names = {
        study.RobustBaselines(SETTINGS).large_teacher_name(t): v
        for t, v in ((None, 50.0), (1.0, 70.0))
    }
    cells = {
        study.RobustBaselines(SETTINGS).cell_name(*cell): 60.0 for cell in study.compressed_cells()
    }
    found = tables.to_large_teacher(SETTINGS, made(names | cells), {"worst_1": "worst class"})
    assert list(found["mean"]) == [10.0] * 3 + [-10.0] * 3


def test_adaptive_students_are_set_against_those_of_a_standard_teacher():
    names = [study.adaptive_name(m, t) for m in ("AdaAlpha", "AdaMargin") for t in (None, 0.0, 1.0)]
    rows = made(dict(zip(names, (10.0, 12.0, 15.0, 20.0, 19.0, 27.0), strict=True)))
    found = tables.to_another_teacher(rows, {"worst_1": "worst class"})
    assert list(found["mean"]) == [2.0, 5.0, -1.0, 7.0]


def test_our_points_have_the_columns_of_the_papers():
    rows = made({"teacher rob": 70.0, "distilled": 45.0, "post shift, std teacher": 71.0,
                 "Group DRO, training": 60.0, "robust, no teacher": 72.0})  # fmt: skip
    points = tables.our_points(rows, "ours").set_index(["method", "variant"])
    assert points.loc[("teacher", "rob teacher"), "worst"] == 72.0
    assert set(points.index) == {
        ("teacher", "rob teacher"), ("distilled", "std teacher"),
        ("post shift", "std teacher"), ("Group DRO", "on training"),
    }  # fmt: skip
    both = pd.concat([points.reset_index(), tables.paper_points()])
    assert both[["data", "method", "variant", "average", "worst"]].notna().all(axis=None)
    inside = both.dropna(
        subset=["average_low", "worst_low"]
    )  # a printed 0 without an error has no interval
    assert (inside["worst_low"] >= 0).all() and (inside["worst_low"] < inside["worst"]).all()
    assert baseline_scatter(both).to_dict()


def test_the_papers_chosen_trade_off_has_no_single_teacher():
    points = tables.paper_points().set_index(["data", "method", "variant"])
    assert points.loc[("cifar10", "selected trade-off", "chosen α"), "worst"] == 90.11
    assert points.loc[("cifar10", "Group DRO", "on training"), "average"] == 93.61


def test_overfitting_is_the_gap_beyond_that_of_no_shift():
    rows = [
        ("test", "teacher std", seed, shift, gap + seed * (shift != "none"))
        for shift, gap in (("none", 1.0), ("post shift", 9.0))
        for seed in range(3)
    ]
    frame = pd.DataFrame(rows, columns=["protocol", "method", "seed", "shift", "gap"])
    (row,) = tables.overfitting(frame).to_dict("records")
    assert row["mean"] == pytest.approx(9.0) and row["seeds"] == 3
    assert row["p_holm"] == row["p"]
