"""``kdlib reproduce`` from its command line to its summary, with papermill and a tiny book."""

import json

import pytest
from click.testing import CliRunner
from press_cells import code

from kdbook.reproduce_command import reproduce

pytestmark = pytest.mark.chapters


@pytest.fixture
def call(tiny, monkeypatch):
    monkeypatch.chdir(tiny.root)
    monkeypatch.setenv("KDLIB_STORE", str(tiny.root / "store"))  # which the command sets as well

    def call(*words, answer=None):
        return CliRunner().invoke(reproduce, [str(word) for word in words], input=answer)

    return call


def summary(tiny):
    return json.loads((tiny.root / "_build/reproduce/summary.json").read_text())


def printed(notebook):
    cells = json.loads(notebook.read_text())["cells"]
    outputs = [out for cell in cells for out in cell.get("outputs", [])]
    return "".join("".join(out.get("text", "")) for out in outputs)


def test_one_failing_notebook_stops_no_other(tiny, call):
    tiny.chapter("one", code("assert size < 2, 'too large'"), code("print('well', size)"))
    result = call("--yes", "-p", "size=1,2")
    assert result.exit_code == 1, result.output
    told = {(each["name"], each["parameters"]["size"]): each for each in summary(tiny)["items"]}
    statuses = {key: each["status"] for key, each in told.items()}
    assert statuses == {
        ("one", 1): "ran", ("one", 2): "failed", ("two", 1): "ran", ("two", 2): "ran",
    }  # fmt: skip
    assert "AssertionError: too large" in told["one", 2]["why"]
    assert all(each["seconds"] > 0 for each in told.values())
    out = tiny.root / "_build/reproduce"
    assert printed(out / told["one", 1]["notebook"]) == "well 1\n"
    assert printed(out / told["two", 2]["notebook"]) == "two 2\n"
    assert (out / told["one", 2]["notebook"]).is_file()
    assert "1 of 4 did not run" in (out / "summary.html").read_text()


def test_what_ran_well_is_used_again_and_what_is_mended_runs(tiny, call):
    tiny.chapter("one", code("assert size < 1, 'too large'"))
    assert call("--yes").exit_code == 1
    tiny.chapter("one", code("print('mended')"))
    assert call("--yes").exit_code == 0
    statuses = {each["name"]: each["status"] for each in summary(tiny)["items"]}
    assert statuses == {"one": "ran", "two": "reused"}
    assert call("two", "--yes", "--force").exit_code == 0
    assert [each["status"] for each in summary(tiny)["items"]] == ["ran"]


def test_a_hung_cell_and_a_dead_kernel_are_failures(tiny, call):
    tiny.chapter("one", code("import time", "time.sleep(600)"))
    tiny.chapter("two", code("import os", "os._exit(1)"))
    result = call("--yes", "--cell-timeout", 2)
    whys = {each["name"]: each["why"] for each in summary(tiny)["items"]}
    assert result.exit_code == 1
    assert "longer than --cell-timeout 2" in whys["one"] and "kernel died" in whys["two"]


def test_nothing_runs_without_a_yes(tiny, call):
    for words, answer in [((), "n\n"), ((), ""), (("--plan",), None)]:
        result = call(*words, answer=answer)
        assert "2 notebooks and 0 studies to run" in result.output
        assert not (tiny.root / "_build/reproduce").exists()


def test_a_study_is_trained_and_its_numbers_are_told(tiny, call):
    words = ("-p", "epochs=2", "-p", "teacher_epochs=2", "-p", "temperature=1,3", "--jobs", 1)
    result = call("first_principles", "two", "--yes", *words)
    assert result.exit_code == 1 and "two has no parameter 'epochs'" in str(result.exception)
    result = call("first_principles", "--yes", *words, "--store", tiny.root / "store")
    assert result.exit_code == 0, result.output
    assert "4 runs needed, 0 in" in result.output and "disk: about" in result.output
    told = summary(tiny)
    assert told["runs"]["trained"] == 4 and told["runs"]["failed"] == []
    assert {row["temperature"] for row in told["numbers"]} == {1, 3}
    assert [each["parameter"] for each in told["charts"]] == ["temperature"]
    html = (tiny.root / "_build/reproduce/summary.html").read_text()
    assert html.count("<svg") == 1 and "http" not in html.replace("http://www.w3.org", "")


def test_without_a_book_there_are_studies_only(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(reproduce, ["--yes"])
    assert result.exit_code == 1 and "no book here" in str(result.exception)


@pytest.mark.slow
def test_a_study_is_trained_on_a_cluster(tiny, call):
    pytest.importorskip("distributed", reason="Dask is not installed: no cluster tests")
    words = ("-p", "epochs=2", "-p", "teacher_epochs=2", "--store", tiny.root / "store")
    result = call("first_principles", "--yes", "--workers", 2, "--device", "cpu", *words)
    assert result.exit_code == 0, result.output
    assert summary(tiny)["runs"]["trained"] == 3


def test_one_way_to_train_is_named(call):
    result = call("--workers", 2, "--scheduler", "tcp://x:1")
    assert "--workers and --scheduler say different things" in str(result.exception)
