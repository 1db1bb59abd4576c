"""Every page of the real book, opened in Chromium as a reader opens it, without a network."""

from pathlib import Path

import page_bars
import pytest
import reading
from opened_page import opened
from site_addresses import outside_addresses

from kdbook.press.toc import read_pages

PAGES = {page.name: page for page in read_pages(Path(__file__).parents[2])}
# A page takes seconds; the first test also waits for the whole book to run and build, and that is
# not counted. What ran out of time is asked once more, for a browser may stand still; a fault of
# the page itself shows both times.
pytestmark = [
    pytest.mark.chapters,
    pytest.mark.timeout(180, func_only=True),
    pytest.mark.flaky(reruns=1, only_rerun=["Timeout"]),
]
OTHER = {"light": "dark", "dark": "light"}


def check(page, scheme):
    assert page.complaints == []
    assert page.overflow() <= 1, page.too_wide()
    assert (page.brightness() > 0.5) == (scheme == "light")


def check_charts_move(page, chapter):
    movable = page.charts_to_move()
    assert movable or not chapter.runs
    for place, figure in enumerate(movable, start=1):
        assert page.control_changes(figure), f"chart {place}"
    assert page.complaints == []


@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_on_a_phone_at_night(browser, address, name):
    with opened(browser, f"{address}/{PAGES[name].path}.html", width=390, scheme="dark") as page:
        check(page, "dark")
        page.switch_to("light")
        check(page, "light")


@pytest.mark.browser
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_whole_and_for_everyone_on_a_desk(browser, address, name):
    with opened(browser, f"{address}/{PAGES[name].path}.html") as page:
        check(page, "light")
        page_bars.check_weight(page.page)
        page.page.evaluate(page_bars.FOLD)
        found = reading.faults(page.page.evaluate(reading.MEASURE), chapter=PAGES[name].runs)
        assert found == []
        page_bars.check_for_everyone(page.page)
        page.switch_to("dark")
        check(page, "dark")
        page_bars.check_for_everyone(page.page, page_bars.pale)
        check_charts_move(page, PAGES[name])
        page_bars.check_largest_paint(page.page)


@pytest.mark.browser
def test_the_start_leads_to_the_intro(browser, address):
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}/index.html")
    page.wait_for_url(f"**/{next(iter(PAGES.values())).path}.html")
    context.close()


def test_no_page_loads_anything_from_elsewhere(built_book):
    assert outside_addresses(built_book.html) == []
