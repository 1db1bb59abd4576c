"""What the slider of the offset picks, as the browser draws it."""

import chart_frames as frames
import pytest

from kdbook.chapters.adamargin.charts import offset_explorer
from kdlib.errors import SettingError


def drawn(kind, log_offset):
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed")
    chart = offset_explorer(*frames.offsets(), log_offset=log_offset)
    return frames.marks(chart, kind)


@pytest.mark.parametrize("log_offset", [-4.0, -3.0, -2.0])
def test_bars_are_those_of_the_sliders_offset(log_offset):
    bars = drawn("rect", log_offset)
    costs = [bar["log_cost"] for bar in bars if "log_cost" in bar]
    shares = [bar["share"] for bar in bars if "share" in bar]
    assert costs == [-log_offset] * 4
    assert shares == [25 + log_offset] * 4


@pytest.mark.parametrize(("log_offset", "accuracy"), [(-4.0, 54), (-2.0, 52)])
def test_the_nearest_trained_offset_is_shown_and_one_hot_always(log_offset, accuracy):
    dots = drawn("symbol", log_offset)
    assert {dot["mean"] for dot in dots if dot["method"] == "AdaMargin"} == {accuracy}
    assert len([dot for dot in dots if dot["method"] == "one-hot"]) == 4


def test_uneven_offsets_are_refused():
    with pytest.raises(SettingError, match="evenly spaced"):
        offset_explorer(*frames.offsets((-6.0, -3.0, -2.0)))
