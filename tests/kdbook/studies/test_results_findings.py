"""What the page of Table 3 says follows from its tables by rule."""

from types import SimpleNamespace

import pandas as pd
import pytest

from kdbook.chapters.results.findings import Findings

NAMES = ("distilled", "AdaAlpha", "AdaMargin")


def found(best, significant):
    """Findings whose comparisons are written by hand: ``best`` gains 8 points on one-hot."""
    one = Findings(SimpleNamespace(data=SimpleNamespace(num_classes=10)))
    rows = [
        {"measure": "rarest fifth", "comparison": f"{name} − one-hot", "seeds": 5,
         "mean": 8.0 if name == best else -1.0, "low": 1.0 if name == best else -4.0,
         "high": 15.0 if name == best else 2.0, "holds": significant and name == best}
        for name in NAMES
    ]  # fmt: skip
    one.__dict__.update(
        chosen=dict.fromkeys(NAMES, 2.0),
        pairs=[(f"{name}, T = 2", "one-hot") for name in NAMES],
        best=pd.DataFrame({"seed": range(5)}),
        found=pd.DataFrame(rows),
    )
    return one


@pytest.mark.parametrize("best", NAMES)
def test_the_headline_names_the_best_of_the_rarest_and_how_surely(best):
    assert found(best, True).headline().startswith(f"{best} does best")
    assert found(best, True).headline().endswith(": significant after correction")
    assert found(best, False).headline().endswith("not significant after correction")


def test_the_answer_gives_the_interval_and_counts_what_is_significant():
    said = found("AdaAlpha", True).in_short()
    assert (
        "to AdaAlpha, accuracy in the rarest fifth of the classes rises by 8.0 points (+1.0" in said
    )
    assert said.endswith("one is significant after correction.")
    assert "none is significant after correction" in found("AdaAlpha", False).in_short()
