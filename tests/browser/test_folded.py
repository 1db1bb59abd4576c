"""What is folded, printed, read without scripts or reached by the keyboard shows what it should."""

import re

import pytest
from explorables_page import write_pages
from opened_page import OpenedPage, opened
from test_chart_script import BUNDLE, PAGE, many_charts

from kdbook.charts.renderers import figure_html
from kdbook.press.pictures import Pictures

FOLDED = '<details class="deeper"><summary>Open</summary>{}</details>'
WIDTHS = """[...document.querySelectorAll("details svg")]
  .map(svg => [svg.getBoundingClientRect().width, svg.closest("details").clientWidth])"""
TERM = """<!doctype html><html lang="en"><head><title>Terms</title><meta name="viewport"
content="width=device-width"><link rel="icon" href="data:,">
<link rel="stylesheet" href="_static/kdlib-reader.css"><script
src="_static/kdlib-terms.js"></script></head>
<body><section style="margin: 1rem"><p>At the far end of a line on any telephone stands a
<span class="kdlib-term"><a href="#x" aria-describedby="m">term</a><span class="kdlib-definition"
role="tooltip" id="m">What the term means, in one sentence.</span></span>.</p></section>
</body></html>"""
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def site(serve, tmp_path_factory):
    """A chart with its still picture and an explorable, each folded, and a page with a term."""
    import vl_convert

    folder = tmp_path_factory.mktemp("folded")
    write_pages(folder)
    figures = "".join(figure_html(chart.to_dict()) for chart in many_charts()[:2])
    text = Pictures(folder, folder / "kept").into_page(FOLDED.format(figures), "./")
    (folder / "charts.html").write_text(PAGE.format(figures=text))
    explorable = (folder / "who-pays.html").read_text()
    inside = re.search(r'<div class="kdlib-who-pays"></div>', explorable)[0]
    (folder / "who-pays.html").write_text(explorable.replace(inside, FOLDED.format(inside)))
    (folder / "_static/vega").mkdir()
    (folder / "_static/vega/vega-bundle.js").write_text(vl_convert.javascript_bundle(BUNDLE))
    (folder / "term.html").write_text(TERM)
    return serve(folder)


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("name", ["charts", "who-pays"])
def test_what_is_folded_is_drawn_to_fit_once_it_is_opened(browser, site, name, width):
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = OpenedPage(context.new_page())
    page.page.goto(f"{site}/{name}.html")
    page.page.wait_for_timeout(300)
    assert page.page.locator("details svg:visible").count() == 0
    page.page.locator("summary").first.click()
    page.page.wait_for_function("document.querySelectorAll('details svg').length >= 2")
    page.page.wait_for_timeout(300)
    widths = page.page.evaluate(WIDTHS)
    assert all(0 < drawn <= room + 1 for drawn, room in widths), widths
    assert max(drawn for drawn, _ in widths) > 200
    assert page.overflow() <= 1 and page.complaints == []
    context.close()


def test_without_scripts_a_picture_stands_for_the_chart(browser, site):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/charts.html")
    page.locator("summary").first.click()
    pictures = page.locator("noscript img")
    assert pictures.count() == 2
    for place in range(2):
        assert pictures.nth(place).bounding_box()["height"] > 100
        assert len(pictures.nth(place).get_attribute("alt")) > 40
    context.close()


def test_in_print_the_picture_stands_for_a_chart_that_is_not_drawn(browser, site):
    with opened(browser, f"{site}/charts.html") as page:
        assert page.page.locator(".kdlib-still:visible").count() == 0
        page.page.emulate_media(media="print")
        assert page.page.locator(".kdlib-still:visible").count() == 0  # both are drawn
        page.page.evaluate("delete document.querySelector('figure').dataset.drawn")
        page.page.wait_for_selector(".kdlib-still:visible")
        assert page.page.locator(".kdlib-still:visible").count() == 1


def test_a_program_that_prints_can_wait_for_all_charts(browser, site):
    context = browser.new_context(viewport={"width": 720, "height": 200})
    page = context.new_page()
    page.goto(f"{site}/charts.html")
    page.locator("summary").first.click()
    page.evaluate("kdlibCharts.drawAll()")
    assert page.locator("figure[data-drawn]").count() == 2
    context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_a_term_shows_its_meaning_to_pointer_and_keyboard_within_the_screen(browser, site, width):
    with opened(browser, f"{site}/term.html", width=width) as page:
        meaning = page.page.locator(".kdlib-definition")
        assert not meaning.is_visible()
        page.page.keyboard.press("Tab")
        assert meaning.is_visible()
        box = meaning.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= width
        page.page.keyboard.press("Escape")
        assert not meaning.is_visible()
        page.page.evaluate("document.activeElement.blur()")
        page.page.hover(".kdlib-term > a")
        assert meaning.is_visible()
        meaning.hover()  # the pointer may rest on it
        assert meaning.is_visible()
        assert page.overflow() <= 1
