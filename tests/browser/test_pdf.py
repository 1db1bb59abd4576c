"""Two pages of the real book in one file: joined, with bookmarks, drawn charts and inner links."""

from pathlib import Path

import pytest

from kdbook.press.errors import PressError
from kdbook.press.pdf import make_pdf
from kdbook.press.toc import read_pages

PAGES = {page.name: page for page in read_pages(Path(__file__).parents[2])}
TWO = ["measuring", "rare_classes"]
pytestmark = [pytest.mark.chapters, pytest.mark.browser, pytest.mark.timeout(3600)]


@pytest.fixture(scope="module")
def printed(built_book, tmp_path_factory):
    from pypdf import PdfReader

    target = tmp_path_factory.mktemp("pdf") / "two.pdf"
    sheets = make_pdf(built_book.html, [PAGES[name] for name in TWO], target, say=lambda _: None)
    reader = PdfReader(target)
    assert len(reader.pages) == sheets
    return reader


def chapters(reader):
    """Of each chapter its bookmark and its first sheet."""
    top = [one for one in reader.outline if not isinstance(one, list)]
    return [(one.title, reader.get_destination_page_number(one)) for one in top]


def test_every_chapter_has_a_bookmark_and_a_first_sheet_of_its_own(printed):
    (contents, first), *rest = chapters(printed)
    assert (contents, first) == ("Contents", 0) and len(rest) == len(TWO)
    for title, sheet in rest:
        assert title.split()[0] in printed.pages[sheet].extract_text()[:400]
        assert f"{sheet + 1}" in printed.pages[0].extract_text()
    assert any(isinstance(one, list) for one in printed.outline)  # headings below the chapters


def test_charts_are_drawn_also_in_what_was_folded(printed, built_book):
    text = " ".join(sheet.extract_text() for sheet in printed.pages)
    for name in TWO:
        html = (built_book.html / f"{PAGES[name].path}.html").read_text(encoding="utf-8")
        assert html.count('class="kdlib-chart"') > 0
    assert text.count("could not be drawn") == 0
    assert "test accuracy" in text.lower()  # the title of an axis


def test_links_between_pages_stay_inside(printed):
    links = [one.get_object() for sheet in printed.pages for one in sheet.annotations or []]
    addresses = [str(link["/A"].get("/URI", "")) for link in links if "/A" in link]
    assert not any("127.0.0.1" in address for address in addresses)
    assert sum("/Dest" in link for link in links) >= len(TWO)  # the contents, at least


def test_a_page_that_is_not_built_is_refused(tmp_path):
    with pytest.raises(PressError, match="there is no page book/foundations/measuring"):
        make_pdf(tmp_path, [PAGES["measuring"]], tmp_path / "x.pdf")
