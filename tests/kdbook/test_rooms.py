"""A notebook opens its room, and needs little beside it."""

import ast
import json
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from kdbook.chapters import STUDIES

BOOK = Path(__file__).resolve().parents[2] / "book"
NOTEBOOKS = sorted(path for path in BOOK.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)


def imported(path):
    """The names that a notebook imports of both packages, each with its module."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    trees = [ast.parse(source) for source in sources if "%pip" not in source]
    return {
        (node.module, alias.name)
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module.split(".")[0] in ("kdlib", "kdbook")
        for alias in node.names
    }


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_imports_at_most_six_names(path):
    assert len(imported(path)) <= 6


def test_each_page_with_a_study_has_a_room_of_its_name():
    rooms = {path.parent.name for path in (BOOK / "kdbook/chapters").glob("*/__init__.py")}
    pages = {page.rpartition("/")[2] for page in STUDIES.values()}
    assert pages <= rooms <= pages | {path.stem for path in NOTEBOOKS}


def test_each_notebook_with_a_study_opens_its_room():
    for page in set(STUDIES.values()):
        path = BOOK / f"{page.removeprefix('book/')}.ipynb"
        if page != "book/intro":  # which runs nothing
            assert ("kdbook.chapters", "chapter") in imported(path), page


def has(module, chain):
    """Whether a module has what a chain of names asks for; an object is asked for no more."""
    for part in chain.split("."):
        if not isinstance(module, ModuleType):
            return True
        if not hasattr(module, part) and not find_spec(f"{module.__name__}.{part}"):
            return False
        module = getattr(module, part, None) or import_module(f"{module.__name__}.{part}")
    return True


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_room_has_what_its_notebook_asks_for(path):
    """As the building of the book would find out, minutes later."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    opened = re.search(r'\bchapter\(\s*"(\w+)"', code)
    asked = set(re.findall(r"\broom\.([\w.]*\w)", code))
    if opened is None or not asked:
        return
    room = import_module(f"kdbook.chapters.{opened[1]}")
    assert [chain for chain in sorted(asked) if not has(room, chain)] == []
