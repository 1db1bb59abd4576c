"""Panels: sliders that redraw where a kernel runs, one line where none does."""

import altair as alt
import ipywidgets
import numpy as np
import pandas as pd
import pytest

from kdbook import widgets
from kdbook.widgets import shell

LOGITS, LABELS = np.eye(3) * 4, np.arange(3)


def by_group(depth, alpha, threshold):
    return pd.DataFrame({"group": ["a", "b"], "mean": [float(depth), 100 * alpha * threshold],
                         "low": 0.0, "high": 50.0})  # fmt: skip


PANELS = {
    "soft_labels": lambda: widgets.explore_soft_labels(LOGITS, -LOGITS, LABELS, ["a", "b", "c"]),
    "adaptive_mix": lambda: widgets.explore_adaptive_mix(LOGITS, LABELS),
    "groups": lambda: widgets.explore_groups(by_group),
    "worst_class_noise": widgets.explore_worst_class_noise,
}
each_panel = pytest.mark.parametrize("explore", PANELS.values(), ids=PANELS)


@pytest.fixture
def shown(monkeypatch):
    """What is displayed, in order."""
    things = []
    monkeypatch.setattr(shell, "display", things.append)
    return things


@pytest.fixture
def no_widgets(monkeypatch):
    monkeypatch.setenv("KDLIB_SITE", "1")
    for name in ("IntSlider", "FloatSlider", "Dropdown", "VBox", "Output"):
        monkeypatch.setattr(ipywidgets, name, None)


@each_panel
def test_the_site_gets_a_line_and_never_a_widget(explore, shown, no_widgets):
    explore()
    assert "make lab" in shown[0].data
    assert all(isinstance(thing, alt.TopLevelMixin) for thing in shown[1:])


def test_without_a_twin_the_site_also_gets_the_chart(shown, no_widgets):
    widgets.explore_worst_class_noise(twin=False)
    assert len(shown) == 2
    widgets.explore_worst_class_noise(twin=True)
    assert len(shown) == 3


@each_panel
def test_a_kernel_gets_sliders_that_start_inside_their_range(explore, shown, monkeypatch):
    monkeypatch.delenv("KDLIB_SITE", raising=False)
    explore()
    box = next(thing for thing in shown if isinstance(thing, ipywidgets.VBox))
    *sliders, output = box.children
    assert sliders and isinstance(output, ipywidgets.Output)
    assert all(starts_inside(slider) for slider in sliders)
    assert all(slider.description for slider in sliders)


def starts_inside(control):
    if isinstance(control, ipywidgets.Dropdown):
        return control.value in dict(control.options).values()
    return control.min <= control.value <= control.max


def test_moving_a_slider_draws_again(shown, monkeypatch):
    monkeypatch.delenv("KDLIB_SITE", raising=False)
    seen = []

    def draw(x):
        seen.append(x)
        return alt.Chart(alt.sequence(3)).mark_point()

    widgets.panel(draw, [widgets.Slider("x", "Number", 0, 10, 1, 3)])
    box = next(thing for thing in shown if isinstance(thing, ipywidgets.VBox))
    box.children[0].value = 7
    assert seen == [3, 7]


@each_panel
def test_every_end_of_every_slider_can_be_drawn(explore, shown, monkeypatch):
    calls = []
    monkeypatch.setattr("kdbook.widgets.panels.panel", lambda *args, **_: calls.append(args))
    explore()
    (draw, sliders), start = calls[0], {}
    start = {slider.name: slider.value for slider in sliders}
    for slider in sliders:
        for end in ends(slider):
            draw(**{**start, slider.name: end}).to_dict()


def ends(control):
    if isinstance(control, widgets.Choice):
        return control.options.values()
    return control.low, control.high


def test_a_choice_draws_again(shown, monkeypatch):
    monkeypatch.delenv("KDLIB_SITE", raising=False)
    seen = []

    def draw(kind):
        seen.append(kind)
        return alt.Chart(alt.sequence(3)).mark_point()

    widgets.panel(draw, [widgets.Choice("kind", "Kind", {"one": "a", "two": "b"}, "b")])
    box = next(thing for thing in shown if isinstance(thing, ipywidgets.VBox))
    box.children[0].label = "one"
    assert seen == ["b", "a"]


def test_whole_numbers_stay_whole():
    assert isinstance(widgets.Slider("n", "Images", 1, 9, 1, 5).widget(), ipywidgets.IntSlider)
    assert isinstance(widgets.Slider("t", "T", 0.1, 9, 0.1, 5).widget(), ipywidgets.FloatSlider)
