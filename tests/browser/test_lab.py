"""Charts and panels in a real JupyterLab that reaches no other machine."""

import re
import sys
from pathlib import Path

import pytest
from lab import code_cell, opened_notebook, running_lab, write_notebook

from kdbook.charts import renderers

sys.path.append(str(Path(__file__).parents[1] / "kdbook" / "charts"))
from test_chart_functions import MAKERS  # every chart of the book, with frames to draw

CHART = (
    "from kdbook import widgets\n"
    "from kdbook.chapters.measuring.charts import worst_class_explorer\n"
    "worst_class_explorer()"
)
PANEL = "widgets.explore_worst_class_noise()"
TRAINING = """
import os
os.environ["KDLIB_STORE"] = {store!r}
from kdbook.chapters import chapter
short = dict(seeds=2, teacher_epochs=2, imbalances=(5.0,))
chapter("rare_classes", epochs=2, **short).explore()
"""
LONG_TRAINING = 'chapter("rare_classes", epochs=4000, **short).explore()'
BY_CELL = [list(MAKERS)[start : start + 40] for start in range(0, len(MAKERS), 40)]
"""JupyterLab shows fifty outputs of a cell and hides the others behind a button."""
pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(600)]


def executed(charts):
    """A cell that holds the charts as its outputs, as if it had been run."""
    shown = [
        {"output_type": "display_data", "metadata": {}, "data": renderers.mime_bundle(c.to_dict())}
        for c in charts
    ]
    return code_cell("# every chart of the book", shown)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    sources = (CHART, PANEL, TRAINING.format(store=str(folder / "runs")), LONG_TRAINING)
    write_notebook(folder / "live.ipynb", [code_cell(source) for source in sources])
    cells = [executed(MAKERS[name]() for name in names) for names in BY_CELL]
    write_notebook(folder / "executed.ipynb", cells)
    with running_lab(folder) as address:
        yield address


@pytest.fixture(scope="module")
def notebook(browser, lab):
    """A chart, a panel and two panels that train, run in one kernel."""
    with opened_notebook(browser, lab, "live.ipynb") as notebook:
        notebook.run_all()
        yield notebook


def test_a_chart_is_drawn_and_its_slider_moves_it(notebook):
    assert notebook.colours(0) > 10
    before = notebook.picture(0)
    slider = notebook.page.locator(".vega-bind input[type=range]").first
    slider.focus()
    slider.press("PageUp")
    notebook.wait_for_another_picture(0, before)
    assert notebook.blocked == []


def test_a_panel_draws_again_where_its_slider_moves(notebook):
    assert notebook.colours(1) > 10
    before = notebook.picture(1)
    handle = notebook.cell(1).locator(".widget-slider .noUi-handle").first
    handle.focus()
    handle.press("ArrowRight")
    notebook.wait_for_another_picture(1, before)
    assert notebook.colours(1) > 10
    assert notebook.charts(1).count() == 1
    assert notebook.blocked == []


def test_every_chart_of_the_book_is_drawn_by_what_jupyterlab_has_on_board(browser, lab):
    """It has Vega 5; Altair compiles for Vega 6."""
    with opened_notebook(browser, lab, "executed.ipynb") as notebook:
        for cell, names in enumerate(BY_CELL):
            drawn = notebook.charts(cell, count=len(names))
            assert drawn.count() == len(names)
            blank = [name for n, name in enumerate(names) if notebook.colours(cell, n) < 5]
            assert blank == []
        assert notebook.blocked == []


def test_a_panel_trains_what_its_store_lacks_and_draws_it(notebook):
    cell = notebook.cell(2)
    cell.get_by_text("6 of these runs are not trained yet.").wait_for()
    cell.get_by_role("button", name="Train 6 runs").click()
    cell.get_by_text("From one-hot to distilled").wait_for()
    assert notebook.colours(2) > 10
    before = notebook.picture(2)
    handle = cell.locator(".widget-slider .noUi-handle").nth(3)
    assert cell.locator(".widget-slider").nth(3).inner_text().startswith("Seeds")
    handle.focus()
    handle.press("ArrowRight")
    notebook.wait_for_another_picture(2, before)
    assert notebook.charts(2).count() == 1
    assert notebook.blocked == []


def test_a_training_can_be_cancelled_and_the_kernel_stays_free(notebook):
    cell, train = notebook.cell(3), re.compile(r"^Train \d+ runs?$")
    cell.get_by_role("button", name=train).click()
    cell.get_by_text("Training what the store lacks.").wait_for()
    notebook.page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    cell.get_by_role("button", name="Cancel", exact=True).click()
    cell.get_by_text("Cancelled: ").wait_for()
    cell.get_by_role("button", name=train).wait_for()
    assert notebook.blocked == []
