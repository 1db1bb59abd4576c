"""Plain papermill on chapters, from another folder, as the README shows it.

The book that the suite builds runs every chapter through papermill as well; what is asked of each
here is that it refuses a misspelt parameter, in one IPython shell rather than in 24 kernels.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from kdbook.press.notebooks import has_tag, read_notebook
from kdbook.press.toc import read_pages
from kdlib.errors import SettingError

pytestmark = [pytest.mark.chapters, pytest.mark.slow]
ROOT = Path(__file__).parents[3]
PAGES = {page.name: page.source for page in read_pages(ROOT) if page.runs}


def takes_parameters(source):
    return any(has_tag(cell, ["parameters"]) for cell in read_notebook(source)["cells"])


def papermill(source, folder, *words):
    """Seen once in some hundred runs: papermill misses the end of a cell that shows widgets.

    So it gets a second try; the trainings of the first are kept, as a reader's are.
    """
    command = [sys.executable, "-m", "papermill", source, "out.ipynb", *words]
    how = {"cwd": folder, "capture_output": True, "text": True}
    env = os.environ | {"KDLIB_STORE": str(folder / "store")}
    try:
        return subprocess.run([str(word) for word in command], **how, env=env, timeout=180)
    except subprocess.TimeoutExpired:
        return subprocess.run([str(word) for word in command], **how, env=env, timeout=180)


def test_papermill_stops_at_a_misspelt_parameter(tmp_path):
    done = papermill(PAGES["distillation"], tmp_path, "-p", "temprature", 3)
    assert done.returncode == 1
    assert "unknown parameter 'temprature'" in done.stderr
    assert not (tmp_path / "store").exists()


@pytest.fixture
def shell():
    yield InteractiveShell.instance()
    InteractiveShell.clear_instance()


def cells_with_a_misspelt_parameter(source):
    """The code that papermill would run, with its injected cell."""
    for cell in read_notebook(source)["cells"]:
        if cell["cell_type"] == "code" and not has_tag(cell, ["colab-setup"]):
            yield "".join(cell["source"])
            if has_tag(cell, ["parameters"]):
                yield "# Parameters\ntemprature = 3\n"


@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if takes_parameters(page)])
def test_a_misspelt_parameter_stops_a_chapter_before_anything_trains(
    name, shell, tmp_path, monkeypatch
):
    monkeypatch.setenv("KDLIB_STORE", str(tmp_path / "store"))
    done = (
        shell.run_cell(code, store_history=True)
        for code in cells_with_a_misspelt_parameter(PAGES[name])
    )
    error = next(one.error_in_exec for one in done if not one.success)
    assert isinstance(error, SettingError)
    assert "unknown parameter 'temprature'" in str(error)
    assert not (tmp_path / "store").exists()


def test_a_chapter_runs_to_its_end_with_the_parameters_that_it_is_told(tmp_path):
    done = papermill(PAGES["distillation"], tmp_path, "-p", "temperature", 10, "-p", "alpha", 1)
    assert done.returncode == 0, done.stderr
    notebook = json.loads((tmp_path / "out.ipynb").read_text())
    (told,) = (c for c in notebook["cells"] if has_tag(c, ["injected-parameters"]))
    assert "".join(told["source"]) == "# Parameters\ntemperature = 10\nalpha = 1\n"
    assert list((tmp_path / "store").glob("*/done"))
