"""The line that says when and on what a page's runs were trained."""

from types import SimpleNamespace

import pandas as pd
import pytest

from kdbook import trained_where as module
from kdbook.chapters import study
from kdbook.shelf import Shelf
from kdbook.shelf import shelf as shelf_module
from kdbook.shelf.writing import write_part


@pytest.fixture
def recorded(trained, tmp_path, monkeypatch):
    write_part(tmp_path, "rare_classes", trained[1])
    monkeypatch.setattr(shelf_module, "_shelf", lambda _: Shelf(tmp_path))
    monkeypatch.setenv("KDLIB_RECORDED", "1")


@pytest.fixture
def said(short, monkeypatch):
    """The line of a reader whose runs lie in a store."""

    def of(store):
        monkeypatch.setenv("KDLIB_STORE", str(store))
        return study("rare_classes").parse(**short).trained_where().data

    return of


def test_recorded_runs_say_when_and_on_what(recorded, trained, said, tmp_path):
    count = len({result.spec.id for result in trained[1]})
    line = said(tmp_path / "empty")
    assert line.startswith(f"*Recorded: {count} runs, ")
    assert " on " in line
    assert "this machine" not in line


def test_runs_trained_here_too_are_set_beside(recorded, trained, said):
    assert said(trained[0].root).endswith("Trained on this machine too, to the same numbers.*")


def test_without_a_record_they_were_trained_here(trained, said, monkeypatch):
    monkeypatch.setenv("KDLIB_RECORDED", "0")
    assert said(trained[0].root).startswith("*Trained on this machine: ")


def test_what_came_out_otherwise_is_named_with_its_size():
    def rows(mean):
        return pd.DataFrame(
            {"method": ["one-hot", "distilled"], "temperature": [float("nan"), 2.0],
             "imbalance": 5.0, "mean": mean, "rarest": 50.0}
        )  # fmt: skip

    measures = {"mean": "mean of the classes", "rarest": "rarest fifth"}
    asked = SimpleNamespace(
        table=rows([80.0, 70.0]), per_seed=lambda _: rows([80.0, 68.5]), measures=lambda: measures
    )
    both = module.beside(asked, [])
    assert dict(zip(both["method"] + both["measure"], both["points"], strict=True)) == {
        "one-hotmean of the classes": 0.0, "distilled, T = 2mean of the classes": -1.5,
        "one-hotrarest fifth": 0.0, "distilled, T = 2rarest fifth": 0.0,
    }  # fmt: skip
    page = module._told("Recorded.", both).data
    assert "the mean of the classes of distilled, T = 2 moves by -1.5 points" in page
    assert "<td" in page


@pytest.mark.parametrize(
    ("told", "machine"),
    [
        ({"machines": ("AMD EPYC, model 2, AVX512, threads: 1",)}, "AMD EPYC (one thread)"),
        ({"machines": ("AMD EPYC, model 2, AVX512, threads: 8",)}, "AMD EPYC (8 threads)"),
        ({"devices": ("CPU, 2 cores",)}, "a CPU of 2 cores"),
        ({"devices": ("NVIDIA H200",)}, "NVIDIA H200"),
    ],
)
def test_a_page_that_reads_a_record_says_whose_it_is(told, machine):
    about = SimpleNamespace(
        runs={"a": "completed", "b": "completed"}, trained=("2026-11-24", "2026-11-25"),
        **{"machines": (), "devices": ("CPU, 2 cores",)} | told,
    )  # fmt: skip
    line = module.recorded_where(about, "students").data
    assert line == f"*Recorded: 2 students, 24 November 2026 to 25 November 2026, on {machine}.*"


def test_what_was_computed_has_the_day_of_its_record():
    about = SimpleNamespace(trained=None, recorded="2026-11-24", machines=(), devices=("A", "B"))
    assert module.said_of(about, "5 seeds") == "5 seeds, 24 November 2026, on A and B"
