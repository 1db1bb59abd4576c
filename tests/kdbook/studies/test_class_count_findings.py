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
