"""Two pages of the real book in one file: joined, with bookmarks, drawn charts and inner links."""

import json
import re
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kdbook.press.errors import PressError
from kdbook.press.pdf import make_pdf
from kdbook.press.toc import read_pages

PAGES = {page.name: page for page in read_pages(Path(__file__).parents[2])}
TWO = ["measuring", "rare_classes"]
pytestmark = [pytest.mark.chapters, pytest.mark.browser, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def printed(built_book, tmp_path_factory):
    from pypdf import PdfReader

    target = tmp_path_factory.mktemp("pdf") / "two.pdf"
    pages = [PAGES[name] for name in TWO]
    with ThreadPoolExecutor(1) as own:  # the browser of the other tests holds this thread's loop
        sheets = own.submit(make_pdf, built_book.html, pages, target, say=lambda _: None).result()
    reader = PdfReader(target)
    assert len(reader.pages) == sheets
    return reader


def plain(text):
    """Without spaces and hyphens, for lines are broken anywhere; ligatures as letters."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text))


def charts_of(html, page):
    text = (html / f"{page.path}.html").read_text(encoding="utf-8")
    return [
        json.loads(one)
        for one in re.findall(r'<script type="application/json">(.*?)</script>', text)
    ]


def titles(part):
    """Titles of axes and legends anywhere in a specification, and its own."""
    if isinstance(part, list):
        return [title for one in part for title in titles(one)]
    if not isinstance(part, dict):
        return []
    own = [part["title"]] if isinstance(part.get("title"), str) else []
    return own + titles([one for name, one in part.items() if name != "datasets"])


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
    text = plain("".join(sheet.extract_text() for sheet in printed.pages))
    charts = [chart for name in TWO for chart in charts_of(built_book.html, PAGES[name])]
    assert len(charts) > 3 and "could not be drawn" not in text
    for chart in charts:
        assert any(plain(title) in text for title in titles(chart)), titles(chart)


def test_links_between_pages_stay_inside(printed):
    links = [one.get_object() for sheet in printed.pages for one in sheet.annotations or []]
    addresses = [str(link["/A"].get("/URI", "")) for link in links if "/A" in link]
    assert not any("127.0.0.1" in address for address in addresses)
    assert sum("/Dest" in link for link in links) >= len(TWO)  # the contents, at least


def test_a_page_that_is_not_built_is_refused(tmp_path):
    with pytest.raises(PressError, match="there is no page book/foundations/measuring"):
        make_pdf(tmp_path, [PAGES["measuring"]], tmp_path / "x.pdf")
