import io
import json
import os
import subprocess
import sys
from pathlib import Path

from kdbook.chapters import STUDIES
from kdbook.press import train_ahead
from kdbook.press.toc import Page, read_pages


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


def test_a_wrong_value_is_one_line_and_no_failure_of_the_press(monkeypatch, tmp_path):
    monkeypatch.setenv("KDLIB_STORE", str(tmp_path / "store"))
    asked = json.dumps([["rare_classes", {"alpha": 7}]])
    command = [sys.executable, "-m", "kdbook.press.training_process", str(os.getpid())]
    done = subprocess.run(command, input=asked, text=True, capture_output=True)
    assert done.returncode == 0
    assert done.stderr == "  training: alpha = 7 is not allowed: number from 0 to 1\n"
    assert not (tmp_path / "store").exists()


def test_a_study_without_networks_is_passed_over(monkeypatch, capsys):
    from kdbook.chapters import measuring
    from kdbook.press import training_process

    monkeypatch.setattr(measuring.Measuring, "trains", False)
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps([["measuring", {"classes": 3}]])))
    monkeypatch.setattr(training_process, "execute", lambda specs: print(f"trains {specs}"))
    training_process.main()
    assert capsys.readouterr().out == "trains []\n"


def test_the_wanted_runs_are_in_the_store_afterwards(monkeypatch, tmp_path):
    from kdbook.chapters import rare_classes
    from kdlib.runs import Store, missing_runs

    monkeypatch.setenv("KDLIB_STORE", str(tmp_path))
    short = {"imbalances": [20], "seeds": 1, "epochs": 2, "teacher_epochs": 2}
    train_ahead.train_ahead([("rare_classes", {"profile": "quick", **short})])
    assert missing_runs(rare_classes.RareClasses.parse(**short).runs(), Store()) == []
