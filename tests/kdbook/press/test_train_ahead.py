import io
import json
from pathlib import Path

import pytest

from kdbook.chapters import STUDIES, measuring, study
from kdbook.press import train_ahead, training_process
from kdbook.press.toc import Page, read_pages
from kdlib.runs import Store, missing_runs


def test_every_study_names_a_chapter_of_the_book():
    root = Path(__file__).parents[3]
    assert set(STUDIES.values()) <= {page.path for page in read_pages(root)}


def test_a_chapter_without_a_study_of_its_own_to_train_wants_nothing(tmp_path):
    chapters = [
        (Page("book/teachers_pet/rare_classes", tmp_path), {"profile": "quick", "seeds": 1}),
        (Page("book/part/one", tmp_path), {"size": 2}),
        (Page("book/teachers_pet/what_decides_who_pays", tmp_path), {"profile": "quick"}),
    ]
    wanted = train_ahead.wanted_studies(chapters)
    assert wanted == [("rare_classes", {"profile": "quick", "seeds": 1})]


@pytest.fixture
def asked(monkeypatch, capsys):
    """What the process that trains says where it is asked for runs, and the runs in words."""

    def asked(*studies):
        monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(studies)))
        monkeypatch.setattr(training_process, "execute", lambda specs: print(f"trains {specs}"))
        training_process.main()
        return capsys.readouterr()

    return asked


def test_a_wrong_value_is_one_line_and_no_failure_of_the_press(asked):
    said = asked(["rare_classes", {"alpha": 7}])
    assert said.err == "  training: alpha = 7 is not allowed: number from 0 to 1\n"
    assert said.out == ""


def test_a_study_without_networks_is_passed_over(asked, monkeypatch):
    monkeypatch.setattr(measuring.Measuring, "trains", False)
    assert asked(["measuring", {"classes": 3}]).out == "trains []\n"


def test_the_wanted_runs_are_in_the_store_afterwards(monkeypatch, tmp_path):
    monkeypatch.setenv("KDLIB_STORE", str(tmp_path))
    short = {"seeds": 1, "epochs": 2, "teacher_epochs": 2}
    train_ahead.train_ahead([("first_principles", {"profile": "quick", **short})])
    runs = study("first_principles").parse(**short).runs()
    assert len(runs) > 1 and missing_runs(runs, Store()) == []
