"""Sliders over a drawing function where a kernel runs, one line where none does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
from IPython.display import HTML, display

from kdbook.charts.renderers import in_site

NOTE = (
    '<p class="kdlib-panel-note">This panel moves where a kernel runs: '
    "open it in Colab or with <code>make lab</code>.</p>"
)


@dataclass(frozen=True)
class Slider:
    """A slider as plain data: in the site no widget may be made, not even a hidden one.

    Attributes:
        name: the argument of the drawing function that it sets.
        label: its name in words, with the unit.
        low: its smallest value.
        high: its largest value.
        step: the distance between values. Where all numbers are whole, so are the values.
        value: where it starts.
    """

    name: str
    label: str
    low: float
    high: float
    step: float
    value: float

    def widget(self) -> Any:
        """The ipywidgets slider; it reports when it is let go, since a drawing may train."""
        import ipywidgets

        numbers = (self.low, self.high, self.step, self.value)
        whole = all(isinstance(number, int) for number in numbers)
        kind = ipywidgets.IntSlider if whole else ipywidgets.FloatSlider
        return kind(
            value=self.value,
            min=self.low,
            max=self.high,
            step=self.step,
            description=self.label,
            continuous_update=False,
            style={"description_width": "11em"},
            layout={"width": "32em", "max_width": "100%"},
        )


@dataclass(frozen=True)
class Choice:
    """A list to choose from, as plain data.

    Attributes:
        name: the argument of the drawing function that it sets.
        label: its name in words.
        options: from what is shown to the value.
        value: where it starts.
    """

    name: str
    label: str
    options: Mapping[str, str]
    value: str

    def widget(self) -> Any:
        """The ipywidgets list."""
        import ipywidgets

        return ipywidgets.Dropdown(
            options=list(self.options.items()),
            value=self.value,
            description=self.label,
            style={"description_width": "11em"},
            layout={"width": "32em", "max_width": "100%"},
        )


@dataclass(frozen=True)
class Steps:
    """A slider over a few values, as plain data: each of them may have to be trained.

    Attributes:
        name: the argument that it sets.
        label: its name in words.
        values: ascending; ``value`` is one of them.
        value: where it starts.
    """

    name: str
    label: str
    values: tuple[float, ...]
    value: float

    def widget(self) -> Any:
        """The ipywidgets slider; it reports when it is let go."""
        import ipywidgets

        return ipywidgets.SelectionSlider(
            options=[(f"{value:g}", value) for value in self.values],
            value=self.value,
            description=self.label,
            continuous_update=False,
            style={"description_width": "11em"},
            layout={"width": "32em", "max_width": "100%"},
        )


Control = Slider | Choice | Steps


def panel(
    draw: Callable[..., alt.TopLevelMixin],
    sliders: Sequence[Slider | Choice],
    *,
    twin: bool = False,
) -> None:
    """Show ``draw(**values)`` under its sliders.

    Args:
        draw: takes the sliders' values by name and returns a chart.
        sliders: what can be moved or chosen.
        twin: the page has a chart of the same that needs no kernel, so the site shows no second.
    """
    if in_site():
        display(HTML(NOTE))
        if not twin:
            display(draw(**{slider.name: slider.value for slider in sliders}))
        return
    _show_widgets(draw, sliders)


def _show_widgets(
    draw: Callable[..., alt.TopLevelMixin], sliders: Sequence[Slider | Choice]
) -> None:
    import ipywidgets

    widgets = {slider.name: slider.widget() for slider in sliders}
    output = ipywidgets.interactive_output(lambda **values: display(draw(**values)), widgets)
    display(ipywidgets.VBox([*widgets.values(), output]))
