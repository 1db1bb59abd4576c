"""The chart script on a page of its own: it fits, keeps choices, follows the theme, fails well."""

import itertools
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from opened_page import opened

from kdbook import charts
from kdbook.chapters.distillation.charts import soft_label_explorer, soft_label_frame
from kdbook.chapters.measuring.charts import worst_class_explorer
from kdbook.chapters.rare_classes.charts import imbalance_explorer
from kdbook.charts.renderers import figure_html
from kdbook.worst_by_chance import expected_worst

STATIC = Path(__file__).parents[2] / "_static"
BUNDLE = "window.vega=vega;window.vegaLite=vegaLite;window.vegaEmbed=vegaEmbed;"
PAGE = """<!doctype html>
<html lang="en" data-content_root="./" data-theme="light"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Charts</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="_static/kdlib-charts.css">
<script src="_static/kdlib-charts.js"></script><style>body {{ background: white }}
html[data-theme=dark] body {{ background: #14181e; color: #eee }}
</style></head><body>{figures}</body></html>"""
WIDTHS = [320, 390, 768, 1280]
LABEL_COLOUR = "getComputedStyle(document.querySelector('svg .role-axis-label text')).fill"
SAYS = "text => document.querySelector('svg').textContent.includes(text)"
REACH = """[...document.querySelectorAll('figure')].map(figure => {
  const svg = figure.querySelector('.kdlib-chart-view svg');
  const ends = [...svg.querySelectorAll('.role-axis text, path.background')]
    .filter(one => !one.closest('.role-legend')).map(one => one.getBoundingClientRect())
    .filter(box => box.width > 0);
  const left = Math.min(...ends.map(box => box.left));
  return [Math.max(...ends.map(box => box.right)) - left, figure.clientWidth];
})"""
# What Vega makes of a label by an expression.
EVALUATE = """async ([expression, label]) => {
  const update = expression.replaceAll('datum.label', 'label');
  const signals = [{name: 'label', value: label}, {name: 'said', update}];
  const place = document.createElement('div');
  const {view} = await vegaEmbed(place, {signals}, {mode: 'vega', actions: false});
  return view.signal('said');
}"""
# The labels of each horizontal axis of numbers that are shown, with their left and right ends.
LABELS = """[...document.querySelectorAll('svg .role-axis-label')].map(axis =>
  [...axis.querySelectorAll('text')]
    .filter(one => one.textContent.trim() && one.getAttribute('opacity') !== '0'
      && one.style.opacity !== '0')
    .map(one => [one, one.getBoundingClientRect()])
    .map(([one, box]) => [one.textContent, box.left, box.right, box.top]))
  .filter(all => all.length > 1 && Math.abs(all[0][3] - all.at(-1)[3]) < 2)"""
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def many_charts():
    lines = pd.DataFrame({"method": ["one-hot", "distilled"] * 2, "label": [0, 0, 1, 1],
                          "mean": [9.0, 8, 7, 6], "low": 5.0, "high": 9.5})  # fmt: skip
    worst = lines.assign(imbalance=[1.0, 1.0, 20.0, 20.0])
    wide = charts.paired_differences(
        lines.assign(comparison=["a comparison with a long name"] * 4),
        title="A long title that cannot fit into one line of a telephone's screen",
    )
    logits = [[2.0, 1.0, 0.0], [0.0, 3.0, 1.0]]
    soft = soft_label_frame(logits, logits, [0, 1], ["a", "b", "c"])
    return [worst_class_explorer(), imbalance_explorer(worst, worst),
            charts.per_class_accuracy(lines), wide, soft_label_explorer(soft)]  # fmt: skip


def write_page(folder, figures):
    (folder / "index.html").write_text(PAGE.format(figures="".join(figures)))
    (folder / "_static").mkdir()
    for name in ("kdlib-charts.js", "kdlib-charts.css"):
        shutil.copy(STATIC / name, folder / "_static")


@pytest.fixture(scope="module")
def gallery(tmp_path_factory, serve):
    import vl_convert

    folder = tmp_path_factory.mktemp("gallery")
    write_page(folder, [figure_html(chart.to_dict()) for chart in many_charts()])
    (folder / "_static/vega").mkdir()
    (folder / "_static/vega/vega-bundle.js").write_text(vl_convert.javascript_bundle(BUNDLE))
    return f"{serve(folder)}/index.html"


@pytest.fixture(scope="module")
def phone_page(browser, gallery):
    with opened(browser, gallery, width=390) as page:
        yield page.page


