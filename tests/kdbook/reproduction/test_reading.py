"""How far rules get that have seen no data."""

import pytest
from hand_records import record, rows

from kdbook.reproduction import Verdict, leading, reading, reproduction


@pytest.fixture(scope="module")
def found():
    """Of the long tail of CIFAR-10: one student always better, one worse, one undecided."""
    table = [
        *rows("std / std-d", 1.0, (60.0, 61.0, 60.7)),
        *rows("rob / std-d", 1.0, (70.0, 71.1, 70.9)),
        *rows("std / bal-d", 1.0, (50.0, 51.1, 50.9)),
        *rows("bal / std-d", 1.0, (50.0, 90.0, 58.0)),
    ]
    made = record(table, study="teacher_and_student", dataset="cifar10", model="ResNet-8")
    return reproduction("robust_distillation", [made])


def test_each_decided_measurement_stands_once(found):
    decided = reading.decided_differences(found)
    cells = set(decided["teacher_objective"] + " / " + decided["student_objective"])
    assert cells == {"rob / std-d", "std / bal-d"}
    # Worst class and mean are measured apart, however many tables print them.
    assert len(decided) == 4 == decided["measurement"].nunique()
    shown = leading(found)
    assert (shown["verdict"] == Verdict.SAME_SIGN).sum() > 4


def test_rules_that_have_seen_no_data_are_counted_by_hand(found):
    decided = reading.decided_differences(found)
    plus = int((decided["compared"] > 0).sum())
    agree = int((decided["verdict"] != Verdict.DIFFERS).sum())
    assert reading.constant_guesses(found) == (
        f"Of 4 decided differences {agree} agree with the printed sign. Ours is *plus* in 2. "
        f"Whoever always says *plus* agrees with {plus}, and with {4 - plus} who always says "
        "*minus*."
    )


def test_nothing_decided_is_said_too():
    said = reading.constant_guesses(reproduction("robust_distillation", []))
    assert said.startswith("Of 0 decided differences 0 agree")
