"""What a reader moves in a chart."""

import altair as alt
import pytest

from kdbook.charts.controls import even_slider, one_of
from kdlib.errors import SettingError


def test_each_option_is_offered_once_and_numbers_are_short():
    bound = one_of("ratio", "Ratio ", [1.0, 20.0, 1.0], 20.0).param.to_dict()
    assert bound["value"] == 20
    assert bound["bind"] == {
        "input": "radio", "name": "Ratio ", "options": [1, 20], "labels": ["1", "20"],
    }  # fmt: skip


def test_a_list_starts_with_its_first_option():
    bound = one_of("data", "Data ", {"digits": 1, "cifar10": 2}, listed=True).param.to_dict()
    assert bound["value"] == "digits"
    assert bound["bind"] == {"input": "select", "name": "Data ", "options": ["digits", "cifar10"]}


def test_a_start_that_is_not_offered_is_refused_by_the_callers_name():
    with pytest.raises(SettingError, match=r"shown = 'c' is not allowed: choose one of a, b"):
        one_of("measure", "Measure ", ["a", "b"], "c", argument="shown")


def test_a_slider_stops_at_the_grid():
    bound = even_slider("heat", "T ", [1.0, 1.5, 2.0]).param.to_dict()
    assert bound["value"] == 1
    assert (bound["bind"]["min"], bound["bind"]["max"], bound["bind"]["step"]) == (1, 2, 0.5)
    assert isinstance(even_slider("heat", "T ", [1, 2], 2), alt.Parameter)


@pytest.mark.parametrize("grid", [[1.0], [1.0, 2.0, 4.0]])
def test_another_grid_has_no_slider(grid):
    with pytest.raises(SettingError, match=r"heat .* give two or more values, evenly spaced"):
        even_slider("heat", "T ", grid)
