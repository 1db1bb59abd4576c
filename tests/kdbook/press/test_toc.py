import pytest

from kdbook.press.errors import PressError
from kdbook.press.project import find_project
from kdbook.press.toc import read_pages, select_chapters


def test_pages_come_in_reading_order_with_their_source(tiny):
    pages = read_pages(tiny.root)
    assert [page.file for page in pages] == [
        "book/intro.md", "book/part/one.ipynb", "book/part/two.ipynb",
    ]  # fmt: skip
    assert [page.runs for page in pages] == [False, True, True]


def test_a_page_that_is_not_there_is_named(tiny):
    (tiny.root / "book/part/two.ipynb").unlink()
    with pytest.raises(PressError, match=r"names book/part/two, but there is no"):
        read_pages(tiny.root)


def test_a_table_of_contents_without_root_is_refused(tiny):
    tiny.write("_toc.yml", "format: jb-book\n")
    with pytest.raises(PressError, match="names no root page"):
        read_pages(tiny.root)


@pytest.mark.parametrize("name", ["two", "book/part/two", "book/part/two.ipynb"])
def test_a_chapter_is_chosen_by_name_or_path(tiny, name):
    assert [page.name for page in select_chapters(read_pages(tiny.root), [name])] == ["two"]


@pytest.mark.parametrize("names", [[], ["two", "one", "two"]])
def test_chapters_come_once_and_in_reading_order_and_no_name_chooses_all(tiny, names):
    assert [page.name for page in select_chapters(read_pages(tiny.root), names)] == ["one", "two"]


def test_an_unknown_chapter_is_refused_with_the_allowed_names(tiny):
    with pytest.raises(
        PressError, match=r"'tow' is not in the book: did you mean two\? Allowed are one, two"
    ):
        select_chapters(read_pages(tiny.root), ["tow"])


def test_the_project_is_found_from_a_folder_inside(tiny, tmp_path_factory):
    assert find_project(tiny.root / "book/part").root == tiny.root
    with pytest.raises(PressError, match="no book in"):
        find_project(tmp_path_factory.mktemp("elsewhere"))
