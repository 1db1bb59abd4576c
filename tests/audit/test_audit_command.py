"""``kdlib audit``: exit codes, files, messages."""

import json
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner
from made_predictions import predictions

from kdlib.cli import cli


@pytest.fixture
def call():
    runner = CliRunner()
    return lambda *words: runner.invoke(cli, ["audit", *map(str, words)])


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    found = tmp_path_factory.mktemp("audit") / "predictions.npz"
    np.savez(found, **predictions(size=20_000, harmed=1, loss=0.1))
    return found


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 0),
        (["--gate", "worst-class:-20"], 0),
        (["--gate", "worst-class:-2"], 1),
        (["--gate", "class=1:-8.5"], 2),
        (["--gate", "class=1:-8.5", "--undecided", "0"], 0),
        (["--gate", "class=1:-8.5", "--undecided", "1"], 1),
        (["--gate", "mean:-20", "--gate", "class=1:-2", "--undecided", "0"], 1),
        (["--gate", "worst"], 3),
        (["--limits", "no-such-file.toml"], 3),
        (["--no-such-option"], 3),
        (["--undecided", "5"], 3),
        (["--student", "no-such-file.npz"], 3),
        (["--junit", "a.xml"], 3),
    ],
)
def test_the_exit_code_is_the_answer(call, path, words, code):
    result = call(path, *words)
    assert result.exit_code == code
    assert (code == 3) == ("Error: " in result.output)


def test_it_writes_what_it_is_asked_for(call, path, tmp_path):
    names = {end: tmp_path / f"a.{end}" for end in ("html", "json", "xml")}
    limits = tmp_path / "limits.toml"
    limits.write_text("worst-class = -2\n[classes]\n2 = -20\n")
    result = call(path, "--html", names["html"], "--json", names["json"], "--junit", names["xml"],
                  "--limits", limits)  # fmt: skip
    assert result.exit_code == 1
    assert "harm: worst-class:-2: a larger loss is established for 1 (-" in result.output
    assert "fine: class=2:-20: a larger loss is excluded" in result.output
    assert "HARM FOUND" in names["html"].read_text()
    assert json.loads(names["json"].read_text())["gate"]["exit_code"] == 1
    assert ElementTree.parse(names["xml"]).getroot()[0].get("failures") == "1"


def test_a_file_that_cannot_be_written_is_one_line(call, path, tmp_path):
    (tmp_path / "file").touch()
    result = call(path, "--html", tmp_path / "file" / "a.html")
    assert result.exit_code == 3
    assert result.output.splitlines()[-1].startswith("Error: ")


def test_the_example_of_the_help_is_a_command(call):
    assert "3 says that the input is wrong" in " ".join(call("--help").output.split())
