"""Every page of the real book, opened in Chromium as a reader opens it, without a network."""

from pathlib import Path

import pytest
from opened_page import opened
from site_addresses import outside_addresses

from kdbook.press.toc import read_pages

PAGES = {page.name: page for page in read_pages(Path(__file__).parents[2])}
# The first test waits for the whole book to run and build.
pytestmark = [pytest.mark.chapters, pytest.mark.timeout(3600)]
OTHER = {"light": "dark", "dark": "light"}


def check(page, scheme):
    assert page.complaints == []
    assert page.overflow() <= 1, page.too_wide()
    assert (page.brightness() > 0.5) == (scheme == "light")


@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_page_is_whole_and_its_charts_move(browser, address, name, width, scheme):
    with opened(browser, f"{address}/{PAGES[name].path}.html", width=width, scheme=scheme) as page:
        check(page, scheme)
        page.switch_to(OTHER[scheme])
        check(page, OTHER[scheme])
        movable = page.charts_to_move()
        assert movable or not PAGES[name].runs
        for place, figure in enumerate(movable, start=1):
            assert page.control_changes(figure), f"chart {place} of {name}"
        assert page.complaints == []


@pytest.mark.browser
def test_the_start_leads_to_the_intro(browser, address):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}/index.html")
    page.wait_for_url(f"**/{next(iter(PAGES.values())).path}.html")
    context.close()


def test_no_page_loads_anything_from_elsewhere(built_book):
    assert outside_addresses(built_book.html) == []
