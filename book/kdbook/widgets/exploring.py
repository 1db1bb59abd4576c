"""The panel of every chapter that trains: move a setting, and see who pays.

It answers from the store at once, and trains what is missing beside the kernel.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import altair as alt
from IPython.display import HTML, display

from kdbook.charts.renderers import in_site
from kdbook.shelf import BookStore, lacking
from kdbook.study import Study
from kdbook.widgets.answers import by_class, said
from kdbook.widgets.explored import Explored, Values, explored
from kdbook.widgets.ladders import baseline
from kdbook.widgets.latest import Latest
from kdbook.widgets.panel_view import PanelView
from kdbook.widgets.shell import NOTE
from kdbook.widgets.training import missing, train
from kdlib.errors import KdlibError
from kdlib.runs import RunSpec, Store


class View(Protocol):
    """What a panel shows."""

    def say(self, text: str) -> None:
        """One line in place of the last."""

    def draw(self, chart: alt.TopLevelMixin) -> None:
        """The chart, in place of the last."""

    def progress(self, done: int, total: int) -> None:
        """How many of the missing runs are trained, while they are, with a button to cancel."""

    def idle(self, missing: int) -> None:
        """Nothing is trained; with a button to train, where runs are ``missing``."""


class Panel:
    """Answers where the controls stand.

    Args:
        about: the study.
        view: what shows the answers.
        trains: as ``kdbook.widgets.training.train``.
        wait: seconds without a move after which it answers.
    """

    def __init__(
        self,
        about: Explored,
        view: View,
        trains: Callable[..., bool] = train,
        wait: float = 0.4,
    ) -> None:
        self._about, self._view, self._trains = about, view, trains
        self.latest = Latest(self._answer, wait)

    def start(self) -> None:
        """The answer where the controls start, if the store has it: nothing is trained unasked."""
        self._guarded(lambda: self._shown(self._about.start))

    def _answer(self, values: Values, stop: threading.Event) -> None:
        self._guarded(lambda: None if self._shown(values) else self._train(values, stop))

    def _guarded(self, act: Callable[[], Any]) -> None:
        """Run it; what goes wrong becomes one line."""
        try:
            act()
        except KdlibError as error:
            self._failed(str(error))
        except Exception as error:
            self._failed(f"{type(error).__name__}: {error}")

    def _failed(self, why: str) -> None:
        self._view.idle(0)
        self._view.say(f"This did not work: {why.strip().splitlines()[0]}")

    def _shown(self, values: Values) -> bool:
        """Show the answer; where runs are missing, say how many."""
        members = self._about.members_at(values)
        left = len(untrained([member.spec for member in members]))
        self._view.idle(left)
        if left:
            self._view.say(f"{left} of these runs are not trained yet.")
            return False
        asked, base = self._about.at(values), baseline(members)
        store = BookStore()
        results = [store.finished(member.spec) for member in members]
        self._view.draw(by_class(asked, members, results, base))
        self._view.say(said(asked, members, results, base))
        return True

    def _train(self, values: Values, stop: threading.Event) -> None:
        specs = [member.spec for member in self._about.members_at(values)]
        self._view.say("Training what the store lacks. You can read on meanwhile, or cancel.")
        if self._trains(lacking(specs), stop, self._view.progress, Store()):
            self._shown(values)
            return
        left = len(untrained(specs))
        self._view.idle(left)
        self._view.say(f"Cancelled: {left} runs are not trained yet; what is finished is kept.")


def untrained(specs: Sequence[RunSpec]) -> list[RunSpec]:
    """What must be trained here before all of these can be shown: their teachers, too."""
    return missing(lacking(specs), Store())


def explore(study: Study) -> None:
    """Show the panel of a study; in the site one line, since no kernel runs there.

    Args:
        study: as a chapter opened it. The panel starts at its settings.
    """
    if in_site():
        display(HTML(NOTE))
        return
    about = explored(study)
    view = PanelView(about.controls)
    panel = Panel(about, view)
    view.connect(panel.latest.ask, panel.latest.cancel)
    view.show()
    panel.start()
