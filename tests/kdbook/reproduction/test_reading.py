"""How far rules get that have seen no data."""

import pytest
from hand_records import record, rows

from kdbook.reproduction import Verdict, leading, reading, reproduction


@pytest.fixture(scope="module")
def found():
    """Of the long tails of Table 1 and the supplement: one student always better, one worse."""
    table = [
        *rows("std / std-d", 1.0, (60.0, 61.0)),
        *rows("rob / std-d", 1.0, (70.0, 71.1)),
        *rows("std / bal-d", 1.0, (50.0, 51.1)),
        *rows("bal / std-d", 1.0, (50.0, 90.0)),  # undecided
    ]
    made = record(table, study="teacher_and_student", dataset="cifar10", model="ResNet-8")
    return reproduction("robust_distillation", [made])


def test_rules_that_have_seen_no_data_are_counted_by_hand(found):
    guesses = reading.constant_guesses(found)
    shown = leading(found)
    for (data, measure), row in guesses.iterrows():
        name = {"CIFAR-10-LT": "cifar10_lt", "CIFAR-100-LT": "cifar100_lt"}[data]
        metric = {"worst 1": "worst_1", "mean": "mean_accuracy"}[measure]
        mine = shown[(shown["dataset"] == name) & (shown["metric"] == metric)]
        mine = mine[mine["verdict"].isin([Verdict.SAME_SIGN, Verdict.DIFFERS])]
        assert set(mine["teacher_objective"] + mine["student_objective"]) == {
            "robstd-d",
            "stdbal-d",
        }
        assert row["decided"] == len(mine) > 0
        plus, minus = (mine["compared"] > 0).sum(), (mine["compared"] < 0).sum()
        assert (row["all plus"], row["all minus"]) == (plus, minus)
        ours_plus = (mine["teacher_objective"] == "rob").sum()
        assert row["ours plus"] == ours_plus
        right = ((mine["compared"] > 0) == (mine["teacher_objective"] == "rob")) & (
            mine["compared"] != 0
        )
        assert row["agree"] == right.sum()


def test_the_sentence_is_the_sum_of_the_table(found):
    total = reading.constant_guesses(found).sum()
    assert reading.always_plus(found) == (
        f"Of {total['decided']} decided differences {total['agree']} agree with the printed sign. "
        f"Ours is *plus* in {total['ours plus']}. Whoever always says *plus* agrees with "
        f"{total['all plus']}."
    )


def test_nothing_decided_gives_an_empty_table():
    assert reading.constant_guesses(reproduction("robust_distillation", [])).empty
