"""The headline on numbers of classes counts what is clear."""

import pandas as pd
import pytest

from kdbook.chapters.number_of_classes import NumberOfClasses
from kdbook.chapters.number_of_classes.findings import Findings


def found(*highs):
    one = Findings(NumberOfClasses.parse())
    one.__dict__["worst"] = pd.DataFrame(
        {"imbalance": [1.0, 20.0, 20.0], "classes": [10, 2, 10], "high": highs}
    )
    return one


@pytest.mark.parametrize(
    ("highs", "said"),
    [
        ((1, 2, 3), "At no number of classes does the worst class clearly lose"),
        ((1, -2, -3), "clearly loses: 0 of 1 at ratio 1, 2 of 2 at ratio 20"),
    ],
)
def test_headline(highs, said):
    assert found(*highs).headline().endswith(said)


def in_short(lows, highs):
    one = found(*highs)
    means = [(low + high) / 2 for low, high in zip(lows, highs, strict=True)]
    one.__dict__["worst"] = one.worst.assign(mean=means, low=lows, seeds=3)
    return one.in_short()


def test_wide_intervals_are_no_answer_and_are_said_to_be_none():
    said = in_short((-7.0, -20.0, -41.0), (5.0, 10.0, 15.0))
    assert "cannot tell whether few classes of a long tail are safe" in said
    assert "the worst of 2 classes shows no clear change (-5.0 points, -20.0 to +10.0" in said
    assert "the worst of all 10 shows no clear change (-13.0 points, -41.0 to +15.0, 3 rep" in said
    assert "at ratio 1 no interval of any number of classes reaches below -7.0 points" in said


def test_a_clear_loss_is_an_answer():
    said = in_short((-7.0, -20.0, -41.0), (5.0, 10.0, -1.0))
    assert "cannot" not in said
    assert "clearly loses at 1 of 2 sizes" in said and "falls by 21.0 points" in said


def test_one_repeat_tells_nothing_of_balanced_classes_either():
    nothing = float("nan")
    assert "cannot tell it either" in in_short((nothing,) * 3, (nothing,) * 3)
