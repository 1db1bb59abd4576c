"""Balanced sets, and which record of several answers for "Robust distillation"."""

import numpy as np
import pytest
from hand_records import record, rows

from kdbook.published import published
from kdbook.reproduction import Level, Verdict, leading, reproduction
from kdlib.training import PRESETS

PAPER = "robust_distillation"
STEP = PRESETS["cifar10_lt_robust_paper"].model_dump(mode="json")
SMALL = {"depth": 8, "epochs": 8, "update_every": 16}
"""What the CPU-sized grids on CIFAR change."""


def grid(shift=0.0, *, imbalance=100.0, seeds=3, **changes):
    """The grid with a robust teacher's standard student 10 points (and ``shift``) better."""
    ratio = {"imbalance": imbalance}
    table = [
        *rows("teacher std", np.nan, [57.0 + s for s in range(seeds)], **ratio),
        *rows("std / std-d", 1.0, [60.0 + s for s in range(seeds)], **ratio),
        *rows(
            "rob / std-d",
            1.0,
            [70.0 + shift + 1.1 * s + 0.01 * s**2 for s in range(seeds)],
            **ratio,
        ),
    ]
    own = {"study": "teacher_and_student", "dataset": "cifar10", "recipe": STEP, **ratio}
    return record(table, **(own | changes))


def trade_offs(**changes):
    table = [
        *rows("std / std-d", 1.0, (90.0, 91.0, 90.8), imbalance=1.0),
        *rows("0 / 0", 1.0, (80.0, 81.5, 80.6), imbalance=1.0),
        *rows("1 / 0", 1.0, (95.0, 96.5, 95.6), imbalance=1.0),
    ]
    own = {"study": "trade_offs", "dataset": "digits", "model": "ResNet-8", "profile": "quick"}
    return record(table, **(own | {"imbalance": 1.0, "settings": {"imbalance": 1.0}} | changes))


def answer(found, dataset, metric="worst_1", table="Supp Table 3", **wanted):
    wanted = {"teacher_objective": "rob", "student_objective": "std-d"} | wanted
    rows = leading(found)
    for column, value in {"dataset": dataset, "metric": metric, "table": table, **wanted}.items():
        rows = rows[rows[column] == value]
    (row,) = rows.to_dict("records")
    return row


def point(found, dataset, alpha_t, alpha_s, table="Supp Figure 1"):
    tdf = {"teacher_objective": "tdf", "student_objective": "tdf-d"}
    return answer(found, dataset, table=table, alpha_t=alpha_t, alpha_s=alpha_s, **tdf)


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100"])
def test_a_record_at_ratio_one_answers_for_balanced_sets_and_for_no_other(dataset):
    digits = {"dataset": "digits", "model": "ResNet-8", "profile": "quick"}
    made = grid(imbalance=1.0, settings={"imbalance": 1.0}, **digits)
    found = reproduction(PAPER, [made])
    row = answer(found, dataset)
    assert (row["record"], row["evidence"]) == (made.name, Level.MECHANISM)
    assert row["setting"] == "digits, ratio 1, ResNet-8, 256 epochs, a teacher per seed"
    assert answer(found, f"{dataset}_lt")["verdict"] == Verdict.NOT_RUN


def test_a_balanced_and_a_long_tailed_record_each_answer_for_their_own():
    both = reproduction(PAPER, [grid(), grid(-30.0, imbalance=1.0, settings={"imbalance": 1.0})])
    ours = (0.1 * 3 + 0.05) / 3
    assert answer(both, "cifar10_lt")["mean"] == pytest.approx(10 + ours)
    assert answer(both, "cifar10")["mean"] == pytest.approx(-20 + ours)


@pytest.mark.parametrize("dataset", ["cifar10", "cifar100"])
def test_on_balanced_data_the_point_of_no_robustness_is_the_standard_student(dataset):
    """So it is compared by value: there is nothing to take a difference from."""
    row = point(reproduction(PAPER, [trade_offs()]), dataset, 0.0, 0.0)
    assert (row["is_difference"], row["against"]) == (False, "")
    assert row["mean"] == pytest.approx(271.8 / 3)  # of std / std-d, not of 0 / 0
    assert row["verdict"] == Verdict.NO_VERDICT


def test_the_paper_draws_that_point_where_its_standard_student_stands():
    for dataset in ("cifar10", "cifar100"):
        figure = published(paper=PAPER, table="Supp Figure 1", dataset=dataset)
        zero = figure[(figure["alpha_t"] == 0) & (figure["alpha_s"] == 0)]
        circle = figure[figure["method"] == "distillation"]
        both = [rows.set_index("metric")["value"].to_dict() for rows in (zero, circle)]
        assert both[0] == both[1] and len(both[0]) == 2


def test_other_points_and_long_tails_keep_their_differences():
    found = reproduction(PAPER, [trade_offs()])
    row = point(found, "cifar10", 1.0, 0.0)
    assert (row["mean"], row["evidence"]) == (pytest.approx(15.3 / 3), Level.MECHANISM)
    tail = point(found, "cifar10_lt", 0.0, 0.0)
    assert tail["is_difference"] and tail["verdict"] == Verdict.NOT_RUN


def test_a_grid_on_long_tailed_cifar_100_answers_for_it_beside_that_on_cifar_10():
    """As they are recorded: a CPU-sized grid each, at ``standard``, beside one on digits."""
    sized = {"profile": "standard", "model": "ResNet-8"}
    ten = grid(settings=SMALL | {"dataset": "cifar10"}, **sized)
    hundred = grid(-30.0, dataset="cifar100", settings=SMALL | {"dataset": "cifar100"}, **sized)
    digits = grid(5.0, dataset="digits", profile="quick", model="ResNet-8", seeds=9)
    assert hundred.name.startswith("teacher_and_student-standard-datasetcifar100-depth8-epochs8")
    for records in ([ten, hundred, digits], [digits, hundred, ten]):
        found = reproduction(PAPER, records)
        for dataset, made in {"cifar10_lt": ten, "cifar100_lt": hundred}.items():
            row = answer(found, dataset)
            assert (row["record"], row["profile"]) == (made.name, "standard")
        assert answer(found, "cifar10_lt")["verdict"] == Verdict.SAME_SIGN
        assert answer(found, "cifar100_lt")["verdict"] == Verdict.DIFFERS
        assert answer(found, "cifar100_lt")["setting"].startswith("cifar100, ratio 100, ResNet-8")


def test_a_hundred_classes_answer_with_their_worst_one():
    table = grid(dataset="cifar100").table
    far = table.assign(worst_10=0.0, worst_1=np.where(table["method"] == "rob / std-d", 9.0, 1.0))
    made = grid(dataset="cifar100")
    about = {n: getattr(made.about, n) for n in ("study", "dataset", "recipe", "imbalance")}
    row = answer(reproduction(PAPER, [record(far, **about)]), "cifar100_lt")
    assert row["mean"] == pytest.approx(8.0)


def test_more_seeds_of_one_setting_go_first_and_are_no_setting_of_their_own():
    digits = {"dataset": "digits", "model": "ResNet-8", "profile": "quick"}
    few, many = grid(**digits), grid(seeds=6, settings={"seeds": 6}, **digits)
    strict = grid(seeds=7, settings={"seeds": 7, "validation_part": "first_half"}, **digits)
    for records in ([few, many, strict], [strict, many, few]):
        assert answer(reproduction(PAPER, records), "cifar10_lt")["record"] == many.name
