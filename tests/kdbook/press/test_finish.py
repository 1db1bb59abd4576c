"""The last step on built pages: formulas set, pictures drawn, what serves nobody gone."""

import json
import re

import pytest

from kdbook.charts.renderers import figure_html
from kdbook.press import icons
from kdbook.press.errors import PressError
from kdbook.press.finish import lighter
from kdbook.press.formulas import set_formulas, typesetter
from kdbook.press.pictures import FOLDER, Pictures

CHANNELS = [("x", "a", "nominal"), ("y", "b", "quantitative")]
BARS = {
    "$schema": "https://vega.github.io/schema/vega-lite/v6.json", "mark": "bar",
    "description": "Two <bars>.",
    "data": {"values": [{"a": "first", "b": 1}, {"a": "other", "b": 2}]},
    "encoding": {name: {"field": field, "type": kind} for name, field, kind in CHANNELS},
}  # fmt: skip


@pytest.fixture(scope="module")
def setter():
    with typesetter() as one:
        yield one


def inline(tex):
    return rf'<span class="math notranslate nohighlight">\({tex}\)</span>'


def test_a_formula_is_set_with_mathml_beside_it_and_without_a_script(setter):
    page = (
        f"<head><script defer src='../_static/mathjax/tex-chtml.js'></script></head>{inline('x^2')}"
    )
    text = set_formulas(page, "../", setter)
    assert "<mjx-container" in text and "<msup>" in text
    assert "<script" not in text and "../_static/mathjax/formulas.css" in text
    assert "mjx-c1D465" in setter.style()  # the italic x


def test_html_inside_a_formula_is_read_as_tex(setter):
    assert "<mo>&lt;</mo>" in set_formulas(inline("a &lt; b"), "./", setter)


def test_the_number_of_an_equation_stays(setter):
    number = '<span class="eqno">(1)</span>'
    block = rf'<div class="math notranslate nohighlight" id="one">{number}\[a\]</div>'
    text = set_formulas(block, "./", setter)
    assert f"{number}<mjx-container" in text and 'display="true"' in text


@pytest.mark.parametrize("wrong", [r"\frac{1", r"\nosuchcommand"])
def test_a_formula_that_cannot_be_read_stops_the_build(setter, wrong):
    with pytest.raises(PressError, match=re.escape(repr(wrong))):
        set_formulas(inline(wrong), "./", setter)


def test_a_page_without_formulas_loads_no_style_for_them(setter):
    assert set_formulas("<head></head>plain", "./", setter) == "<head></head>plain"


def test_a_chart_gets_a_picture_that_says_what_it_shows(tmp_path):
    text = Pictures(tmp_path, tmp_path / "kept").into_page(figure_html(BARS), "../")
    (name,) = re.findall(rf'<noscript><img src="\.\./{FOLDER}/(\w+\.svg)" alt="Two', text)
    drawn = (tmp_path / FOLDER / name).read_text()
    assert "first" in drawn and "other" in drawn and drawn.startswith("<svg")
    assert 'alt="Two &lt;bars&gt;."' in text and text.count(name) == 2
    spec = re.search(r'<script type="application/json">(.*?)</script>', text)[1]
    assert json.loads(spec) == BARS


def test_a_picture_is_drawn_once(tmp_path, monkeypatch):
    kept = tmp_path / "kept"
    first = Pictures(tmp_path / "one", kept).into_page(figure_html(BARS), "")
    monkeypatch.setattr("kdbook.press.pictures._svg", None)
    assert Pictures(tmp_path / "two", kept).into_page(figure_html(BARS), "") == first


def test_idle_scripts_go_and_the_search_page_keeps_its_own():
    page = (
        '<script defer src="_static/scripts/fontawesome.js?digest=1"></script>'
        '<script src="_static/searchtools.js"></script><script src="searchindex.js"></script>'
    )
    assert lighter(page, "intro") == ""
    assert "searchindex" in lighter(page, "search") and "fontawesome" not in lighter(page, "search")


def test_cells_lose_the_names_that_no_rule_uses():
    rule, cell = (
        "<style>#T_1_row0_col0 {color: red}</style>",
        '<td id="T_1_row0_col{}" class="data row0">1</td>',
    )
    assert (
        lighter(rule + cell.format(0) + cell.format(1), "one")
        == rule + cell.format(0) + "<td>1</td>"
    )


def test_only_icons_that_a_page_names_stay(tmp_path):
    from fontTools.ttLib import TTFont
    from pydata_sphinx_theme import __file__ as theme

    static = icons.Path(theme).parent / "theme/pydata_sphinx_theme/static"
    for name in ("styles/pydata-sphinx-theme.css", *FONTS):
        target = tmp_path / "_static" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((static / name).read_bytes())
    (tmp_path / "one.html").write_text('<i class="fa-solid fa-angle-left"></i>')
    icons.keep_named_icons(tmp_path)
    style = (tmp_path / icons.THEME).read_text()
    assert ".fa-angle-left:before" in style and ".fa-users:before" not in style
    kept = TTFont(tmp_path / "_static" / FONTS[0]).getBestCmap()
    assert 0xF104 in kept and 0xF0C0 not in kept
    assert {0xF05A, 0xF06A, 0xF071} <= kept.keys()  # of admonitions, which variables name


FONTS = ["vendor/fontawesome/webfonts/fa-solid-900.ttf"]
