"""What the page of Table 4 says follows from its tables by rule."""

import pandas as pd
import pytest

from kdbook.chapters.ablations import CONSTANT
from kdbook.chapters.ablations.findings import Findings

OTHERS = ("shuffled", CONSTANT, "one-hot")


def found(won):
    """AdaAlpha is 8 points ahead of those of ``won``, and 1 point behind the others."""
    one = Findings(None)
    rows = [
        {"measure": "rarest fifth", "other": name, "seeds": 10, "holds": name in won,
         "mean": 8.0 if name in won else -1.0, "low": 2.0 if name in won else -5.0,
         "high": 14.0 if name in won else 3.0}
        for name in OTHERS
    ]  # fmt: skip
    one.__dict__["found"] = pd.DataFrame(rows)
    return one


@pytest.mark.parametrize(
    ("won", "words"),
    [(OTHERS, "beats all 3 others"), (OTHERS[:2], "beats 2 of the 3 others"), ((), "none of the")],
)
def test_the_headline_counts_the_others_that_are_clearly_behind(won, words):
    assert words in found(won).headline()


def test_the_place_matters_only_where_both_twins_are_clearly_behind():
    assert "place of the trust matters" in found(OTHERS).in_short()
    assert "8.0 points (+2.0 to +14.0) ahead of" in found(OTHERS).in_short()
    for won in ((), ("shuffled",), (CONSTANT,)):
        assert "does not clearly matter" in found(won).in_short()
