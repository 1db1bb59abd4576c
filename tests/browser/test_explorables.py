"""The playground and the front page's figure, used as a reader uses them."""

import json
import re

import pytest
from explorables_page import READY, STATIC, is_quick, write_pages
from opened_page import opened

DONE = "document.querySelector('.kdlib-status').textContent.includes('%d seeds trained.')"
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def site(serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("explorables")
    write_pages(folder)
    return serve(folder)


def trained(opened_page, seeds):
    opened_page.page.wait_for_function(DONE % seeds, timeout=120_000)
    return opened_page.page.inner_text(".kdlib-words")


def move(page, label, place):
    """Put a slider at one of its values, counted from 0."""
    page.get_by_label(label).fill(str(place))


def test_five_more_digits_arrive_as_dots_and_sentences(browser, site):
    with opened(browser, f"{site}/playground.html#t=5") as one:
        first = trained(one, 5)
        assert "Distillation costs the rarest digits, 8 and 9" in first
        before = one.page.locator(".kdlib-faint").count()
        one.page.click("text=Train five more")
        assert trained(one, 10) != first
        assert one.page.locator(".kdlib-faint").count() == 2 * before > 0
        assert "n=10" in one.page.url
        assert one.complaints == []


def width_said(page):
    return float(re.search(r"is (\d+\.\d) points wide", page.inner_text(".kdlib-status"))[1])


def test_the_interval_shrinks_with_seeds(browser, site):
    with opened(browser, f"{site}/playground.html#d=plane&n=5") as one:
        trained(one, 5)
        first = width_said(one.page)
        for seeds in (10, 15, 20, 25):
            one.page.click("text=Train five more")
            trained(one, seeds)
        assert width_said(one.page) < first


def test_a_change_ends_what_goes_on(browser, site):
    with opened(browser, f"{site}/playground.html#e=160&n=50") as one:
        move(one.page, "temperature T", 0)
        one.page.wait_for_function("document.querySelector('[aria-busy=true]') !== null")
        move(one.page, "teacher's training", 0)
        words = trained(one, 5)
    with opened(browser, f"{site}/playground.html#t=1&e=10") as fresh:
        assert trained(fresh, 5) == words  # no seed of the settings in between


def test_stop_keeps_what_is_there(browser, site):
    with opened(browser, f"{site}/playground.html#n=50") as one:
        one.page.wait_for_selector(".kdlib-charts svg")
        one.page.click("text=Stop")
        assert re.match(r"stopped after \d+ seeds", one.page.inner_text(".kdlib-status"))
        assert one.page.is_disabled("text=Stop")


def test_points_are_dragged_added_and_kept_in_the_address(browser, site):
    with opened(browser, f"{site}/playground.html#d=plane&n=5") as one:
        before = trained(one, 5)
        square = one.page.locator(".kdlib-square svg")
        square.scroll_into_view_if_needed()
        box = square.bounding_box()
        one.page.mouse.click(box["x"] + 0.5 * box["width"], box["y"] + 0.9 * box["height"])
        one.page.wait_for_function("location.hash.includes('added=')")
        assert "added=50_10_2" in one.page.url
        point = one.page.locator("[data-id='0.0']").bounding_box()
        one.page.mouse.move(point["x"] + 3, point["y"] + 3)
        one.page.mouse.down()
        one.page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.1 * box["height"])
        one.page.mouse.up()
        assert re.search(r"moved=0\.\d+_10_90", one.page.url)  # or one that lay on it
        one.page.wait_for_timeout(300)
        after = trained(one, 5)
        assert after != before
        address = one.page.url
        assert one.complaints == []
    with opened(browser, address) as again:
        assert trained(again, 5) == after


def test_points_are_moved_by_the_keyboard(browser, site):
    with opened(browser, f"{site}/playground.html#d=plane&n=5&added=50_50_2") as one:
        trained(one, 5)
        one.page.focus(".kdlib-square svg")
        for key in ("ArrowLeft", "ArrowUp"):
            one.page.keyboard.press(key)
        assert "added=48_52_2" in one.page.url
        assert one.page.inner_text(".kdlib-said") == "triangle at 48, 52"
        one.page.keyboard.press("Delete")
        assert "added" not in one.page.url
        one.page.keyboard.press("a")
        assert "added=50_50_2" in one.page.url


@pytest.mark.parametrize(
    "address", ["t=99&r=x&e=&d=sphere", "d=plane&added=1_2~a_b_c~9_9_9&moved=~"]
)
def test_what_an_address_may_not_say_is_left_out(browser, site, address):
    with opened(browser, f"{site}/playground.html#{address}") as one:
        one.page.wait_for_selector(".kdlib-charts svg")
        assert one.complaints == []


@pytest.mark.parametrize("page", ["playground", "who-pays"])
@pytest.mark.parametrize("width", [1280, 390])
def test_an_explorable_fits_its_screen_and_names_what_it_shows(browser, site, page, width):
    with opened(browser, f"{site}/{page}.html", width=width) as one:
        one.page.wait_for_selector(".kdlib-charts svg")
        assert one.overflow() <= 1, one.too_wide()
        labels = one.page.locator(".kdlib-charts svg").evaluate_all(
            "all => all.map((each) => each.getAttribute('aria-label'))"
        )
        assert all("one-hot" in label and "%" in label for label in labels)
        unnamed = one.page.locator("input").evaluate_all(
            "all => all.filter((each) => !each.labels.length).length"
        )
        assert unnamed == 0
        assert one.complaints == []


def others(page):
    """The settings that could be chosen now, and are not."""
    return page.locator(".kdlib-choices input:not(:checked):not(:disabled)")


def test_each_move_shows_other_numbers_within_50_ms(browser, site):
    with opened(browser, f"{site}/who-pays.html") as one:
        one.page.wait_for_function(READY)
        for place in range(others(one.page).count()):
            before = one.page.inner_html(".kdlib-charts")
            assert is_quick(one.page, others(one.page).nth(place))
            assert one.page.inner_html(".kdlib-charts") != before
            with opened(browser, one.page.url) as again:
                again.page.wait_for_function(READY)
                assert again.page.inner_text(".kdlib-words") == one.page.inner_text(".kdlib-words")
            one.page.goto(f"{site}/who-pays.html?{place}")
            one.page.wait_for_function(READY)
        assert one.complaints == []


def test_the_numbers_are_those_of_the_record(browser, site):
    file = json.loads((STATIC / "explorables" / "who-pays.json").read_text())
    with opened(browser, f"{site}/who-pays.html") as one:
        one.page.wait_for_function(READY)
        one.page.click("summary")
        row = one.page.locator(".kdlib-numbers tbody tr").last.inner_text()
    seeds = file["right"]["one-hot 20"]
    mean = sum(100 * right[9] / file["tested"][9] for right in seeds) / len(seeds)
    assert row.startswith(f"digit 9 (4 examples)\t{mean:.1f}\t")
