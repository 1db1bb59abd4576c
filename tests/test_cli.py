"""The command ``kdlib`` itself, and how it finds the commands of plug-ins."""

from importlib.metadata import EntryPoint

import click
import pytest
from click.testing import CliRunner

from kdlib import cli as command
from kdlib.cli import PLUGINS, cli


@pytest.fixture
def call():
    runner = CliRunner()
    return lambda *words: runner.invoke(cli, [str(word) for word in words])


@pytest.fixture
def plug_in(monkeypatch):
    """Lets the command find these plug-ins alone: names, and where their commands lie."""

    def only(**places):
        found = {name: EntryPoint(name, place, PLUGINS) for name, place in places.items()}
        monkeypatch.setattr(command, "_plugins", lambda: found)

    return only


@click.command()
@click.option("--times", type=int, default=1)
def greet(times):
    """Say hello."""
    click.echo("hello " * times)


@pytest.mark.parametrize("words", [(), ("store",), ("store", "show"), ("store", "check")])
def test_every_command_has_help(call, words):
    result = call(*words, "--help")
    assert result.exit_code == 0 and "Usage: " in result.output


def test_a_plug_in_is_listed_and_run(call, plug_in):
    plug_in(greet=f"{__name__}:greet")
    assert "greet  Say hello." in call("--help").output
    assert call("greet", "--times", 2).output == "hello hello \n"


def test_a_plug_in_does_not_take_the_place_of_an_own_command(call, plug_in):
    plug_in(store=f"{__name__}:greet")
    assert "hello" not in call("store").output


@pytest.mark.parametrize("words", [("study",), ("study", "run", "--seeds", 2), ("book", "-h")])
def test_a_command_of_the_book_without_the_book_is_one_line(call, plug_in, words):
    plug_in()
    result = call(*words)
    assert result.exit_code == 1
    assert result.output == (
        f"Error: kdlib {words[0]} needs kdbook, which is not installed: pip install 'kdlib[book]'\n"
    )
    assert "study" not in call("--help").output.split("Commands:")[1]


def test_a_plug_in_whose_package_is_missing_is_one_line_and_spares_the_rest(call, plug_in):
    plug_in(broken="no_such_package.commands:main")
    result = call("broken", "--anything")
    assert result.exit_code == 1
    assert result.output == "Error: kdlib broken needs no_such_package, which is not installed\n"
    listed = call("--help")
    assert listed.exit_code == 0 and "store" in listed.output


def test_an_unknown_command_is_refused(call):
    result = call("studies")
    assert result.exit_code == 2 and "No such command 'studies'" in result.output
