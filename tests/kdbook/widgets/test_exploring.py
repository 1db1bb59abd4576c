"""The panel of a study, from the move of a control to its line, and the trainings it starts."""

import sys
import threading
import time

import altair as alt
import ipywidgets
import pytest

from kdbook import widgets
from kdbook.chapters import study
from kdbook.widgets import exploring as module
from kdbook.widgets.explored import explored
from kdbook.widgets.exploring import Panel
from kdbook.widgets.panel_view import PanelView
from kdbook.widgets.training import missing, train
from kdlib.errors import KdlibError
from kdlib.runs import Store

LONG = 120
SHORT = {"epochs": 2, "teacher_epochs": 2, "seeds": 2, "imbalances": (5.0,)}


class Seen:
    """A view that keeps what it is told."""

    def __init__(self):
        self.lines, self.charts, self.counts, self.lacking = [], [], [], []

    def say(self, text):
        self.lines.append(text)

    def draw(self, chart):
        self.charts.append(chart)

    def progress(self, done, total):
        self.counts.append((done, total))

    def idle(self, missing):
        self.lacking.append(missing)


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("KDLIB_STORE", str(tmp_path))
    return Store(tmp_path)


@pytest.fixture
def tiny(store):
    return explored(study("rare_classes").parse(**SHORT))


def specs_of(panel):
    return [member.spec for member in panel.members_at(panel.start)]


def never(*_):
    raise AssertionError("nothing may be trained")


def asked(panel, values):
    panel.latest.ask(values)
    assert panel.latest.join(LONG)


def test_nothing_is_trained_before_a_control_moves(tiny):
    seen = Seen()
    Panel(tiny, seen, trains=never).start()
    assert (seen.lines, seen.lacking) == (["6 of these runs are not trained yet."], [6])
    assert seen.charts == []


@pytest.mark.slow
def test_what_is_missing_is_trained_once_and_then_answered_from_the_store(tiny, store):
    seen = Seen()
    asked(Panel(tiny, seen, wait=0.01), tiny.start)
    assert missing(specs_of(tiny), store) == []
    assert {total for _, total in seen.counts} == {6}
    assert seen.lines[-1].startswith("From one-hot to distilled, the mean of the classes ")
    again = Seen()
    asked(Panel(tiny, again, trains=never, wait=0.01), tiny.start)
    assert again.charts[0].to_dict() == seen.charts[0].to_dict()
    assert again.lines == seen.lines[-1:]


def test_a_cancelled_training_says_what_is_left(tiny):
    seen = Seen()
    asked(Panel(tiny, seen, trains=lambda *_: False, wait=0.01), tiny.start)
    assert seen.lines[-1] == "Cancelled: 6 runs are not trained yet; what is finished is kept."
    assert seen.lacking[-1] == 6


@pytest.mark.parametrize("error", [KdlibError("no images"), ValueError("odd\nand long")])
def test_an_error_is_one_line(tiny, error):
    def fails(*_):
        raise error

    seen = Seen()
    asked(Panel(tiny, seen, trains=fails, wait=0.01), tiny.start)
    assert "\n" not in seen.lines[-1]
    assert seen.lines[-1].startswith("This did not work: ")
    assert str(error).splitlines()[0] in seen.lines[-1]


def test_a_value_that_is_not_allowed_is_one_line(tiny):
    seen = Seen()
    asked(Panel(tiny, seen, trains=never, wait=0.01), tiny.start | {"alpha": 2.0})
    assert "alpha = 2.0 is not allowed: number from 0 to 1" in seen.lines[-1]


@pytest.mark.slow
def test_a_cancelled_training_ends_at_once_and_leaves_no_process(store, monkeypatch):
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "2")  # with workers, where there are two cores
    long = explored(study("rare_classes").parse(**SHORT | {"epochs": 5000}))
    stop, stopped = threading.Event(), []

    def stop_under_way(*_):
        if not stopped and any(store.root.glob("*/checkpoint.safetensors")):
            stopped.append(time.monotonic())
            stop.set()

    assert train(specs_of(long), stop, stop_under_way, store) is False
    assert time.monotonic() - stopped[0] < 16
    assert missing(specs_of(long), store)
    assert not (store.root / "locks").exists() or all_free(store)


