"""The matrix from the first seeds of each record."""

import pandas as pd
import pytest
from hand_records import record, rows

from kdbook.reproduction import Verdict, leading, reproduction
from kdbook.reproduction.fewer_seeds import first_seeds, verdicts_by_seeds

PAPER = "robust_distillation"


@pytest.fixture(scope="module")
def made():
    """Two seeds agree on plus 10; the next two do not, so that the interval holds zero."""
    table = [
        *rows("std / std-d", 1.0, (60.0, 61.0, 60.0, 60.0)),
        *rows("rob / std-d", 1.0, (70.0, 71.1, 20.0, 90.0)),
    ]
    return record(table, study="teacher_and_student", dataset="cifar10", model="ResNet-8")


def test_only_the_first_seeds_are_kept(made):
    two = first_seeds(made, 2)
    assert two.about.seeds == (0, 1) and set(two.table["seed"]) == {0, 1}
    assert two.table["mean"].tolist() == [60.0, 61.0, 70.0, 71.1]
    pd.testing.assert_frame_equal(first_seeds(made, 9).table, made.table)


def test_a_verdict_that_more_seeds_take_back_is_counted(made):
    found = verdicts_by_seeds(PAPER, [made], (2, 4)).set_index("seeds")
    rows = leading(reproduction(PAPER, [made]))
    asked = int((rows["is_difference"].eq(True) & (rows["verdict"] == Verdict.UNDECIDED)).sum())
    assert asked > 0
    assert found.loc[4, "undecided"] == asked
    assert found.loc[4, "alone"] == 0
    assert found.loc[2, "undecided"] == 0
    decided = found.columns.intersection(["same sign", "differs"])
    assert found.loc[2, decided].sum() == asked
    # Worst and mean are equal by construction: one comparison of ours stands behind all of them.
    assert found["ours"].tolist() == [1, 1]
    assert found.loc[2, ["alone", "Holm"]].tolist() == [1, 1]
