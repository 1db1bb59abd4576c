"""How charts are shown: as figures of the built site, or as Vega in a live notebook."""

import html
import json
import os
import re
import subprocess
import sys

import chart_frames as frames
import pytest

from kdbook import charts
from kdbook.chapters.gains_are_not_uniform.charts import cumulative_gain
from kdbook.charts.renderers import figure_html

SCRIPT = """
import altair as alt, json, sys
{before}
from kdbook import charts
chart = alt.Chart(alt.sequence(3)).mark_point().properties(description="Three dots.")
bundle = chart._repr_mimebundle_()
kinds, _ = bundle if isinstance(bundle, tuple) else (bundle, None)
print(json.dumps([alt.renderers.active, kinds], default=str))
"""


def spec_of(figure):
    return json.loads(re.search(r'json">(.*?)</script>', figure, re.S).group(1))


def renderer(site, before=""):
    """Which renderer a fresh interpreter chooses, and what it makes of a chart of three dots."""
    env = {**os.environ, "KDLIB_SITE": site}
    script = SCRIPT.replace("{before}", before)
    run = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, check=True)
    return json.loads(run.stdout)


def test_the_specification_comes_back_unchanged():
    spec = cumulative_gain(frames.gains()).to_dict()
    assert spec_of(figure_html(spec)) == spec


@pytest.mark.parametrize("text", ["</script><script>alert(1)</script>", "<!--<script>", "a & b"])
def test_no_text_ends_the_figure_early(text):
    spec = {"description": text, "usermeta": {"kdlib": {"caption": text}}}
    figure = figure_html(spec)
    assert figure.count("<script") == figure.count("</script>") == 1
    assert "<!--" not in figure
    assert spec_of(figure) == spec
    assert html.escape(text) in figure.split("<figcaption>")[1]


def test_a_reader_without_javascript_gets_the_alt_text():
    figure = figure_html({"description": "Accuracy falls."})
    assert "<noscript><p>This chart needs JavaScript. Accuracy falls.</p></noscript>" in figure
    assert "figcaption" not in figure


def test_a_caption_is_below_the_chart_in_the_site(monkeypatch):
    monkeypatch.setenv("KDLIB_SITE", "1")
    chart = charts.caption(cumulative_gain(frames.gains()), "Look at k = 1.")
    assert figure_html(chart.to_dict()).endswith("<figcaption>Look at k = 1.</figcaption></figure>")


@pytest.mark.slow
def test_the_renderer_is_the_sites_only_in_the_site():
    name, kinds = renderer("1")
    assert name == "kdlib-site"
    assert set(kinds) == {"text/html", "text/plain"}
    assert kinds["text/html"].startswith('<figure class="kdlib-chart">')


@pytest.mark.slow
def test_a_live_notebook_gets_vega_which_names_no_other_machine():
    name, kinds = renderer("0")
    assert name == "kdlib-live"
    assert set(kinds) == {"application/vnd.vega.v5+json", "text/plain"}
    spec = kinds["application/vnd.vega.v5+json"]
    assert spec["$schema"].endswith("/vega/v5.json") and json.dumps(spec).count("http") == 1
    assert [mark["type"] for mark in spec["marks"]] == ["symbol"]
    assert kinds["text/plain"] == "Three dots."


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "kept"),
    [
        ("alt.renderers.enable('html')", "html"),  # the reader's choice
        ("sys.modules['google.colab'] = sys", "default"),  # Colab draws HTML alone
        ("sys.modules['vl_convert'] = None", "default"),  # nothing compiles
    ],
)
def test_altairs_own_renderer_stays_where_another_would_not_show(before, kept):
    name, kinds = renderer("0", before)
    assert (name, "text/html" in kinds) == (kept, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "active"), [("", "kdlib"), ("alt.theme.enable('dark')", "dark")]
)
def test_a_theme_that_the_reader_chose_is_kept(before, active):
    script = f"import altair as alt\n{before}\nfrom kdbook import charts\nprint(alt.theme.active)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True)
    assert run.stdout.strip() == active


def test_the_numbers_of_an_axis_stay_at_their_ticks():
    axis = cumulative_gain(frames.gains()).to_dict()["config"]["axis"]
    assert axis["labelFlush"] is False and axis["labelSeparation"] > 0
