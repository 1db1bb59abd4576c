"""The command writes all of it, from tiny trainings; slides need no network."""

import json
import re
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from click.testing import CliRunner

from kdbook.press import Project
from kdbook.press.errors import ChapterError
from kdbook.workshop import make
from kdbook.workshop.deck import VEGA, deck
from kdbook.workshop.logits import FILE
from kdbook.workshop.units import Unit, read_units
from kdbook.workshop_command import workshop
from kdlib.errors import KdlibError
from kdlib.runs import Store

ROOT = Path(__file__).resolve().parents[3]


def cell(name, kind, text, *tags):
    return {"id": name, "cell_type": kind, "metadata": {"tags": list(tags)}, "source": text}


CELLS = [
    cell("a", "markdown", "# Unit", "slide"),
    cell("b", "markdown", "## Part\n\nGuess $x_1$ first\n\n$$y_2$$", "slide"),
    cell("c", "markdown", "Not shown"),
    cell("d", "code", "def f():\n    ### BEGIN SOLUTION: say\n    return 7\n    ### END SOLUTION\n",
         "slide", "solution"),
    cell("e", "code", "draw()", "slide"),
    cell("f", "code", "say()", "slide"),
]  # fmt: skip
CHART = {"marks": [], "width": 20, "height": 20}
OUTPUTS = {
    "e": [{"output_type": "execute_result", "data": {VEGA: CHART, "text/plain": 'A "chart"'}}],
    "f": [{"output_type": "stream", "text": ["1 < 2"]}],
}


@pytest.fixture(scope="module")
def slides():
    ran = {"cells": [each | {"outputs": OUTPUTS.get(each["id"], [])} for each in CELLS]}
    html = deck(Unit("1_unit", {"cells": CELLS}), ran, "made up & small")
    return re.findall(r"<section>(.*?)</section>", html, flags=re.DOTALL)


def test_the_question_comes_before_the_answer(slides):
    assert [("Guess" in each, "<svg" in each) for each in slides] == [
        (False, False), (True, False), (False, True),
    ]  # fmt: skip
    assert "1 &lt; 2" in slides[2]  # beside the chart


def test_a_slide_shows_the_stub_and_not_the_solution(slides):
    assert "def f():\n    ...</code>" in slides[1]
    assert "return 7" not in "".join(slides)
    assert "Not shown" not in "".join(slides)


def test_formulas_chart_and_source_are_there(slides):
    assert r"\(x_1\)" in slides[1] and r"\[y_2\]" in slides[1]
    assert 'aria-label="A &quot;chart&quot;"' in slides[2]
    assert "made up &amp; small" in slides[0]


def unit_of(name, *codes):
    """A unit that has one slide, and these cells of code."""
    code = {"outputs": [], "execution_count": None}
    cells = [cell("a", "markdown", "# Unit", "slide")]
    cells += [cell(f"c{n}", "code", text, "slide") | code for n, text in enumerate(codes)]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return Unit(name, notebook)


@pytest.mark.chapters
def test_units_that_fail_hang_or_kill_their_kernel_are_a_line_each_and_stop_no_other(tmp_path):
    units = [
        unit_of("1_fails", "1 / 0"),
        unit_of("2_hangs", "import time", "time.sleep(600)"),
        unit_of("3_dies", "import os\nos.kill(os.getpid(), 9)"),
        unit_of("4_runs", "print(open('../beside').read())"),
    ]
    (tmp_path / "out" / "instructors").mkdir(parents=True)
    (tmp_path / "out" / "beside").write_text("read from beside")
    for unit in units:
        path = tmp_path / "out" / "instructors" / f"{unit.name}.ipynb"
        path.write_text(json.dumps(unit.notebook))
    project, said = Project.at(tmp_path / "root", tmp_path / "build"), []
    with pytest.raises(ChapterError) as caught:
        make._write_slides(project, tmp_path / "out", units, "made up", said.append, 20)
    (one, two, three) = sorted(str(caught.value).splitlines())
    assert one.startswith("book/workshop/1_fails, cell 2 (1 / 0): ZeroDivisionError: division by")
    assert "2_hangs, cell 3 (time.sleep(600)): the cell took longer than --cell-timeout 20" in two
    assert "3_dies, cell 2 (import os): the kernel died" in three
    (slides,) = (tmp_path / "out" / "slides").iterdir()
    assert slides.name == "4_runs.html" and "read from beside" in slides.read_text()


