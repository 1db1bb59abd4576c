"""What the explorer of the trade-off draws at the reader's alpha."""

import chart_frames as frames
import pandas as pd
import pytest

from kdbook.chapters.objectives.charts import objective_explorer
from kdlib.errors import SettingError

pytest.importorskip("vl_convert", reason="vl-convert-python (extra: book) is not installed")


def drawn(alpha):
    chart = objective_explorer(*frames.objectives(), alpha=alpha)
    return pd.DataFrame(frames.marks(chart, "rect"))


@pytest.mark.parametrize(("alpha", "middle"), [(0.0, 0), (0.5, 1), (1.0, 1)])
def test_the_regions_follow_the_probabilities(alpha, middle):
    """At the middle input the class 1 overtakes class 0 (0.5 to 0.4) when alpha exceeds a third."""
    strips = drawn(alpha).dropna(subset="scorer")
    by_scorer = strips.groupby("scorer", sort=False)["class_name"].apply(list)
    assert by_scorer["standard"] == [0, 0, 2]
    assert by_scorer["at this α"] == [0, middle, 2]


def test_bars_are_the_risks_and_errors_of_the_chosen_alpha():
    bars = drawn(0.5)
    assert bars["cross-entropy (nats)"].dropna().tolist() == [1, 1.5, 2]
    assert bars["error (%)"].dropna().tolist() == [2.5, 12.5, 22.5]


def test_what_it_cannot_show_is_refused():
    curves, classes = frames.objectives()
    with pytest.raises(SettingError, match=r"alpha = 0.3 is not allowed"):
        objective_explorer(curves, classes, alpha=0.3)
    with pytest.raises(SettingError, match="4 classes are not allowed"):
        objective_explorer(pd.concat([curves, curves.assign(label=3)]), classes)