@pytest.mark.parametrize("width", WIDTHS)
def test_every_chart_fits_the_screen(browser, gallery, width):
    with opened(browser, gallery, width=width) as page:
        page.page.wait_for_function("document.querySelectorAll('[data-drawn]').length === 5")
        sizes = page.page.evaluate(
            "[...document.querySelectorAll('.kdlib-chart svg.marks, .kdlib-chart svg')]"
            ".map(svg => [svg.width.baseVal.value, svg.closest('figure').clientWidth])"
        )
        assert all(drawn <= room + 2 for drawn, room in sizes), sizes
        assert page.overflow() <= 1
        assert page.complaints == []


@pytest.mark.parametrize("width", [320, 390])
def test_words_do_not_squeeze_a_plot(browser, gallery, width):
    """Plots with their axes reach from edge to edge, however long titles and sentences are."""
    with opened(browser, gallery, width=width) as page:
        page.page.wait_for_function("document.querySelectorAll('[data-drawn]').length === 5")
        for reach, room in page.page.evaluate(REACH):
            assert reach >= 0.9 * room, (reach, room)


@pytest.mark.parametrize("width", WIDTHS)
def test_numbers_of_an_axis_stay_apart(browser, gallery, width):
    with opened(browser, gallery, width=width) as page:
        page.page.wait_for_function("document.querySelectorAll('[data-drawn]').length === 5")
        axes = page.page.evaluate(LABELS)
        assert len(axes) >= 5
        for labels in axes:
            gaps = [after[1] - before[2] for before, after in itertools.pairwise(labels)]
            assert all(gap >= 3 for gap in gaps), labels


def test_vega_is_loaded_once(browser, gallery):
    asked = []
    context = browser.new_context()
    page = context.new_page()
    page.on("request", lambda one: asked.append(one.url))
    page.goto(gallery)
    page.wait_for_selector("[data-drawn]")
    context.close()
    assert sum("vega-bundle" in url for url in asked) == 1


def test_the_keyboard_moves_a_labelled_slider(browser, gallery):
    with opened(browser, gallery) as page:
        slider = page.page.get_by_label("Test images per class").first
        slider.focus()
        slider.press("ArrowRight")
        assert slider.input_value() == "35"
        mean = f"{expected_worst([90] * 10, [35] * 10):.1f} %"
        page.page.wait_for_function(SAYS, arg=mean)


def test_enter_in_a_slider_does_not_reload_the_page(browser, gallery):
    with opened(browser, gallery) as page:
        page.page.evaluate("window.stays = true")
        page.page.get_by_label("Classes").first.press("Enter")
        page.page.wait_for_timeout(200)
        assert page.page.evaluate("window.stays === true")


def test_choices_outlive_a_change_of_width(browser, gallery):
    with opened(browser, gallery, width=1280) as page:
        slider = page.page.get_by_label("Test images per class").first
        slider.fill("400")
        page.page.get_by_label("1", exact=True).check()
        page.page.set_viewport_size({"width": 390, "height": 800})
        page.page.wait_for_function("document.querySelector('svg').width.baseVal.value < 380")
        assert page.page.get_by_label("Test images per class").first.input_value() == "400"
        page.page.wait_for_function("document.querySelectorAll('svg')[1].width.baseVal.value < 380")
        assert page.page.get_by_label("1", exact=True).is_checked()


def test_text_follows_the_theme_without_a_new_drawing(browser, gallery):
    with opened(browser, gallery) as page:
        light = page.page.evaluate(LABEL_COLOUR)
        page.page.evaluate("document.querySelector('svg').dataset.kept = 'yes'")
        page.page.evaluate("document.documentElement.dataset.theme = 'dark'")
        dark = page.page.evaluate(LABEL_COLOUR)
        assert (light, dark) == ("rgb(0, 0, 0)", "rgb(238, 238, 238)")
        assert page.page.evaluate("document.querySelector('svg').dataset.kept === 'yes'")


def test_controls_are_big_enough_for_a_thumb(phone_page):
    sizes = phone_page.evaluate(
        "[...document.querySelectorAll('.vega-bind input[type=range], .vega-bind-radio label')]"
        ".map(one => one.getBoundingClientRect().height)"
    )
    assert min(sizes) >= 38


def test_groups_of_buttons_have_a_name(phone_page):
    assert phone_page.get_by_role("radiogroup", name="Imbalance ratio").count() == 1


def test_charts_are_named_for_screen_readers(phone_page):
    names = phone_page.evaluate(
        "[...document.querySelectorAll('.kdlib-chart [role=graphics-document]')]"
        ".map(one => one.getAttribute('aria-label'))"
    )
    assert len(names) == 5
    assert all(name and len(name) > 30 for name in names)


