"""The house that the code lives in: no circles of imports, short files, a small public surface."""

import ast
import re
from pathlib import Path

import pytest

import kdlib

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {"kdlib": ROOT / "kdlib", "kdbook": ROOT / "book" / "kdbook"}
LONGEST, MOST_NAMES = 250, 60


def dotted(package, path):
    parts = [package, *path.relative_to(PACKAGES[package]).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def sources():
    files = [(name, path) for name, folder in PACKAGES.items() for path in folder.rglob("*.py")]
    return {dotted(name, path): path.read_text(encoding="utf-8") for name, path in files}


def imports(texts):
    """Of each module those that it imports: also inside functions, and for type checkers alone."""
    return {name: set(_imported(text, texts)) - {name} for name, text in texts.items()}


def _imported(text, known):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            inside = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from inside & known.keys() or {node.module} & known.keys()


def circles(graph):
    """The modules that can be reached from themselves."""
    return sorted(name for name in graph if name in reached(graph, name))


def reached(graph, start):
    found, waiting = set(), [*graph[start]]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += graph[name]
    return found


def test_no_module_of_the_library_imports_itself_by_way_of_others():
    found = circles(imports(sources()))
    assert [name for name in found if name.startswith("kdlib")] == []


@pytest.mark.parametrize("back", ["from a import f", "def f():\n import a", "if T:\n import a.c"])
def test_a_circle_is_found_wherever_its_imports_stand(back):
    texts = {"a": "from b import g", "a.c": "import b", "b": back, "d": "import a"}
    found = circles(imports(texts))
    assert "b" in found and "d" not in found


@pytest.mark.parametrize("name", [name for name in sources() if name.startswith("kdlib")])
def test_a_file_of_the_library_is_short(name):
    assert len(sources()[name].splitlines()) <= LONGEST


def public_names():
    """By room, what the docstring of kdlib lists."""
    entries = re.findall(r"(?s)\* ``kdlib\.(\w+)``: (.*?)(?=\n\* |\Z)", kdlib.__doc__)
    return {room: re.findall(r"``(\w+)``", names) for room, names in entries}


def test_the_public_names_are_few():
    assert 0 < sum(map(len, public_names().values())) <= MOST_NAMES


def test_every_room_that_kdlib_offers_is_listed():
    assert sorted(public_names()) == sorted(set(kdlib.__all__) - {"__version__"})


@pytest.mark.parametrize("room", public_names())
def test_a_room_has_the_public_names_that_are_listed_and_no_other(room):
    package = getattr(kdlib, room)
    assert sorted(package.__all__) == sorted(public_names()[room])
    assert all(getattr(package, name).__doc__ for name in package.__all__)
