"""The bar: what it says, and where it stays quiet."""

import sys
import time
import types

import pytest
import tqdm
import tqdm.auto
from small_training import changed, network, one_hot, random_split, run

from kdlib import plain_lines
from kdlib.training import EpochRecord, progress, train

RECORD = EpochRecord(
    epoch=1, loss=0.25, accuracy=0.875, rate=0.1, seconds=2.0, images_per_second=1234.0
)


def fake_ipython(monkeypatch, shell):
    module = types.SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", module)
    monkeypatch.delenv("KDLIB_SITE", raising=False)


def fake_terminal(monkeypatch):
    fake_ipython(monkeypatch, None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)


def test_a_record_in_words():
    assert progress.describe(RECORD) == "loss 0.250, accuracy 87.5%, 1,234 images/s"


def test_a_terminal_gets_one_text_bar(monkeypatch, capsys):
    fake_terminal(monkeypatch)
    with progress.training_bar("student, seed 3", total=2, done=1) as show:
        show(RECORD)
    shown = capsys.readouterr().err
    assert "student, seed 3: 100%" in shown
    assert "2/2" in shown
    assert progress.describe(RECORD) in shown


def test_training_draws_its_bar(monkeypatch, capsys):
    fake_terminal(monkeypatch)
    recipe = changed(stop_after=2)
    train(network(), random_split(), one_hot(), recipe, seed=0, bar="a tiny one")
    assert "a tiny one" in capsys.readouterr().err


def test_switched_off_it_is_quiet(monkeypatch, capsys):
    fake_terminal(monkeypatch)
    with progress.training_bar(False, total=1) as show:
        show(RECORD)
    run(changed(stop_after=1))
    assert capsys.readouterr().err == ""


@pytest.fixture
def into_a_file(monkeypatch):
    """No terminal, no notebook, no page; lines come at once."""
    fake_ipython(monkeypatch, None)
    monkeypatch.setattr(progress.PlainLines, "EVERY", 0.01)


def test_into_a_file_a_plain_line_says_done_total_and_time_left(into_a_file, capsys):
    with progress.training_bar("student", total=4, done=1) as show:
        show(RECORD)
        time.sleep(0.1)
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("student: 2 of 4 epochs done after 1 s, about ")
    assert lines[-1].endswith(f" left; {progress.describe(RECORD)}")
    time.sleep(0.05)
    assert capsys.readouterr().err == ""  # it ends with the block


def test_what_is_short_says_nothing_and_a_page_hears_nothing(into_a_file, monkeypatch, capsys):
    monkeypatch.setenv("KDLIB_SITE", "1")
    with progress.training_bar(True, total=2) as show:
        time.sleep(0.05)
        show(RECORD)
    monkeypatch.delenv("KDLIB_SITE")
    monkeypatch.setattr(progress.PlainLines, "EVERY", 30.0)
    with progress.training_bar(True, total=2) as show:
        show(RECORD)
    assert capsys.readouterr().err == ""


def test_the_time_left_is_that_of_the_rest_at_the_pace_so_far(monkeypatch):
    now = iter([100.0, 110.0, 160.0])
    monkeypatch.setattr(plain_lines.time, "monotonic", lambda: next(now))
    lines = progress.PlainLines("training runs", "run", total=9, done=3)
    assert lines.line() == ("training runs: 3 of 9 runs done after 10 s, time left not known yet")
    lines.update(2)  # in 60 s: the other four take 120 s
    assert lines.line() == "training runs: 5 of 9 runs done after 60 s, about 2 min left"


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.1, "1 s"), (89, "89 s"), (95, "2 min"), (5500, "1.5 h")]
)
def test_times_in_words(seconds, words):
    assert plain_lines.duration(seconds) == words


def test_a_live_notebook_gets_the_fitting_class(monkeypatch):
    fake_ipython(monkeypatch, types.SimpleNamespace(kernel=object()))
    assert progress.someone_looks()
    assert progress.bar_class() is tqdm.auto.tqdm


def test_a_page_being_built_gets_no_widget(monkeypatch):
    fake_ipython(monkeypatch, types.SimpleNamespace(kernel=object()))
    monkeypatch.setenv("KDLIB_SITE", "1")
    assert not progress.someone_looks()
    assert progress.bar_class() is tqdm.tqdm
