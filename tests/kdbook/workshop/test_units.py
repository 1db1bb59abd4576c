"""Each unit: its notebooks for students and instructors, its tags, its minutes."""

import json
import re
from pathlib import Path

import nbformat
import pytest

from kdbook.workshop import checks
from kdbook.workshop.make import UNITS
from kdbook.workshop.units import for_instructors, for_students, read_units, source_of, stub
from kdbook.workshop.verdicts import NotYet
from kdlib.errors import SettingError

ROOT = Path(__file__).resolve().parents[3]
ADDRESS = "https://github.com/OWNER/REPOSITORY"
ALL_UNITS = read_units(ROOT / UNITS)
each_unit = pytest.mark.parametrize("unit", ALL_UNITS, ids=lambda unit: unit.name)


def code_of(notebook):
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    return [cell for cell in cells if "colab-setup" not in cell["metadata"].get("tags", [])]


def tagged(cell, tag):
    return tag in cell["metadata"].get("tags", [])


def run(cells):
    """Run cells one after the other, as Jupyter does; what stopped each, or None."""
    scope, stopped = {}, {}
    for cell in cells:
        try:
            exec(compile(source_of(cell), cell["id"], "exec"), scope)
            stopped[cell["id"]] = None
        except Exception as error:
            stopped[cell["id"]] = error
    return stopped


def filled(unit):
    """The student's notebook with solutions in the place of its stubs."""
    solved = {cell["id"]: cell for cell in for_instructors(unit, ADDRESS)["cells"]}
    return [
        solved[cell["id"]] if tagged(cell, "solution") else cell
        for cell in code_of(for_students(unit, ADDRESS))
    ]


@pytest.fixture
def beside_logits(logits_file, monkeypatch):
    monkeypatch.chdir(logits_file.parent)


@each_unit
def test_with_solutions_every_cell_runs_and_every_check_passes(unit, beside_logits, capsys):
    cells = filled(unit)
    assert {name: error for name, error in run(cells).items() if error} == {}
    passed = re.findall(r"(?m)^Right: (\w+)", capsys.readouterr().out)
    written = [re.search(r"def (\w+)", source_of(c))[1] for c in cells if tagged(c, "solution")]
    assert passed == written != []


@each_unit
def test_without_solutions_every_check_says_what_to_write(unit, beside_logits):
    cells = code_of(for_students(unit, ADDRESS))
    stopped, hint = run(cells), {}
    for cell in cells:
        for name, text in re.findall(r'NotImplementedError\("(\w+): (.+)"\)', source_of(cell)):
            hint[name] = f"{name}: {text}"
    checked = [cell for cell in cells if tagged(cell, "check")]
    said = [stopped[cell["id"]] for cell in checked]
    assert all(isinstance(error, NotYet) for error in said)
    assert [str(error) for error in said] == list(hint.values()) != []
    others = [error for error in stopped.values() if not isinstance(error, NotYet | None)]
    assert all(isinstance(error, NotImplementedError | NameError) for error in others)


@each_unit
def test_instructors_see_all_of_it(unit, beside_logits):
    notebook = for_instructors(unit, ADDRESS)
    assert {name: error for name, error in run(code_of(notebook)).items() if error} == {}
    text = "\n".join(source_of(cell) for cell in notebook["cells"])
    assert "### BEGIN" not in text and "NotImplementedError" not in text
    timed = re.findall(r"(?m)^## .*\(about (\d+) minutes", text)
    assert list(map(int, timed)) == [section.minutes for section in unit.sections]


@each_unit
def test_students_see_neither_solutions_nor_notes(unit):
    notebook = for_students(unit, ADDRESS)
    text = "\n".join(source_of(cell) for cell in notebook["cells"])
    assert "### " not in text
    for cell in unit.notebook["cells"]:
        if tagged(cell, "instructor"):
            assert source_of(cell) not in text
        if tagged(cell, "solution"):
            inside = re.search(r"### BEGIN.*\n([\s\S]*?) *### END", source_of(cell))[1]
            assert inside not in text


@each_unit
@pytest.mark.parametrize("make", [for_students, for_instructors])
def test_what_is_handed_out_is_a_notebook(unit, make):
    notebook = make(unit, ADDRESS)
    nbformat.validate(nbformat.from_dict(notebook))
    assert ADDRESS in source_of(notebook["cells"][1])


def test_every_check_belongs_to_one_unit():
    cells = [cell for unit in ALL_UNITS for cell in unit.notebook["cells"]]
    called = [source_of(cell) for cell in cells if tagged(cell, "check")]
    assert sorted(called) == sorted(f"checks.{c.name}({c.name})" for c in checks.CHECKS)


@each_unit
def test_a_unit_asks_before_it_shows(unit):
    """Most sections let the room guess, and instructors have a note or a mistake for each."""
    texts = [source_of(cell) for cell in unit.notebook["cells"]]
    assert any("*Guess first:*" in text for text in texts)
    assert any(text.startswith("**What to remember.**") for text in texts)


# What a source may hold


def cell(text, *tags, kind="code"):
    return {"cell_type": kind, "id": "a", "metadata": {"tags": list(tags)}, "source": text}


SOLUTION = "def f(x):\n    ### BEGIN SOLUTION: add one\n    return x + 1\n    ### END SOLUTION\n"


def test_a_stub_takes_any_hint():
    made = source_of(stub(cell(SOLUTION.replace("add one", 'say "yes"'), "solution")))
    with pytest.raises(NotImplementedError, match='f: say "yes"'):
        exec(f"{made}\nf(1)", {})


def test_a_stub_keeps_what_stands_around_the_solution():
    made = source_of(stub(cell(f"{SOLUTION}\ny = 2", "solution")))
    assert made == 'def f(x):\n    raise NotImplementedError("f: add one")\n\ny = 2'


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (cell("1", "sloution"), "tag 'sloution' is not known: did you mean solution"),
        (cell("1", "solution"), "cell 2: a cell tagged solution"),
        (cell(SOLUTION), "and no other"),
        (cell(SOLUTION.replace("### END SOLUTION", ""), "solution"), "### END SOLUTION"),
        (cell(SOLUTION.replace(": add one", ""), "solution"), "what to write"),
        (cell("## Part", kind="markdown"), "section 'Part' needs one tag minutes-N"),
    ],
)
def test_a_wrong_cell_is_named(bad, said, tmp_path):
    title = cell("# Unit", kind="markdown")
    notebook = {"cells": [title, bad], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / "1_unit.ipynb").write_text(json.dumps(notebook))
    with pytest.raises(SettingError, match=re.escape(said)):
        read_units(tmp_path)


def test_a_folder_without_units_is_refused(tmp_path):
    with pytest.raises(SettingError, match="no notebook"):
        read_units(tmp_path)
