"""What the stepper of the multipliers draws for a choice of the reader."""

import chart_frames as frames
import numpy as np
import pandas as pd
import pytest

from kdbook.chapters.multipliers.charts import multiplier_explorer
from kdlib.errors import SettingError

pytest.importorskip("vl_convert", reason="vl-convert-python (extra: book) is not installed")


def test_bars_are_those_of_the_chosen_run_and_move():
    chart = multiplier_explorer(frames.multiplier_path(), run="second", move=2)
    bars = pd.DataFrame(frames.marks(chart, "rect"))
    errors, weights = bars.iloc[:3], bars.iloc[3:]
    assert errors["error (%)"].tolist() == [0, 10, 20]
    np.testing.assert_allclose(weights["multiplier"], [0.3, 0.3, 0.4])


@pytest.mark.parametrize(("move", "shared", "most"), [(1, "2.9", "zero"), (3, "2.6", "two")])
def test_it_says_how_many_classes_share_the_weight_and_which_has_most(move, shared, most):
    from kdbook.collapse import effective_classes

    frame = frames.multiplier_path()
    weights = frame[(frame["move"] == move)].head(3)["multiplier"]
    assert f"{effective_classes(weights):.1f}" == shared
    names = frame["label"].map({0: "zero\n90", 1: "one\n50", 2: "two\n4"})
    chart = multiplier_explorer(frame.assign(class_name=names), move=move)
    words = [row["words"] for row in frames.marks(chart, "text") if "words" in row]
    assert words == [f"shared by {shared} classes, most to class {most}"]


def test_it_starts_at_the_last_move_of_the_first_run():
    params = multiplier_explorer(frames.multiplier_path()).to_dict()["params"]
    assert {p["name"]: p["value"] for p in params} == {"move": 3, "run": "first", "seed": 0}


@pytest.mark.parametrize("wrong", [{"run": "third"}, {"move": 0}, {"move": 4}])
def test_what_is_not_in_the_frame_cannot_be_shown_first(wrong):
    with pytest.raises(SettingError, match="is not allowed"):
        multiplier_explorer(frames.multiplier_path(), **wrong)
