"""What must hold for the repository as a whole: its files, its floors, its front page."""

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import nbformat
import pytest
import yaml
from pybtex.database import parse_file

import kdlib

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {"kdlib": ROOT / "kdlib", "kdbook": ROOT / "book" / "kdbook"}
MEGABYTE = 10**6
FLOORS = {
    "kdlib.aligned": 0, "kdlib.arrays": 0, "kdlib.errors": 0, "kdlib.files": 0, "kdlib.folders": 0,
    "kdlib.lifeline": 0, "kdlib.locks": 0, "kdlib.names": 0,
    "kdlib.plain_lines": 0, "kdlib.seeds": 0, "kdlib.validated": 0,
    "kdlib.losses": 1, "kdlib.metrics": 1,
    "kdlib.data": 2, "kdlib.drop_in": 2, "kdlib.models": 2,
    "kdlib.training": 3,
    "kdlib.audit": 4, "kdlib.runs": 4,
    "kdbook.colab": 5, "kdbook.collapse": 5, "kdbook.compare": 5, "kdbook.evidence": 5,
    "kdbook.families": 5, "kdbook.members": 5, "kdbook.places": 5,
    "kdbook.profiles": 5, "kdbook.protocol": 5, "kdbook.published": 5, "kdbook.quick_imports": 5,
    "kdbook.records": 5, "kdbook.robust_families": 5, "kdbook.selection": 5,
    "kdbook.settings": 5, "kdbook.shelf": 5,
    "kdbook.study": 5, "kdbook.tables": 5, "kdbook.trained_where": 5, "kdbook.tuning": 5,
    "kdbook.worst_by_chance": 5,
    "kdbook.charts": 6,
    "kdbook.chapters": 7, "kdbook.explorables": 7, "kdbook.reproduction": 7,
    "kdbook.verification": 7, "kdbook.widgets": 7,
    "kdlib.__main__": 8, "kdlib.audit_command": 8, "kdlib.cli": 8, "kdlib.options": 8,
    "kdlib.data_command": 8,
    "kdlib.store_commands": 8, "kdbook.cluster_options": 8,
    "kdbook.commands": 8, "kdbook.evidence_command": 8, "kdbook.options": 8, "kdbook.press": 8,
    "kdbook.prune_command": 8, "kdbook.record_commands": 8,
    "kdlib.exchange_commands": 8, "kdbook.study_runs": 8, "kdbook.batches": 8,
    "kdbook.reproduce_command": 8, "kdbook.verify_command": 8, "kdbook.workshop": 8,
    "kdbook.workshop_command": 8,
}  # fmt: skip
# Where packages come from is pip's business, and where a checkout lies is nobody's. Tests may make
# up a home named "me".
FORBIDDEN = {
    "host of a package registry": r"pypi\.org|pythonhosted\.org|download\.pytorch\.org"
    r"|anaconda\.org|npmjs\.(org|com)|jsdelivr\.net|unpkg\.com",
    "absolute path of a machine": r"(?<![\w.~}*>-])/(work|root|home|Users)/(?!me\b)[\w.]",
}


@cache
def tracked():
    """The files that git tracks and that are still there."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no git checkout, so there is no list of tracked files")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def names(paths):
    return [path.relative_to(ROOT).as_posix() for path in paths]


def text_of(path):
    """The file's text, or nothing for a binary file."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


# Files


def test_no_tracked_file_is_large():
    assert names(path for path in tracked() if path.stat().st_size > 5 * MEGABYTE) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_an_installed_package_has_its_data_files(package):
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))
    patterns = project["tool"]["setuptools"]["package-data"][package]
    folder = PACKAGES[package]
    data = [p for p in tracked() if p.is_relative_to(folder) and p.suffix != ".py"]
    assert data
    inside = [path.relative_to(folder) for path in data]
    assert [p for p in inside if not any(p.match(pattern) for pattern in patterns)] == []


@pytest.mark.parametrize("what", FORBIDDEN)
def test_no_file_names_a(what):
    pattern = re.compile(FORBIDDEN[what])
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in tracked()
        for match in pattern.finditer(text_of(path))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("text", "is_found"),
    [(f"see /{'home'}/you/x", True), (f"'/{'root'}/.cache'", True), ("/home/me/x", False),
     ("https://x.org/home/a", False), ("../work/b", False), ("{root}/home/c", False)],
)  # fmt: skip
def test_what_counts_as_a_machine_path(text, is_found):
    assert bool(re.search(FORBIDDEN["absolute path of a machine"], text)) == is_found


# Notebooks


def notebooks():
    return [path for path in tracked() if path.suffix == ".ipynb"]


