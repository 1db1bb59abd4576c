"""The matrix and the claims on a page of their own: lists filter the one, both fit a phone."""

import shutil
from pathlib import Path

import pytest
from opened_page import opened

from kdbook.reproduction import claims_html, claims_table, matrix_html, reproduction

STATIC = Path(__file__).parents[2] / "_static"
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Matrix</title><link rel="icon" href="data:,">
<link rel="stylesheet" href="_static/kdlib-matrix.css">
<script src="_static/kdlib-matrix.js"></script></head><body><div class="bd-content">
<div class="cell_output">{claims}{matrix}</div></div></body></html>"""
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def page_address(tmp_path_factory, serve):
    folder = tmp_path_factory.mktemp("matrix")
    (folder / "_static").mkdir()
    for name in ("kdlib-matrix.js", "kdlib-matrix.css"):
        shutil.copy(STATIC / name, folder / "_static")
    matrix = matrix_html(reproduction("teachers_pet", []))
    (folder / "index.html").write_text(
        PAGE.format(claims=claims_html(claims_table([])), matrix=matrix)
    )
    return f"{serve(folder)}/index.html"


def test_lists_filter_the_numbers_and_leave_the_claims_alone(browser, page_address):
    with opened(browser, page_address, width=1280) as opened_page:
        page = opened_page.page
        page.select_option("select[data-filter=dataset]", "Adult")
        assert page.locator("output").inner_text() == "33 of 164 numbers: 33 not run."
        assert page.locator("details tbody tr:visible").count() == 33
        claims = page.locator(".kdlib-matrix >> nth=0")
        assert claims.locator("tbody tr:visible").count() == claims.locator("tbody tr").count() > 20
        page.select_option("select[data-filter=dataset]", "")
        page.select_option("select[data-filter=table]", "Table 8")  # what a whole section has
        assert page.locator("details tbody tr:visible").count() == 20
        assert opened_page.complaints == []


def test_both_fit_a_phone_as_cards(browser, page_address):
    with opened(browser, page_address, width=390) as opened_page:
        assert opened_page.overflow() <= 1
        cell = opened_page.page.locator("td[data-label=Evidence] >> nth=0")
        label = cell.evaluate("cell => getComputedStyle(cell, '::before').content")
        assert label == '"Evidence"'
