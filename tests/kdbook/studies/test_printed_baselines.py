"""The paper's baselines: points as printed, and contradictions that one finds by reading."""

import numpy as np
import pytest

from kdbook.chapters.baselines_and_compression.printed import (
    contradictions,
    imagenet,
    printed_points,
)


def test_points_are_those_of_the_tables():
    points = printed_points().set_index(["data", "method", "teacher"])
    assert tuple(points.loc[("cifar10", "distilled", "std"), ["average", "worst"]]) == (
        94.34,
        87.66,
    )
    ada = points.loc[("cifar10_lt", "AdaAlpha", "rob")]
    assert (ada["average"], ada["worst"], ada["table"]) == (79.66, 71.17, "Supp Table 4")
    dro = points.loc[("tinyimagenet", "Group DRO, training", "none")]
    assert (dro["average"], dro["worst"]) == (6.55, 0.0)
    assert points.index.is_unique and points[["average", "worst"]].notna().all(axis=None)
    assert set(points.index.get_level_values("data")) == {
        f"{name}{tail}" for name in ("cifar10", "cifar100", "tinyimagenet") for tail in ("", "_lt")
    }


def test_a_number_in_two_tables_is_main_table_2s():
    point = printed_points().set_index(["data", "method", "teacher"]).loc[
        ("tinyimagenet", "AdaMargin", "std")
    ]  # fmt: skip
    assert (point["average"], point["worst"]) == (52.45, 15.41)  # Supp Table 4: 61.3, 18.17


def test_contradictions_are_found_with_their_size():
    rows = contradictions().set_index(["data", "method", "metric", "in"])
    swing = rows.loc[("cifar10_lt", "distilled", "worst_1", "Supp Table 1")]
    assert swing["difference"] == pytest.approx(60.12 - 36.67)
    dro = rows.loc[("tinyimagenet", "Group DRO, validation", "worst_1", "Supp Table 5")]
    assert (dro["Table 2"], dro["supplement"]) == (11.38, 9.17)
    assert dro["z"] == pytest.approx((11.38 - 9.17) / np.hypot(1.79, 1.55))
    assert (rows["difference"] != 0).all()
    assert ("cifar10", "distilled", "worst_1", "Supp Table 1") not in rows.index  # they agree


def test_table_6_is_whole_and_says_that_the_robust_student_fails():
    rows = imagenet()
    assert len(rows) == 50 and not rows.duplicated(["teacher", "student", "measure"]).any()
    worst = rows[rows["measure"] == "worst_1"].set_index(["student", "teacher"])["value"]
    assert worst.filter(like="rob-d").eq(0).all() and worst[("teacher alone", "rob")] == 10.71
