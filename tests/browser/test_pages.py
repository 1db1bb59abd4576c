"""Every page of the real book, opened in Chromium as a reader opens it, without a network."""

from pathlib import Path

import pytest
from opened_page import opened
from site_addresses import outside_addresses

from kdbook.press.toc import read_pages

PAGES = {page.name: page for page in read_pages(Path(__file__).parents[2])}
DESKTOP, PHONE = 1280, 390
views = pytest.mark.parametrize(
    ("width", "scheme"), [(w, s) for w in (DESKTOP, PHONE) for s in ("light", "dark")]
)
each_page = pytest.mark.parametrize("name", PAGES)
# The first test waits for the whole book to run and build.
pytestmark = [pytest.mark.chapters, pytest.mark.timeout(3600)]


@pytest.mark.browser
@each_page
@views
def test_a_page_is_whole(browser, address, name, width, scheme):
    with opened(browser, f"{address}/{PAGES[name].path}.html", width=width, scheme=scheme) as page:
        assert page.complaints == []
        assert page.overflow() <= 1, page.too_wide()
        assert (page.brightness() > 0.5) == (scheme == "light")


@pytest.mark.browser
@each_page
def test_moving_a_control_changes_its_chart(browser, address, name):
    with opened(browser, f"{address}/{PAGES[name].path}.html") as page:
        for place, figure in enumerate(page.charts_to_move(), start=1):
            assert page.control_changes(figure), f"chart {place} of {name}"
        assert page.complaints == []


@pytest.mark.browser
def test_each_chapter_has_something_to_move(browser, address):
    for page in PAGES.values():
        if page.runs and page.name != "intro":
            with opened(browser, f"{address}/{page.path}.html") as open_page:
                assert open_page.charts_to_move(), page.name


@pytest.mark.browser
def test_the_start_leads_to_the_intro(browser, address):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}/index.html")
    page.wait_for_url(f"**/{next(iter(PAGES.values())).path}.html")
    context.close()


def test_no_page_loads_anything_from_elsewhere(built_book):
    assert outside_addresses(built_book.html) == []
