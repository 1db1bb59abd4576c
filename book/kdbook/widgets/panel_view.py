"""The widgets of a panel: controls, a line, a bar with a button, a chart."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import altair as alt
from IPython.display import display

from kdbook.widgets.shell import Control

_START = alt.Chart(alt.sequence(0)).mark_point()


class PanelView:
    """As ``kdbook.widgets.exploring.View``, in widgets that both ipywidgets 7 and 8 have.

    Its methods may be called from any thread: they set values of widgets, and the chart is an
    output of the cell that is replaced, since an ``Output`` widget catches what is shown only while
    the front end waits for an answer.

    Args:
        controls: what a reader moves.
    """

    def __init__(self, controls: Sequence[Control]) -> None:
        import ipywidgets

        self._controls = {control.name: control.widget() for control in controls}
        self._line = ipywidgets.HTML()
        self._bar = ipywidgets.IntProgress(layout={"width": "20em", "visibility": "hidden"})
        self._button = ipywidgets.Button(layout={"visibility": "hidden"})
        self._work = ipywidgets.HBox([self._bar, self._button])
        self._chart: Any = None
        self._trains = False

    @property
    def values(self) -> dict[str, Any]:
        """Where the controls stand."""
        return {name: widget.value for name, widget in self._controls.items()}

    def connect(self, ask: Callable[[dict[str, Any]], None], cancel: Callable[[], None]) -> None:
        """Tell ``ask`` of every move; the button asks again, or cancels what is trained."""
        for widget in self._controls.values():
            widget.observe(lambda _: ask(self.values), names="value")
        self._button.on_click(lambda _: cancel() if self._trains else ask(self.values))

    def show(self) -> None:
        """Into the cell that runs: the widgets, and a place for the chart under them."""
        import ipywidgets

        display(ipywidgets.VBox([*self._controls.values(), self._line, self._work]))
        self._chart = display(_START, display_id=True)

    def say(self, text: str) -> None:
        """One line in place of the last; a screen reader says it."""
        self._line.value = f'<p role="status">{html.escape(text)}</p>'

    def draw(self, chart: alt.TopLevelMixin) -> None:
        """The chart in place of the last."""
        self._chart.update(chart)

    def progress(self, done: int, total: int) -> None:
        """The bar, and the button to cancel."""
        self._trains = True
        self._bar.max, self._bar.value = total, done
        self._bar.description = f"{done} of {total}"
        self._label("Cancel", bar=True)

    def idle(self, missing: int) -> None:
        """No bar; a button to train where something is missing."""
        self._trains = False
        self._label(f"Train {missing} runs" if missing else "", bar=False)

    def _label(self, text: str, *, bar: bool) -> None:
        self._button.description = text
        self._button.layout.visibility = "visible" if text else "hidden"
        self._bar.layout.visibility = "visible" if bar else "hidden"
