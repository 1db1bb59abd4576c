"""The checks on pages find what they look for: a tiny site with everything wrong, and one right."""

import page_bars
import pytest
from opened_page import opened
from site_addresses import outside_addresses

GOOD = """<!doctype html><html><head><link rel="icon" href="data:,"></head>
<body style="background: #fff"><figure class="kdlib-chart"><input type="range" min="0" max="9"
 oninput="document.querySelector('svg text').textContent = this.value"><svg><text>x</text></svg>
</figure></body></html>"""
BAD = """<!doctype html><html><head><link rel="stylesheet" href="https://cdn.example/x.css">
<style>@import "//cdn.example/y.css"; p { background: url('https://cdn.example/z.png') }</style>
</head><body style="background: #000"><p style="width: 900px">wide</p>
<script src="missing.js"></script><script>console.error("so not")</script>
<figure class="kdlib-chart"><input type="range"><svg></svg></figure></body></html>"""


@pytest.fixture
def site(tmp_path):
    (tmp_path / "good.html").write_text(GOOD)
    (tmp_path / "bad.html").write_text(BAD)
    return tmp_path


def test_addresses_of_other_machines_are_found(site):
    found = [line.removeprefix("bad.html: ") for line in outside_addresses(site)]
    assert sorted(found) == [
        "//cdn.example/y.css", "https://cdn.example/x.css", "https://cdn.example/z.png",
    ]  # fmt: skip


@pytest.mark.browser
def test_a_good_page_passes(browser, serve, site):
    with opened(browser, f"{serve(site)}/good.html", width=390) as page:
        assert (page.complaints, page.overflow()) == ([], 0)
        assert page.brightness() == 1
        assert page.control_changes(page.charts_to_move()[0])


@pytest.mark.browser
def test_a_bad_page_fails_in_each_way(browser, serve, site):
    with opened(browser, f"{serve(site)}/bad.html", width=390) as page:
        said = "\n".join(page.complaints)
        assert "asks another machine: https://cdn.example/x.css" in said
        assert "404: http://127.0.0.1" in said
        assert "console: so not" in said
        assert page.overflow() > 400
        assert page.too_wide()
        assert page.brightness() == 0
        assert not page.control_changes(page.charts_to_move()[0])


ROWS = "<tr><td>dark</td><td><b>on white</b></td></tr>"


@pytest.mark.browser
@pytest.mark.parametrize(
    "odd",
    [
        '<tr><td style="color: #bbb">odd</td></tr>',
        '<tr style="background: #333"><td>odd</td></tr>',
        '<tr style="opacity: 0.3"><td>odd</td></tr>',
        '<tr><td><i style="color: #ccc">odd</i></td></tr>',
    ],
)
def test_one_pale_cell_among_many_that_look_alike_is_found(browser, odd):
    page = browser.new_page()
    table = f"<table>{{}}{ROWS * 100}</table>"
    page.set_content(f'<body style="background: #fff">{table.format("")}{table.format(odd)}')
    (found,) = page_bars.pale(page)
    assert "color-contrast" in found
    page.set_content(f'<body style="background: #fff">{table.format("")}')
    assert page_bars.pale(page) == []
    page.close()
