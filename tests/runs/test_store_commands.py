import json

import pytest
from click.testing import CliRunner
from small_runs import one_hot

from kdlib.cli import cli
from kdlib.runs import Store, execute


@pytest.fixture
def call():
    runner = CliRunner()
    return lambda *words: runner.invoke(cli, [str(word) for word in words])


def test_the_store_can_be_listed_shown_and_checked(call, tmp_path):
    spec = one_hot()
    (result,) = execute([spec], store=Store(tmp_path), progress=False)
    root = ("--store", tmp_path)

    assert str(tmp_path) in call("store", "where", *root).output
    listed = call("store", "list", *root).output
    assert spec.id in listed and "1 finished runs in" in listed
    shown = call("store", "show", spec.id[:5], *root)
    assert json.loads(shown.output[shown.output.index("{") :].split("\n}\n")[0] + "\n}")
    assert call("store", "check", *root).output == "all runs are whole\n"

    (result.folder / "history.csv").write_text("")
    checked = call("store", "check", *root)
    assert checked.exit_code == 1 and "history.csv was altered" in checked.output


def test_a_store_that_is_not_there_is_not_called_whole(call, tmp_path):
    result = call("store", "check", "--store", tmp_path / "nowhere")
    assert result.exit_code == 1 and "there is no store in" in result.output


def test_an_unknown_run_is_one_line(call, tmp_path):
    result = call("store", "show", "abc", "--store", tmp_path)
    assert result.exit_code == 1 and result.output.count("\n") == 1
    assert "no run with an id that begins with 'abc'" in result.output