@pytest.mark.slow
def test_a_run_that_fails_is_a_line_and_keeps_the_others(tmp_path):
    from kdbook.workshop.logits import make_logits, workshop_study

    small, store = workshop_study(seeds=3, epochs=2, teacher_epochs=2), Store(tmp_path / "store")
    students = [spec for spec in small.runs() if spec.teacher is not None]
    store.root.mkdir()
    (store.root / students[0].id).write_text("a file where the run's folder belongs")
    with pytest.raises(KdlibError) as caught:
        make_logits(tmp_path / FILE, small, store)
    assert str(caught.value).startswith(f"run {students[0].id} (")
    assert "cannot be kept" in str(caught.value) and "\n" not in str(caught.value)
    assert store.get(students[1]) is not None and not (tmp_path / FILE).exists()


def test_the_command_needs_a_checkout(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "no book in" in str(CliRunner().invoke(workshop).exception)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    from kdbook.workshop.logits import workshop_study

    folder, said = tmp_path_factory.mktemp("made"), []
    small = workshop_study(seeds=3, epochs=2, teacher_epochs=2)
    project = Project.at(ROOT, folder / "build")
    make.make_workshop(project, folder / "out", small, Store(folder / "store"), said.append)
    return folder / "out", said


@pytest.mark.slow
def test_the_folder_holds_what_a_teacher_needs(made):
    out, said = made
    names = [f"{unit.name}" for unit in read_units(ROOT / "book" / "workshop")]
    for folder, ending in (("students", "ipynb"), ("instructors", "ipynb"), ("slides", "html")):
        assert sorted(p.name for p in (out / folder).iterdir()) == [f"{n}.{ending}" for n in names]
    with zipfile.ZipFile(out / "students.zip") as archive:
        assert archive.namelist() == [
            f"workshop/{n}" for n in (FILE, *(f"{n}.ipynb" for n in names))
        ]
    links = re.findall(r'href="([^"]+)"', (out / "index.html").read_text(encoding="utf-8"))
    assert len(links) == 1 + 3 * len(names)
    assert all((out / link).is_file() for link in links)
    assert "90 minutes" in (out / "index.html").read_text(encoding="utf-8")
    assert sum(": ran in " in line for line in said) == len(names)


@pytest.mark.slow
@pytest.mark.browser
def test_slides_are_drawn_without_a_network(made, chromium):
    with ThreadPoolExecutor(1) as own:  # another browser of this worker may be open in this thread
        assert own.submit(_faults_of_slides, made[0] / "slides", chromium).result() == []


def _faults_of_slides(folder, chromium):
    from playwright.sync_api import sync_playwright

    wrong = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_context(offline=True, viewport={"width": 1280, "height": 720}).new_page()
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda r: wrong.append(r.url) if not r.url.startswith("file:") else None)
        for path in sorted(folder.iterdir()):
            page.goto(path.as_uri())
            source = (ROOT / "book/workshop" / path.with_suffix(".ipynb").name).read_text()
            page.wait_for_function("window.MathJax.startup.promise !== undefined")
            page.evaluate("window.MathJax.startup.promise")
            assert page.locator("mjx-container[display='true']").count() > 0 or "$$" not in source
            assert page.evaluate("document.documentElement.scrollWidth") <= 1280
            heights = "[...document.querySelectorAll('section')].map(each => each.scrollHeight)"
            assert set(page.evaluate(heights)) == {720}
            page.keyboard.press("ArrowRight")
            page.wait_for_function("Math.round(scrollY / innerHeight) === 1")
        browser.close()
    return wrong
