import pytest

from kdbook.press import cache

KEY = "0123456789abcdef"


def executed(exception=False):
    cell = {
        "cell_type": "code", "metadata": {"papermill": {"start_time": "now"}, "tags": []},
        "source": "1 + 1", "outputs": [{"output_type": "stream", "text": "2"}],
    }  # fmt: skip
    paths = {"input_path": "/home/me/x.ipynb", "exception": exception}
    return {"cells": [cell], "metadata": {"papermill": paths}, "nbformat": 4, "nbformat_minor": 5}


def kept(tmp_path, **changes):
    return cache.keep(tmp_path, KEY, cache.tidy(executed(**changes), hide_parameters=True))


def test_what_was_kept_is_found_under_its_key_only(tmp_path):
    path = kept(tmp_path)
    assert cache.find(tmp_path, KEY) == path == tmp_path / f"{KEY}.ipynb"
    assert cache.find(tmp_path, "f" * 16) is None


def test_a_failed_chapter_is_never_found(tmp_path):
    kept(tmp_path, exception=True)
    assert cache.find(tmp_path, KEY) is None


@pytest.mark.parametrize("damage", [
    lambda text: "", lambda text: text[: len(text) // 2], lambda text: "[]",
    lambda text: text.replace('"text": "2"', '"text": "3"'),
    lambda text: text.replace(KEY, "f" * 16), lambda text: '{"cells": []}',
])  # fmt: skip
def test_a_damaged_file_is_ignored(tmp_path, damage):
    path = kept(tmp_path)
    path.write_text(damage(path.read_text()))
    assert cache.find(tmp_path, KEY) is None


def test_what_is_kept_names_no_path_of_this_machine(tmp_path):
    assert "/home/me" not in kept(tmp_path).read_text()
    assert "start_time" not in kept(tmp_path).read_text()


def test_the_injected_cell_is_left_out_of_the_page_only_when_asked():
    for hide in (True, False):
        notebook = executed()
        notebook["cells"][0]["metadata"]["tags"] = ["injected-parameters"]
        tags = cache.tidy(notebook, hide_parameters=hide)["cells"][0]["metadata"]["tags"]
        assert ("remove-cell" in tags) == hide
