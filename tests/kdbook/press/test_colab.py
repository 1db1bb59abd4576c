"""Every chapter from an empty folder, with Colab's versions and with the newest.

``make test-colab`` runs this, and `.ci/run` for one chapter; the units at the end run always.
"""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from types import ModuleType

import pytest
from colab_machines import COLAB, MACHINES, python_of, ran, versions

from kdbook import colab
from kdbook.press.toc import read_pages

ROOT = Path(__file__).resolve().parents[3]
CHAPTERS = {page.name: page.source for page in read_pages(ROOT) if page.runs}
WANTED = os.environ.get("KDLIB_COLAB_CHAPTERS", "").split() or list(CHAPTERS)
NAMED = os.environ.get("KDLIB_COLAB_MACHINES", "").split() or list(MACHINES)
ENVIRONMENTS = os.environ.get("KDLIB_COLAB")
run_by_make = pytest.mark.skipif(not ENVIRONMENTS, reason="run by `make test-colab`")


@pytest.fixture(scope="module", params=NAMED)
def machine(request):
    """The name of an environment, and its interpreter."""
    return request.param, python_of(request.param, Path(ENVIRONMENTS).resolve())


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The named store, or an empty one: other tests train with other versions."""
    return os.environ.get("KDLIB_COLAB_STORE") or str(tmp_path_factory.mktemp("store"))


def text_of(notebook):
    outputs = (out for cell in notebook["cells"] for out in cell.get("outputs", []))
    return "".join("".join(out.get("text", "")) for out in outputs)


@run_by_make
def test_the_versions_are_colabs_or_newer(machine):
    name, python = machine
    wanted = dict(pin.split("==") for pin in COLAB)
    found = versions(python, *wanted)
    same = [found[key].startswith(value.rstrip("*")) for key, value in wanted.items()]
    assert all(same) if name == "colab" else not any(same), found


@run_by_make
@pytest.mark.chapters
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("name", WANTED)
def test_a_chapter_runs(machine, installed, store, tmp_path, name, monkeypatch):
    monkeypatch.setenv("KDLIB_STORE", store)
    said = text_of(ran(machine[1], CHAPTERS[name], tmp_path, installed))
    assert "the profile quick" in said
    assert "Trained runs are kept in" in said


@pytest.fixture
def on_colab(monkeypatch):
    """A machine that says that it is Colab; the places at which Drive was mounted."""
    mounted = []
    package, drive = ModuleType("google.colab"), ModuleType("google.colab.drive")
    drive.mount = mounted.append
    package.drive = drive
    monkeypatch.setitem(sys.modules, "google.colab", package)
    monkeypatch.setitem(sys.modules, "google.colab.drive", drive)
    monkeypatch.setattr(colab, "install_missing", lambda: [])
    monkeypatch.delenv("KDLIB_STORE", raising=False)
    return mounted


def test_elsewhere_nothing_is_said(monkeypatch, capsys):
    monkeypatch.setattr(colab, "install_missing", lambda: [])
    monkeypatch.delenv("KDLIB_STORE", raising=False)
    colab.set_up(store_on_drive=True)
    assert capsys.readouterr().out == "" and "KDLIB_STORE" not in os.environ


def test_of_a_checkout_on_the_path_nothing_is_missing():
    assert colab.missing("no-such-distribution") == []


def test_without_being_asked_drive_is_left_alone(on_colab, capsys):
    colab.set_up()
    assert on_colab == [] and "KDLIB_STORE" not in os.environ
    assert "lost with it" in capsys.readouterr().out


@pytest.mark.parametrize("flag", [True, False], ids=["by the flag", "by KDLIB_STORE"])
def test_a_store_on_drive_is_mounted(on_colab, capsys, monkeypatch, flag):
    monkeypatch.setenv("KDLIB_STORE", str(colab.DRIVE / "MyDrive/mine"))
    if flag:
        monkeypatch.delenv("KDLIB_STORE")
    colab.set_up(store_on_drive=flag)
    assert on_colab == [str(colab.DRIVE)]
    where = str(colab.ON_DRIVE) if flag else str(colab.DRIVE / "MyDrive/mine")
    assert os.environ["KDLIB_STORE"] == where
    assert where in capsys.readouterr().out


def test_a_gpu_is_named(monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda number: f"Tesla T4 number {number}")
    assert "GPU: Tesla T4 number 0." in colab.machine()
    assert 'profile = "standard"' in colab.machine()


class Distribution:
    """Installed distributions, as importlib.metadata tells of them."""

    def __init__(self, monkeypatch, needs, there):
        monkeypatch.setattr(colab.metadata, "requires", lambda _: needs)
        monkeypatch.setattr(colab, "_is_there", there.__contains__)


NEEDS = [
    "numpy>=1.26", "pydantic>=2.8", "safetensors>=0.4",
    'altair>=5.5; extra == "book"', 'jupyter-book<2,>=1; extra == "book"',
    'altair>=5.5; extra == "audit"', 'pytest>=8; extra == "dev"',
]  # fmt: skip


def test_missing_is_what_no_version_is_installed_of(monkeypatch):
    Distribution(monkeypatch, NEEDS, {"kdlib", "numpy", "altair"})
    assert colab.missing() == ["pydantic>=2.8", "safetensors>=0.4"]
    Distribution(monkeypatch, NEEDS, {"kdlib", "numpy", "pydantic", "safetensors"})
    assert colab.missing() == ["altair>=5.5"]


def test_what_is_there_keeps_its_version(monkeypatch):
    """pip is told the version of each installed distribution."""
    calls = []

    def run(command, check):
        held = command[command.index("--constraint") + 1]
        calls.append((command[-2:], Path(held).read_text().splitlines()))

    Distribution(monkeypatch, NEEDS, {"kdlib", "numpy", "altair"})
    monkeypatch.setattr(subprocess, "run", run)
    colab.install_missing()
    [(wanted, held)] = calls
    assert wanted == ["pydantic>=2.8", "safetensors>=0.4"]
    assert f"numpy=={metadata.version('numpy')}" in held


def test_where_nothing_is_missing_pip_is_not_called(monkeypatch):
    Distribution(monkeypatch, NEEDS, {"kdlib", "numpy", "pydantic", "safetensors", "altair"})
    monkeypatch.setattr(subprocess, "run", None)
    assert colab.install_missing() == []


def test_this_package_needs_what_it_says():
    assert {"torch", "pydantic", "altair", "ipywidgets"} <= {
        colab._name(need) for need in colab._needed("kdlib")
    }
    assert "jupyter-book" not in {colab._name(need) for need in colab._needed("kdlib")}


def test_it_can_be_imported_where_nothing_else_is_installed():
    code = "import sys; sys.path[:0] = sys.argv[1:]; import kdbook.colab; print(len(sys.modules))"
    command = [sys.executable, "-S", "-I", "-c", code, str(ROOT / "book"), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
