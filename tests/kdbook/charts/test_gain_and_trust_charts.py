"""What the charts of gains and of trust draw for a choice of the reader."""

import chart_frames as frames
import pandas as pd
import pytest

from kdbook.chapters.gains_are_not_uniform.charts import class_scatter, gain_explorer
from kdbook.chapters.trusting_the_teacher_less.charts import trust_estimate_explorer
from kdlib.errors import SettingError

pytest.importorskip("vl_convert", reason="vl-convert-python (extra: book) is not installed")


@pytest.mark.parametrize(("k", "shares"), [(1, [0, 0.5, 0.5]), (2, [0, 1, 1]), (3, [1, 1, 1])])
def test_a_class_is_marked_by_the_share_of_seeds_in_which_it_is_among_the_k_worst(k, shares):
    chart = gain_explorer(frames.gain_curves(), frames.class_places(), k=k)
    dots = [row for row in frames.marks(chart, "symbol") if "share" in row]
    found = {row["class_name"]: row["share"] for row in dots}
    assert len(dots) == 3
    assert [found[label] for label in range(3)] == shares


def test_the_chosen_order_and_k_are_pointed_at():
    chart = gain_explorer(frames.gain_curves(), frames.class_places(), order="validation", k=3)
    (point,) = [row for row in frames.marks(chart, "symbol") if "order" in row]
    assert (point["order"], point["k"], point["mean"]) == ("validation", 3, 101)


def test_the_first_order_stays_for_comparison():
    chart = gain_explorer(frames.gain_curves(), frames.class_places(), order="validation")
    lines = chart.to_dict()["vconcat"][0]["layer"][2:4]
    assert "strokeDash" in lines[0]["mark"]
    assert str(lines[0]["transform"][-1]["filter"]).endswith("'test')")


def test_a_scatter_marks_only_the_worst_and_nothing_without_places():
    frame = frames.class_places().head(3)
    shares = {row["class_name"]: row["share"] for row in frames.marks(
        class_scatter(frame, worst=1), "symbol")}  # fmt: skip
    assert shares == {2: 1, 1: 0, 0: 0}
    bare = class_scatter(frame.drop(columns="place"))
    assert {row["share"] for row in frames.marks(bare, "symbol")} == {0}


def test_only_the_chosen_number_of_dev_images_is_drawn_above():
    chart = trust_estimate_explorer(frames.trust_estimates(), n=2, label=1)
    points = pd.DataFrame(frames.marks(chart, "symbol"))
    assert set(points["n"]) == {2}
    assert len(points) == 3 + 1  # the classes, and the chosen one below
    assert sorted(points["class_name"]) == [0, 1, 1, 2]


@pytest.mark.parametrize("wrong", [{"n": 3}, {"label": 9}])
def test_what_is_not_in_the_frame_cannot_be_shown_first(wrong):
    with pytest.raises(SettingError, match="choose one of"):
        trust_estimate_explorer(frames.trust_estimates(), **wrong)


def test_many_classes_are_chosen_by_a_slider():
    params = trust_estimate_explorer(frames.trust_estimates(classes=21)).to_dict()["params"]
    assert {param["bind"]["input"] for param in params} == {"radio", "range"}
