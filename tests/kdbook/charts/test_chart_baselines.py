"""The scatter of baselines and the bars of the failure: what they show, and what they refuse."""

import chart_frames as frames
import pytest

from kdbook.chapters.baselines_and_compression.charts import baseline_scatter, failure_bars
from kdlib.errors import SettingError

POINTS, ROWS = frames.baseline_points(), frames.failures()


def layers(points):
    """Of the scatter, which is below the sentence."""
    return baseline_scatter(points).to_dict()["vconcat"][1]["layer"]


def test_the_list_holds_every_data_set_and_the_words_the_first():
    spec = baseline_scatter(POINTS).to_dict()
    (listed,) = [p for p in spec["params"] if p["name"] == "data"]
    assert listed["value"] == "a" and listed["bind"]["options"] == ["a", "b"]
    assert "post shift, rob teacher: 88.0 and 71.2" in spec["description"]
    second = baseline_scatter(POINTS, data="b").to_dict()["params"]
    assert [p["value"] for p in second if p["name"] == "data"] == ["b"]


def test_one_colour_a_method_and_one_shape_a_variant():
    dots = layers(POINTS)[-1]
    assert dots["encoding"]["color"]["scale"]["domain"] == ["distilled", "post shift"]
    assert dots["encoding"]["shape"]["scale"]["domain"] == ["std teacher", "rob teacher"]
    assert dots["encoding"]["x"]["title"].endswith("(%)")


def test_intervals_are_drawn_where_there_are_any():
    ends = {f"{side}_{end}": 1.0 for side in ("average", "worst") for end in ("low", "high")}
    assert len(layers(POINTS)) == 1
    assert len(layers(POINTS.assign(**ends))) == 3


def test_bars_say_in_words_what_fails():
    spec = failure_bars(ROWS, measure="worst class", title="T").to_dict()
    assert "std-d (std teacher) 0.00; std-d (rob teacher) 10.71" in spec["description"]
    assert spec["params"][0]["bind"]["options"] == ["worst class", "average"]


def test_what_is_not_there_is_refused():
    with pytest.raises(SettingError, match="data = 'c'"):
        baseline_scatter(POINTS, data="c")
    with pytest.raises(SettingError, match="measure = 'x'"):
        failure_bars(ROWS, measure="x", title="T")
    with pytest.raises(SettingError, match="variant"):
        baseline_scatter(POINTS.drop(columns="variant"))