def test_the_hook_that_contributors_install_leaves_committed_notebooks_as_they_are(tmp_path):
    hooks = yaml.safe_load(text_of(ROOT / ".pre-commit-config.yaml"))["repos"][0]["hooks"]
    (entry,) = [hook["entry"] for hook in hooks if hook["id"] == "nbstripout"]
    name, *options = entry.removeprefix(".venv/bin/").split()
    copies = {path: tmp_path / f"{place}.ipynb" for place, path in enumerate(notebooks())}
    for path, copy in copies.items():
        shutil.copyfile(path, copy)
    command = [Path(sys.executable).parent / name, *options, *copies.values()]
    subprocess.run(command, check=True, capture_output=True)
    changed = [path for path, copy in copies.items() if text_of(path) != text_of(copy)]
    assert copies and names(changed) == []


def test_notebooks_are_laid_out_as_nbformat_writes_them():
    # So JupyterLab saves a chapter without moving a line that nobody edited.
    other = [
        path
        for path in notebooks()
        if nbformat.writes(nbformat.read(path, as_version=4)) + "\n" != text_of(path)
    ]
    assert names(other) == []


def code_cells():
    """Each code cell of each tracked notebook, with a name for it."""
    for path in notebooks():
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        for number, cell in enumerate(cells, start=1):
            if cell["cell_type"] == "code":
                yield f"{path.relative_to(ROOT)}, cell {number}", cell


def test_notebooks_are_committed_without_outputs():
    ran = [name for name, cell in code_cells() if cell["outputs"] or cell["execution_count"]]
    assert ran == []


def test_code_cells_are_short():
    long = [name for name, cell in code_cells() if len("".join(cell["source"]).splitlines()) > 15]
    assert long == []


# Words


UNITS = "class|run|seed|method|group|member|cell|student|teacher|measure|row|image|example|epoch"
PER = re.compile(
    rf"\b(?:an?|one|two)\s+(?:row|column|line|panel|dot|number|value|sentence)s?\s+an?\s+(?:{UNITS})\b"
    rf"|\bone\s+an?\s+(?:{UNITS})\b|\b(?:image|view|step)s\s+a\s+second\b",
    re.IGNORECASE,
)


def prose():
    """The texts that people read: the two packages, the book's pages and notebooks."""
    told = re.compile(r"(?:kdlib|book/(?!results/)).*\.(?:py|md|ipynb)")
    return [path for path in tracked() if told.fullmatch(path.relative_to(ROOT).as_posix())]


def test_what_distributes_says_per():
    found = {
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in prose()
        for match in PER.finditer(re.sub(r'\\n",\s*"', " ", text_of(path)))
    }
    assert found == set()


@pytest.mark.parametrize(
    ("text", "is_found"),
    [("A row a class.", True), ("one value\n    a run", True), ("by name, one a seed", True),
     ("a row per class", False), ("gives a class a weight", False), ("the one a reader", False)],
)  # fmt: skip
def test_which_words_distribute(text, is_found):
    assert bool(PER.search(text)) == is_found


# The front page


def markdown_files():
    return [path for path in tracked() if path.suffix == ".md" and path.parent == ROOT]


def test_links_between_files_lead_somewhere():
    link = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
    dead = [
        f"{path.name}: {target}"
        for path in markdown_files()
        for target in link.findall(text_of(path))
        if not (path.parent / target).exists()
    ]
    assert dead == []


def test_files_that_the_guides_name_exist():
    named = re.compile(r"`((?:kdlib|tests|book|benchmarks|docs)/[\w./]*\w)`")
    missing = [
        f"{path.name}: {target}"
        for path in markdown_files()
        for target in named.findall(text_of(path))
        if not (ROOT / target).exists() and "NAME" not in target
    ]
    assert missing == []


def test_make_targets_that_the_readme_names_exist():
    known = set(re.findall(r"(?m)^([a-z]+):", text_of(ROOT / "Makefile")))
    asked = set(re.findall(r"(?m)(?:^|`)make ([a-z]+)", text_of(ROOT / "README.md")))
    assert asked
    assert asked <= known


