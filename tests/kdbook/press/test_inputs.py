import json
import shutil

import pytest
from press_cells import code, notebook

import kdbook
import kdlib
from kdbook.press import inputs
from kdbook.press.inputs import input_key
from kdbook.press.toc import read_pages

QUICK = {"profile": "quick"}


def key(tiny, parameters=QUICK):
    return input_key(read_pages(tiny.root)[1], parameters)


@pytest.fixture
def records(tmp_path, monkeypatch):
    """The folder of records that chapters read, with one in it."""
    folder = tmp_path / "records"
    folder.mkdir()
    (folder / "numbers.csv").write_text("a\n1\n")
    monkeypatch.setattr(inputs, "records_folder", lambda: folder)
    return folder


@pytest.fixture
def before(tiny):
    return key(tiny)


def test_the_key_stays_where_nothing_changes(tiny, before):
    assert key(tiny) == before


def test_outputs_in_the_source_do_not_count(tiny, before):
    path = tiny.root / "book/part/one.ipynb"
    content = json.loads(path.read_text())
    content["cells"][-1] |= {"execution_count": 7, "outputs": [{"output_type": "stream"}]}
    path.write_text(json.dumps(content))
    assert key(tiny) == before


def test_another_page_does_not_count(tiny, before):
    tiny.chapter("two", code("print(2)"))
    tiny.write("book/intro.md", "# Another intro\n")
    assert key(tiny) == before


def test_a_changed_cell_changes_the_key(tiny, before):
    tiny.chapter("one", code("print(profile,  size)"))
    assert key(tiny) != before


def test_a_changed_tag_changes_the_key(tiny, before):
    path = tiny.root / "book/part/one.ipynb"
    content = json.loads(path.read_text())
    content["cells"][-1]["metadata"]["tags"] = ["hide-input"]
    path.write_text(json.dumps(content))
    assert key(tiny) != before


@pytest.mark.parametrize("parameters", [{"profile": "standard"}, QUICK | {"size": 2}, {}])
def test_changed_parameters_change_the_key(tiny, before, parameters):
    assert key(tiny, parameters) != before


def test_a_parameter_of_another_type_changes_the_key(tiny):
    assert key(tiny, {"size": 1}) != key(tiny, {"size": "1"}) != key(tiny, {"size": True})


@pytest.mark.parametrize("name", ["numbers.csv", "more.csv", "deep/er.json"])
def test_changed_records_change_the_key(tiny, records, name):
    before = key(tiny)
    (records / name).parent.mkdir(exist_ok=True)
    (records / name).write_text("a\n2\n")
    assert key(tiny) != before


def test_a_renamed_record_changes_the_key(tiny, records):
    before = key(tiny)
    (records / "numbers.csv").rename(records / "others.csv")
    assert key(tiny) != before


@pytest.mark.parametrize("beside", ["book/kdbook/module.py", "book/results/other.csv"])
def test_a_file_that_no_chapter_reads_does_not_count(tiny, before, beside):
    """The imported code and its records count; those beside the pages are not read."""
    tiny.write(beside, "x = 1")
    assert key(tiny) == before


@pytest.mark.parametrize("package", [kdlib, kdbook])
def test_the_library_digest_sees_both_packages(package, tmp_path, monkeypatch):
    changed = shutil.copytree(package.__path__[0], tmp_path / package.__name__)
    digest = inputs.library_digest.__wrapped__  # without its cache
    before = digest()
    monkeypatch.setattr(package, "__path__", [str(changed)])
    assert digest() == before
    (changed / "deep.py").write_text("x = 1")
    assert digest() != before


def test_a_changed_library_changes_the_key(tiny, before, monkeypatch):
    monkeypatch.setattr(inputs, "library_digest", lambda: "another")
    assert key(tiny) != before


def test_a_changed_torch_changes_the_key(tiny, before, monkeypatch):
    monkeypatch.setattr(inputs, "_versions", lambda: {"python": "3.11", "torch": "9.9"})
    assert key(tiny) != before


def test_the_library_digest_sees_every_source_file(tmp_path):
    package = tmp_path / "package"
    (package / "deep").mkdir(parents=True)
    source = package / "deep" / "module.py"
    source.write_text("x = 1")
    first = inputs.tree_digest(package, package.rglob("*"))
    source.write_text("x = 2")
    assert inputs.tree_digest(package, package.rglob("*")) != first


def test_notebook_sources_count_alike_as_text_or_as_lines(tmp_path):
    as_lines, as_text = tmp_path / "lines.ipynb", tmp_path / "text.ipynb"
    as_lines.write_text(notebook(code("a = 1", "b = 2")))
    content = json.loads(as_lines.read_text())
    content["cells"][0]["source"] = "a = 1\nb = 2"
    as_text.write_text(json.dumps(content))
    assert inputs.notebook_digest(as_lines) == inputs.notebook_digest(as_text)
