"""What the chart of trade-offs draws for a choice of the reader."""

import chart_frames as frames
import pytest

from kdbook.chapters.trade_offs.charts import trade_off_explorer
from kdlib.errors import SettingError

pytest.importorskip("vl_convert", reason="vl-convert-python (extra: book) is not installed")


def explorer(**choice):
    return trade_off_explorer(frames.trade_offs(), frames.trade_off_marks(), **choice)


def points(chart):
    found = [row for row in frames.marks(chart, "symbol") if "alpha of student" in row]
    return {(row["average accuracy (%)"], row["worst class (%)"]) for row in found}


def test_only_the_chosen_panel_is_drawn():
    assert points(explorer()) == {(94, 88), (92, 91), (93, 90), (90, 87)}
    assert points(explorer(panel="second")) == {(84, 78), (82, 81), (83, 80), (80, 77)}


def test_the_grid_says_each_value_and_marks_the_frontier():
    words = [row["text"] for row in frames.marks(explorer(), "text") if "text" in row]
    assert sorted(str(w) for w in words) == ["87.0", "88.0 *", "90.0 *", "91.0 *"]


def test_it_starts_with_everything_shown():
    params = {p["name"]: p for p in explorer().to_dict()["params"]}
    assert params["panel"]["value"] == "first" and params["shown"]["value"] == "worst"
    assert "value" not in params["brush"]  # nothing brushed: all cells keep their colour


def test_a_panel_that_is_not_there_is_refused():
    with pytest.raises(SettingError, match="third"):
        explorer(panel="third")
