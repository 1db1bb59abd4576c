"""The bar: what it says, and where it stays quiet."""

import sys
import types

import tqdm
import tqdm.auto
from small_training import changed, network, one_hot, random_split, run

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


def test_into_a_file_it_is_quiet(monkeypatch, capsys):
    fake_ipython(monkeypatch, None)
    with progress.training_bar(True, total=1) as show:
        show(RECORD)
    assert capsys.readouterr().err == ""


def test_a_live_notebook_gets_the_fitting_class(monkeypatch):
    fake_ipython(monkeypatch, types.SimpleNamespace(kernel=object()))
    assert progress.someone_looks()
    assert progress.bar_class() is tqdm.auto.tqdm


def test_a_page_being_built_gets_no_widget(monkeypatch):
    fake_ipython(monkeypatch, types.SimpleNamespace(kernel=object()))
    monkeypatch.setenv("KDLIB_SITE", "1")
    assert not progress.someone_looks()
    assert progress.bar_class() is tqdm.tqdm
