import json

import pytest
import yaml
from click.testing import CliRunner
from press_cells import code, markdown, notebook

from kdbook.press.address import (
    COLAB_TAG,
    PLACEHOLDER,
    colab_cell,
    colab_cell_source,
    disagreements,
    is_settled,
    read_address,
    set_address,
)  # fmt: skip
from kdbook.press.commands import book
from kdbook.press.project import find_project
from kdlib.errors import SettingError

NEW = "https://github.com/someone/the-book"


def test_the_install_cell_installs_only_where_kdlib_is_missing_and_no_dependency():
    lines = colab_cell_source(NEW).splitlines()
    assert len(lines) <= 8
    assert 'find_spec("kdlib") is None' in lines[2]
    assert lines[3] == f'    %pip install -q --no-deps "kdlib @ git+{NEW}"'


def test_the_site_leaves_the_install_cell_out():
    assert set(colab_cell(NEW)["metadata"]["tags"]) == {COLAB_TAG, "remove-cell"}


def test_the_address_is_written_to_every_place(tiny):
    changed = set_address(tiny.root, f"{NEW}.git/".replace(".git/", ".git"))
    assert {path.name for path in changed} == {"_config.yml", "one.ipynb", "two.ipynb"}
    assert read_address(tiny.root) == NEW
    assert disagreements(tiny.root) == []
    assert set_address(tiny.root, NEW) == []


def test_nothing_but_the_address_changes(tiny):
    files = [tiny.root / "_config.yml", tiny.root / "book/part/one.ipynb"]
    before = [file.read_text() for file in files]
    set_address(tiny.root, NEW)
    assert [file.read_text().replace(NEW, PLACEHOLDER) for file in files] == before


def test_the_other_settings_stay(tiny):
    before = yaml.safe_load((tiny.root / "_config.yml").read_text())
    set_address(tiny.root, NEW)
    after = yaml.safe_load((tiny.root / "_config.yml").read_text())
    before["repository"]["url"] = NEW
    assert after == before


@pytest.mark.parametrize("wrong", [
    "github.com/a/b", "http://github.com/a/b", "https://github.com/a", "https://github.com/a/b c",
    'https://github.com/a/b"',
])  # fmt: skip
def test_a_wrong_address_is_refused_and_changes_nothing(tiny, wrong):
    with pytest.raises(SettingError, match="is not allowed: use https://HOST/OWNER/NAME"):
        set_address(tiny.root, wrong)
    assert read_address(tiny.root) == PLACEHOLDER


def test_a_chapter_without_the_cell_or_with_another_address_is_named(tiny):
    tiny.write("book/part/one.ipynb", notebook(markdown("# One"), code("1")))
    path = tiny.root / "book/part/two.ipynb"
    content = json.loads(path.read_text().replace(PLACEHOLDER, NEW))
    path.write_text(json.dumps(content))
    first, second = disagreements(tiny.root)
    assert first.startswith("book/part/one: 0 cells are tagged")
    assert second.startswith("book/part/two: the cell tagged colab-setup is not what")


def test_the_command_shows_and_sets_the_address(tiny, monkeypatch):
    monkeypatch.chdir(tiny.root / "book")
    assert "a placeholder" in CliRunner().invoke(book, ["address"]).output
    result = CliRunner().invoke(book, ["address", NEW])
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1] == NEW
    refused = CliRunner().invoke(book, ["address", "nonsense"])
    assert refused.exit_code == 1
    assert refused.output.startswith("Error: address = 'nonsense' is not allowed")


def test_every_real_chapter_agrees_with_the_configuration():
    assert disagreements(find_project().root) == []


def test_the_placeholder_counts_as_not_settled():
    assert not is_settled(PLACEHOLDER)
    assert is_settled(NEW)
