"""What the menus of temperatures pick, as the browser draws it."""

import chart_frames as frames
import pytest

from kdbook.chapters.results.charts import temperature_explorer
from kdlib.errors import SettingError

CHOSEN = {"distilled": 2.0, "AdaAlpha": 3.0}


def drawn(chosen):
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed")
    chart = temperature_explorer(*frames.temperatures(), chosen)
    marks = [m for m in frames.marks(chart, "symbol") if "subgroup" in m]
    return {mark["method"]: mark for mark in marks}


def test_the_lower_chart_shows_each_method_at_its_own_menus_temperature():
    shown = drawn(CHOSEN)
    assert {name: mark["subgroup"] for name, mark in shown.items()} == {
        "distilled": "T = 2", "AdaAlpha": "T = 3",
    }  # fmt: skip
    assert drawn({"distilled": 1.0, "AdaAlpha": 1.0})["distilled"]["subgroup"] == "T = 1"


def test_the_first_measure_is_shown_first():
    _, changes = frames.temperatures()
    rows = changes[(changes["measure"] == "mean") & (changes["method"] == "distilled")]
    wanted = rows.set_index("temperature")["mean"][2.0]
    assert drawn(CHOSEN)["distilled"]["mean"] == pytest.approx(wanted)


def test_menus_name_the_temperature_that_validation_chose():
    chart = temperature_explorer(*frames.temperatures(), CHOSEN).to_dict()
    menus = [p["bind"] for p in chart["params"] if p["bind"]["input"] == "select"]
    assert [menu["name"] for menu in menus] == ["distilled ", "AdaAlpha "]
    assert menus[0]["labels"] == ["T = 1", "T = 2 (by validation)", "T = 3"]


def test_a_temperature_that_was_not_trained_is_refused():
    with pytest.raises(SettingError, match=r"distilled was not trained at T = 7"):
        temperature_explorer(*frames.temperatures(), {"distilled": 7.0})


def test_the_sentences_are_of_the_picked_temperatures():
    pytest.importorskip("vl_convert", reason="vl-convert-python is not installed")
    chart = temperature_explorer(*frames.temperatures(), CHOSEN)
    said = {mark["said"] for mark in frames.marks(chart, "text") if "said" in mark}
    assert said == {"distilled at 2.0", "AdaAlpha at 3.0"}
