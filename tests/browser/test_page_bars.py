"""What the built book must keep to as a whole, and that the checks of each page can fail."""

import json
import re

import pytest
from opened_page import opened
from page_bars import findings

pytestmark = [
    pytest.mark.chapters,
    pytest.mark.timeout(180, func_only=True),
    pytest.mark.flaky(reruns=1, only_rerun=["Timeout"]),
]
WHOLE_SITE = 60_000_000  # bytes


def charts_in(html):
    """Page and specification of every chart of the site."""
    pattern = re.compile(
        r'class="kdlib-chart">.*?<script type="application/json">(.*?)</script>', re.S
    )
    for path in html.rglob("*.html"):
        for spec in pattern.findall(path.read_text(encoding="utf-8")):
            yield path.stem, json.loads(spec)


def test_the_alt_text_of_every_chart_says_what_it_shows(built_book):
    charts = list(charts_in(built_book.html))
    assert len(charts) > 50
    short = [(page, spec["description"]) for page, spec in charts if len(spec["description"]) < 60]
    assert short == []


def test_every_chart_has_a_still_picture(built_book):
    assert any(charts_in(built_book.html))
    for path in built_book.html.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        pictures = re.findall(r'<noscript><img src="([^"]*)" alt="[^"]{60,}"', text)
        assert len(pictures) == text.count('class="kdlib-chart"'), path.name
        assert all((path.parent / picture).is_file() for picture in pictures)


def test_the_site_is_light(built_book):
    sizes = [path.stat().st_size for path in built_book.html.rglob("*") if path.is_file()]
    assert sum(sizes) < WHOLE_SITE


@pytest.mark.browser
def test_the_search_finds_pages(browser, address):
    with opened(browser, f"{address}/search.html?q=multipliers") as page:
        page.page.wait_for_selector("#search-results li a")
        assert page.complaints == []


@pytest.mark.browser
def test_the_checks_find_what_bars_somebody(browser):
    page = browser.new_page()
    page.set_content('<p style="color: #bbb; background: #fff">pale</p><img src="data:,">')
    found = " ".join(findings(page))
    assert "color-contrast" in found and "image-alt" in found
    page.close()
