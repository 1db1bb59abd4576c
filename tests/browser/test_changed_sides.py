"""The images that changed sides: counts against numpy, and the figure as a reader uses it."""

import json
import re

import numpy as np
import pytest
from explorables_page import READY, is_quick, write_pages
from opened_page import opened

from kdbook.chapters.where_the_teacher_errs import changed_sides
from kdlib.data import load

COUNT = """async ([record, labels, state]) => {
  const { answersOf, imagesOf, totals } = await import("/_static/explorables/sides-count.mjs");
  const said = answersOf(record, labels, state);
  return totals(said, imagesOf(said));
}"""
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def site(serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sides")
    write_pages(folder)
    return serve(folder)


@pytest.fixture(scope="module")
def record():
    return json.loads(changed_sides.read_file())


def test_the_counts_are_those_of_numpy(browser, site, record):
    labels = load("digits").test.labels.numpy()
    text = "".join(map(str, labels))
    with opened(browser, f"{site}/nothing.html") as one:
        for temperature in (1, 3):
            for label in range(10):
                state = {"label": label, "temperature": temperature}
                found = one.page.evaluate(COUNT, [record, text, state])
                expected = counted(record, labels == label, label, temperature)
                assert {name: found[name] for name in expected} == expected


def counted(record, where, label, temperature):
    said = {
        name: np.array([list(map(int, line)) for line in lines])[:, where]
        for name, lines in record["guesses"].items()
    }
    distilled = said[f"distilled {temperature}"]
    plain, taught = said["one-hot"] == label, distilled == label
    lost = plain & ~taught
    return {
        "lost": lost.sum(),
        "gained": (~plain & taught).sum(),
        "back": (lost & (said[f"AdaAlpha {temperature}"] == label)).sum(),
        "known": (lost & (said["teacher"] == label)).sum(),
        "same": (lost & (said["teacher"] == distilled)).sum(),
        "asked": where.sum() * len(record["seeds"]),
    }


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_it_fits_its_screen_and_says_in_words_what_each_tile_shows(browser, site, width, scheme):
    with opened(browser, f"{site}/changed-sides.html", width=width, scheme=scheme) as one:
        one.page.wait_for_function(READY)
        assert one.overflow() <= 1, one.too_wide()
        alts = one.page.locator("img").evaluate_all("all => all.map(each => each.alt)")
        assert re.match(r"a 9, taken for \d in \d+ of 10 seeds; of 10 seeds one-hot right", alts[0])
        assert all(alts)
        assert one.complaints == []


def test_it_starts_with_the_sentence_and_the_tiles_that_stand_without_a_script(
    browser, site, record
):
    shown = changed_sides.first_state(record)
    with opened(browser, f"{site}/changed-sides.html") as one:
        one.page.wait_for_function(READY)
        assert one.page.inner_text(".kdlib-headline") == changed_sides.headline(shown)
        alts = one.page.locator(".kdlib-tile img").evaluate_all("all => all.map(each => each.alt)")
    still = re.findall(r'alt="([^"]+)"', changed_sides.static_figure(shown))
    assert alts[: len(still)] == still


def test_each_move_says_something_else_within_50_ms_and_is_kept_in_the_address(browser, site):
    with opened(browser, f"{site}/changed-sides.html") as one:
        one.page.wait_for_function(READY)
        others = one.page.locator(".kdlib-choices input:not(:checked)")
        for place in range(others.count()):
            before = one.page.inner_html(".kdlib-sides > div:nth-child(3)")
            assert is_quick(one.page, others.nth(place))
            assert one.page.inner_html(".kdlib-sides > div:nth-child(3)") != before
            with opened(browser, one.page.url) as again:
                again.page.wait_for_function(READY)
                assert again.page.inner_text(".kdlib-words") == one.page.inner_text(".kdlib-words")
            one.page.goto(f"{site}/changed-sides.html?{place}")
            one.page.wait_for_function(READY)
        assert one.complaints == []


def test_the_keyboard_reaches_a_tile_and_what_it_was_learnt_from(browser, site):
    with opened(browser, f"{site}/changed-sides.html") as one:
        one.page.wait_for_function(READY)
        first = one.page.inner_text(".kdlib-why")
        assert "All 4 9s that trained it" in first
        one.page.locator(".kdlib-tile").first.focus()
        one.page.keyboard.press("Tab")
        assert one.page.inner_text(".kdlib-why") != first
        assert one.page.locator(".kdlib-tile[aria-current]").count() == 1


def test_without_a_script_and_in_print_the_tiles_are_there(browser, site, record):
    with opened(browser, f"{site}/changed-sides.html") as one:
        one.page.wait_for_function(READY)
        one.page.emulate_media(media="print")
        assert one.page.locator(".kdlib-tile").first.is_visible()
        assert not one.page.locator(".kdlib-choices input").first.is_visible()
    still = changed_sides.static_figure(changed_sides.first_state(record))
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_content(still)
    assert page.locator("img").count() > changed_sides.MOST
    assert page.locator("img").first.is_visible()
    context.close()
