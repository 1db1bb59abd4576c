"""What a reader on Colab has: the packages from a wheel, a chapter, an empty folder."""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from kdbook.press.toc import read_pages
from kdbook.records import read_records

ROOT = Path(__file__).resolve().parents[3]
RECORDS = ROOT / "book/results"
SOURCES = {"kdlib": ROOT / "kdlib", "kdbook": ROOT / "book/kdbook", "kdbook/results": RECORDS}
CHAPTERS = {page.name: page for page in read_pages(ROOT) if page.runs}
FALLEN_BACK = re.compile(r"Not run yet(?:.*?kdlib study record (\w+))?")
ASK = """
from kdbook.records import read_records
import kdbook, kdlib
print(kdlib.__file__, kdbook.__file__, sorted(record.name for record in read_records()), sep="\\n")
"""


def files(folder):
    """The names of the files below a folder, without what Python compiles."""
    inside = (path for path in folder.rglob("*") if path.is_file())
    return {p.relative_to(folder).as_posix() for p in inside if "__pycache__" not in p.parts}


@pytest.mark.slow
@pytest.mark.parametrize("place", SOURCES)
def test_a_wheel_holds_every_file_of_a_package_and_the_records(installed, place):
    """A package that is missing here must be named in pyproject.toml, below ``packages``."""
    wanted = files(SOURCES[place])
    assert wanted and wanted <= files(installed / place)


@pytest.mark.slow
def test_a_wheel_installs_nothing_beside_its_packages(installed):
    names = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    assert names <= {"kdlib", "kdbook", "bin"}


@pytest.mark.slow
def test_an_installed_package_finds_its_records_from_an_empty_folder(
    installed, tmp_path, monkeypatch
):
    monkeypatch.setenv("PYTHONPATH", str(installed))
    done = subprocess.run(
        [sys.executable, "-c", ASK], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    *places, names = done.stdout.splitlines()
    assert all(Path(place).is_relative_to(installed) for place in places)
    assert names == str(sorted(record.name for record in read_records(RECORDS)))


def executed(built_book, page):
    return json.loads((built_book.staging("quick") / page.file).read_text())


def shown(notebook):
    """All text that the code cells show."""
    outputs = (out for cell in notebook["cells"] for out in cell.get("outputs", []))
    return "\n".join(json.dumps(out.get("data", {})) for out in outputs)


def said_not_to_be_run(text, chapter):
    """The studies of which a chapter says that they are not run on the paper's data."""
    return {study or chapter for study in FALLEN_BACK.findall(text)}


@cache
def run_on_the_papers_data():
    profiles = ("standard", "paper")
    return {r.about.study for r in read_records(RECORDS) if r.about.profile in profiles}


@pytest.mark.chapters
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", CHAPTERS)
def test_no_chapter_says_of_what_is_recorded_that_it_is_not(built_book, name):
    found = said_not_to_be_run(shown(executed(built_book, CHAPTERS[name])), name)
    assert found.isdisjoint(run_on_the_papers_data())


def test_what_a_chapter_says_not_to_be_run_is_found():
    texts = "Not run yet. To run it: `kdlib study record margins --profile paper`", "Not run yet."
    outputs = [{"data": {"text/markdown": text}} for text in texts]
    text = shown({"cells": [{"outputs": outputs}, {}]})
    assert said_not_to_be_run(text, "errs") == {"margins", "errs"}