def all_free(store):
    from filelock import FileLock

    for path in (store.root / "locks").glob("*.lock"):
        with FileLock(path, timeout=10):
            pass
    return True


@pytest.mark.slow
def test_the_training_that_fails_says_why(store, monkeypatch):
    cifar = explored(study("rare_classes").parse(profile="standard", seeds=1))
    monkeypatch.setenv("KDLIB_DATA", str(store.root / "nowhere"))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # where nothing is downloaded
    with pytest.raises(KdlibError) as caught:
        train(specs_of(cifar)[:1], threading.Event(), lambda *_: None, store)
    assert "\n" not in str(caught.value) and str(caught.value)


def test_of_two_trainings_the_second_waits_and_can_be_cancelled(store, monkeypatch):
    inside, let_go, at_once = threading.Event(), threading.Event(), []

    def watched(*_):
        at_once.append(True)
        inside.set()
        return let_go.wait(LONG)

    monkeypatch.setattr("kdbook.widgets.training._watched", watched)
    monkeypatch.setattr("kdbook.widgets.training.missing", lambda *_: ["a run"])
    answers, stop = [], threading.Event()
    run = lambda event: answers.append(train([], event, never, store))  # noqa: E731
    first = threading.Thread(target=run, args=(threading.Event(),))
    second = threading.Thread(target=run, args=(stop,))
    first.start()
    assert inside.wait(LONG)
    second.start()
    stop.set()
    second.join(LONG)
    assert (answers, len(at_once)) == ([False], 1)
    let_go.set()
    first.join(LONG)
    assert answers == [False, True]


@pytest.fixture
def shown(monkeypatch):
    """What is displayed, in order; each chart can be replaced."""
    things = []

    class Place:
        def update(self, chart):
            things.append(chart)

    def display(thing, display_id=False):
        things.append(thing)
        return Place() if display_id else None

    for place in ("exploring", "panel_view"):
        monkeypatch.setattr(sys.modules[f"kdbook.widgets.{place}"], "display", display)
    return things


def test_the_site_gets_one_line_and_no_widget(tiny, shown, monkeypatch):
    monkeypatch.setenv("KDLIB_SITE", "1")
    monkeypatch.setattr(module, "PanelView", None)
    widgets.explore(tiny.study)
    assert len(shown) == 1 and "make lab" in shown[0].data


def test_a_kernel_gets_labelled_controls_and_a_button_to_train(tiny, shown, monkeypatch):
    monkeypatch.delenv("KDLIB_SITE", raising=False)
    widgets.explore(tiny.study)
    box, place = shown
    *controls, line, work = box.children
    assert [control.description for control in controls] == [c.label for c in tiny.controls]
    assert all(isinstance(control, ipywidgets.SelectionSlider) for control in controls)
    assert "6 of these runs are not trained yet." in line.value
    bar, button = work.children
    assert (button.description, button.layout.visibility) == ("Train 6 runs", "visible")
    assert bar.layout.visibility == "hidden"
    assert isinstance(place, alt.TopLevelMixin)


def test_moves_and_the_button_reach_the_panel(tiny, shown):
    wished, cancelled = [], []
    view = PanelView(tiny.controls)
    view.connect(wished.append, lambda: cancelled.append(True))
    view.show()
    *controls, _, work = shown[0].children
    moved = next(c for c in controls if c.description == "Temperature T")
    moved.value = 5
    assert wished == [tiny.start | {"temperature": 5}]
    view.progress(1, 6)
    work.children[1].click()
    assert (len(wished), cancelled) == (1, [True])
    view.idle(5)
    work.children[1].click()
    assert (len(wished), cancelled) == (2, [True])
    view.idle(0)
    assert work.children[1].layout.visibility == "hidden"


def test_a_line_shows_what_a_message_holds_as_text(tiny, shown):
    view = PanelView(tiny.controls)
    view.show()
    view.say("a < b & c")
    assert "a &lt; b &amp; c" in shown[0].children[-2].value