def test_the_readme_example_runs(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", text_of(ROOT / "README.md"), flags=re.DOTALL)
    scope = {}
    exec(compile(code, "README.md", "exec"), scope)
    assert len([line for line in code.splitlines() if line.strip()]) <= 12
    assert scope["trust"][1] == 0
    assert scope["trust"][0] > 0
    assert scope["student_logits"].grad.shape == (4, 3)
    assert "tensor" in capsys.readouterr().out


def test_the_readme_says_where_torch_comes_from():
    text = text_of(ROOT / "README.md")
    pins = re.findall(r"(?m)^(torch|torchvision)==(\S+)", text_of(ROOT / "requirements.txt"))
    assert len(pins) == 2
    assert all(f"{name} {version}" in text for name, version in pins)


# Versions and citation


def citation():
    return yaml.safe_load(text_of(ROOT / "CITATION.cff"))


def test_versions_agree():
    project = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]
    assert kdlib.__version__ == project["version"] == citation()["version"]
    newest = re.search(r"(?m)^## \[(\d[^\]]*)\]", text_of(ROOT / "CHANGELOG.md"))
    assert newest is not None
    assert newest[1] == kdlib.__version__


def test_the_citation_has_what_the_format_requires():
    found = citation()
    assert found["cff-version"] == "1.2.0"
    assert all(found[key] for key in ("message", "title", "authors", "license"))
    assert found["title"] == yaml.safe_load(text_of(ROOT / "_config.yml"))["title"]


def test_the_citation_names_both_papers():
    titles = " ".join(reference["title"] for reference in citation()["references"])
    assert "Teacher's pet" in titles
    assert "Robust distillation" in titles
    for reference in citation()["references"]:
        assert all(reference[key] for key in ("type", "authors", "title", "year"))


def test_every_cited_work_is_in_the_bibliography():
    pages = [path for path in tracked() if path.is_relative_to(ROOT / "book")]
    roles = re.compile(r"\{cite(?::\w+)?\}`([^`]+)`")
    cited = {
        key.strip()
        for path in pages
        for keys in roles.findall(text_of(path))
        for key in keys.split(",")
    }
    assert cited
    assert cited <= set(parse_file(ROOT / "book" / "references.bib").entries)


# Floors


def modules():
    return [path for folder in PACKAGES.values() for path in folder.rglob("*.py") if room(path)]


def room(path):
    """The module or subpackage that a file belongs to, such as ``kdlib.data``; "" for a package."""
    package = next(name for name, folder in PACKAGES.items() if path.is_relative_to(folder))
    first = path.relative_to(PACKAGES[package]).parts[0].removesuffix(".py")
    return "" if first == "__init__" else f"{package}.{first}"


def imported_rooms(source):
    """The rooms of both packages that ``source`` imports, also inside functions."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            dotted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the floor"
            dotted = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        parts = [name.split(".") for name in dotted]
        own = [p for p in parts if p[0] in PACKAGES and len(p) > 1 and p[1] != "__version__"]
        yield from (".".join(p[:2]) for p in own)


def test_imports_are_found_wherever_they_stand():
    source = (
        "import kdlib\nfrom kdlib import runs, __version__\n"
        "def f():\n import kdlib.data.views\n from kdbook.press.toc import Page"
    )
    assert list(imported_rooms(source)) == ["kdlib.runs", "kdlib.data", "kdbook.press"]


BUILDS_ON = {
    "ablations": {"trusting_the_teacher_less"},
    "intro": {"rare_classes"},
    "what_decides_who_pays": {"rare_classes"},
}
"""Chapters that go on from the runs of another. What several need otherwise has a room below."""


def test_a_chapter_takes_nothing_from_the_room_of_another():
    rooms, found = PACKAGES["kdbook"] / "chapters", {}
    for path in rooms.rglob("*.py"):
        own = path.relative_to(rooms).parts[0].removesuffix(".py")
        others = {
            node.module.split(".")[2] if node.module.count(".") > 1 else alias.name
            for node in ast.walk(ast.parse(text_of(path)))
            if isinstance(node, ast.ImportFrom) and node.module.startswith("kdbook.chapters")
            for alias in node.names
        } & {room.stem for room in rooms.iterdir()}
        if others - {own}:
            found.setdefault(own, set()).update(others - {own})
    assert found == BUILDS_ON


def test_every_module_has_a_floor():
    assert {room(path) for path in modules()} == set(FLOORS)


@pytest.mark.parametrize("floor", sorted(set(FLOORS.values())))
def test_a_floor_imports_only_from_itself_and_below(floor):
    climbs = [
        f"{path.relative_to(ROOT)} imports {other}"
        for path in modules()
        if FLOORS[room(path)] == floor
        for other in imported_rooms(text_of(path))
        if FLOORS[other] > floor
    ]
    assert climbs == []


def test_the_guide_shows_the_same_floors():
    rows = re.findall(r"(?m)^\| (\d) \| ([^|]+) \|", text_of(ROOT / "CONTRIBUTING.md"))
    shown = {name: int(floor) for floor, cell in rows for name in re.findall(r"`([\w.]+)`", cell)}
    assert shown == FLOORS