def test_a_chart_whose_script_is_missing_says_so_in_words(browser, serve, tmp_path):
    write_page(tmp_path, [figure_html(worst_class_explorer().to_dict())])
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{serve(tmp_path)}/index.html")
    page.wait_for_selector(".kdlib-chart-view p")
    text = page.inner_text(".kdlib-chart-view")
    context.close()
    assert "could not be drawn" in text
    assert "Two distributions" in text


def call(page, name, *arguments):
    return page.evaluate(f"kdlibCharts.{name}(...{json.dumps(arguments)})")


def test_widths_are_scaled_everywhere_and_heights_nowhere(phone_page):
    spec = {"vconcat": [{"width": 100, "height": 50}, {"layer": [], "width": {"step": 20}},
                        {"spec": {"width": 300}, "facet": {}}]}  # fmt: skip
    assert call(phone_page, "scaleWidths", spec, 0.5) == {
        "vconcat": [
            {"width": 50, "height": 50},
            {"layer": [], "width": {"step": 10}},
            {"spec": {"width": 150}, "facet": {}},
        ]
    }


def test_plots_side_by_side_add_up(phone_page):
    row = {"hconcat": [{"width": 100}, {"vconcat": [{"width": 30}, {"width": 200}]}]}
    assert call(phone_page, "plotWidth", row) == 300
    assert call(phone_page, "plotWidth", call(phone_page, "stack", row, 390)) == 200
    assert call(phone_page, "stack", row, 800) == row


def test_titles_break_between_words(phone_page):
    assert call(phone_page, "wrap", "one two three", 7) == ["one two", "three"]
    assert call(phone_page, "wrap", "incomprehensible", 5) == ["incomprehensible"]


def test_the_title_of_an_axis_is_as_narrow_as_its_plot(phone_page):
    x = {"axis": {"title": "difference in accuracy (percentage points)"}}
    spec = {"width": 150, "title": "Short", "layer": [{"encoding": {"x": x}}]}
    drawn = call(phone_page, "wrapTitles", spec, 390)
    lines = drawn["layer"][0]["encoding"]["x"]["axis"]["title"]
    assert " ".join(lines) == x["axis"]["title"]
    assert max(map(len, lines)) <= 19
    assert drawn["title"] == "Short"


def test_values_are_put_where_parameters_are(phone_page):
    spec = {"layer": [{"params": [{"name": "a", "value": 1, "bind": {}}, {"name": "b"}]}]}
    changed = call(phone_page, "withValues", spec, {"a": 5})
    assert changed["layer"][0]["params"] == [{"name": "a", "value": 5, "bind": {}}, {"name": "b"}]
    assert call(phone_page, "boundNames", spec) == ["a"]


def test_plots_that_stood_side_by_side_may_grow(phone_page):
    assert call(phone_page, "nextFactor", 270, 200, 1, 340) == 1
    assert call(phone_page, "nextFactor", 270, 200, 1, 340, 2) == 1.35


def test_a_row_of_facets_goes_one_under_another_on_a_phone(phone_page):
    row = {"facet": {"column": {"field": "method"}}, "spec": {"width": 180}}
    stacked = {"facet": {"field": "method"}, "spec": {"width": 180}, "columns": 1}
    assert call(phone_page, "stack", row, 390) == stacked
    assert call(phone_page, "stack", row, 800) == row


def test_names_beside_a_plot_are_broken_on_a_phone_alone(phone_page):
    spec = {"encoding": {"y": {"field": "name", "type": "nominal", "axis": {"title": None}}}}
    assert call(phone_page, "wrapLabels", spec, 800) == spec
    axis = call(phone_page, "wrapLabels", spec, 390)["encoding"]["y"]["axis"]
    long = "ten points more of the target off the label"
    assert axis["title"] is None
    said = phone_page.evaluate(EVALUATE, [axis["labelExpr"], long])
    assert said == ["ten points more of the", "target off the label"]


def test_names_that_break_themselves_or_are_numbers_stay(phone_page):
    own = {"type": "nominal", "axis": {"labelExpr": "split(datum.label, ' ')"}}
    for y in (own, {"type": "quantitative"}, {"type": "nominal", "axis": None}):
        spec = {"encoding": {"y": y}}
        assert call(phone_page, "wrapLabels", spec, 390) == spec


def test_sentences_inside_a_plot_are_smaller_on_a_phone(phone_page):
    for size, drawn in ((13, 11), (9, 9)):
        spec = {"mark": {"type": "text", "align": "left", "fontSize": size}}
        assert call(phone_page, "wrapLabels", spec, 390)["mark"]["fontSize"] == drawn
        assert call(phone_page, "wrapLabels", spec, 800) == spec
