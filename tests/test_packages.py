"""Two packages, of which ``kdlib`` does without the other and starts quickly."""

import ast
import re
import statistics
import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import click
import pytest

import kdlib
from kdlib.cli import PLUGINS

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "kdlib"
# Refuses the packages that only the book needs, and whatever begins with jupyter.
WITHOUT_THE_BOOK = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        first = name.partition(".")[0]
        book = ("altair", "ipywidgets", "IPython", "ipykernel", "papermill", "nbformat", "nbclient",
                "yaml", "kdbook")
        if first in book or first.startswith("jupyter"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=first)
sys.meta_path.insert(0, Refuse())
"""


OF_BOTH = ("test_house.py", "test_repository.py")
"""Tests of the house and not of ``kdlib``, as are those of the benchmarks."""


def run_alone(code):
    """What a fresh interpreter prints after ``code``."""
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


# kdlib does without the book


def top_level_imports(path):
    """The packages that a file imports, also inside functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module).partition(".")[0]


def importers_of_kdbook(paths):
    return [path.name for path in paths if "kdbook" in top_level_imports(path)]


def test_kdlib_never_imports_kdbook():
    assert "kdlib" in top_level_imports(PACKAGE / "cli.py")
    assert importers_of_kdbook(PACKAGE.rglob("*.py")) == []


def test_the_tests_of_kdlib_do_without_kdbook():
    rooms = [path for path in (ROOT / "tests").iterdir() if (PACKAGE / path.name).is_dir()]
    names = {"data", "losses", "metrics", "models", "runs", "training"}
    assert names <= {room.name for room in rooms}
    files = [file for room in rooms for file in room.rglob("*.py")]
    others = {*OF_BOTH, *(path.name for path in (ROOT / "tests").glob("test_benchmark*.py"))}
    alone = [path for path in (ROOT / "tests").glob("test_*.py") if path.name not in others]
    assert importers_of_kdbook(files + alone) == []


@pytest.mark.slow
def test_tests_of_kdlib_pass_without_the_book():
    """Losses, networks and the loss as a module, where nothing of the book can be imported."""
    wanted = ["tests/losses", "tests/models", "tests/test_drop_in.py"]
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-m", "not slow"]
    run_alone(
        f"{WITHOUT_THE_BOOK}\nimport pytest\nraise SystemExit(pytest.main({[*options, *wanted]}))"
    )


def test_every_module_of_kdlib_loads_without_the_book():
    """Without kdbook, Altair, widgets and Jupyter."""
    walk = (
        "import importlib, pkgutil, kdlib\n"
        "names = [m.name for m in pkgutil.walk_packages(kdlib.__path__, 'kdlib.')]\n"
        "for name in names: importlib.import_module(name)\n"
        "print(*names)"
    )
    loaded = run_alone(WITHOUT_THE_BOOK + walk).split()
    assert {"kdlib.__main__", "kdlib.losses", "kdlib.training.loop", "kdlib.runs.execute"} <= {
        *loaded
    }


def test_the_command_works_without_the_book():
    module = (
        "import runpy\nsys.argv = ['kdlib', {!r}]\nrunpy.run_module('kdlib', run_name='__main__')"
    )
    helped = run_alone(WITHOUT_THE_BOOK + module.format("--help"))
    assert re.search(r"(?m)^ +store +The store of finished runs", helped)
    refused = subprocess.run(
        [sys.executable, "-c", WITHOUT_THE_BOOK + module.format("study")],
        cwd=ROOT, capture_output=True, text=True,
    )  # fmt: skip
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert "kdlib study needs kdbook, which is not installed" in refused.stderr


# What is installed


def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_plug_ins_of_the_book_are_commands_of_their_name():
    named = project()["entry-points"][PLUGINS]
    assert set(named) == {"book", "evidence", "reproduce", "study", "verify", "workshop"}
    for name, place in named.items():
        command = EntryPoint(name, place, PLUGINS).load()
        assert isinstance(command, click.Command)
        assert command.name == name


@pytest.mark.parametrize("package", ["altair", "ipywidgets", "papermill"])
def test_what_only_the_book_needs_is_installed_with_its_extra_alone(package):
    required = project()["dependencies"]
    extra = project()["optional-dependencies"]["book"]
    assert [line for line in required if line.startswith(package)] == []
    assert len([line for line in extra if line.startswith(package)]) == 1


# A quick start


def test_import_kdlib_loads_nothing_heavy():
    heavy = ("torch", "numpy", "pandas", "pydantic", "altair", "click")
    loaded = run_alone(f"import kdlib, sys; print([m for m in {heavy} if m in sys.modules])")
    assert loaded == "[]"


def test_help_loads_nothing_heavy():
    heavy = ("torch", "pandas", "altair", "papermill", "IPython")
    code = (
        "import atexit, runpy, sys\nsys.argv = ['kdlib', '--help']\n"
        f"atexit.register(lambda: print('loaded', [m for m in {heavy} if m in sys.modules]))\n"
        "runpy.run_module('kdlib', run_name='__main__')"
    )
    assert run_alone(code).endswith("loaded []")


@pytest.mark.slow
def test_import_kdlib_is_quick():
    code = "import time; t = time.perf_counter(); import kdlib; print(time.perf_counter() - t)"
    assert statistics.median(float(run_alone(code)) for _ in range(5)) < 0.3


def test_every_listed_submodule_loads():
    for name in kdlib._SUBMODULES:
        assert getattr(kdlib, name).__name__ == f"kdlib.{name}"
