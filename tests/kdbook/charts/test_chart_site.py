"""The figure of the built site: safe, whole, and only where it is asked for."""

import html
import json
import re
import subprocess
import sys

import chart_frames as frames
import pytest

from kdbook import charts
from kdbook.charts.site import figure_html

SCRIPT = """
import altair as alt, json, os
from kdbook import charts
chart = alt.Chart(alt.sequence(3)).mark_point().properties(description="Three dots.")
print(json.dumps([alt.renderers.active, chart._repr_mimebundle_()], default=str))
"""


def spec_of(figure):
    return json.loads(re.search(r'json">(.*?)</script>', figure, re.S).group(1))


def renderer(site):
    from os import environ

    env = {**environ, "KDLIB_SITE": site}
    run = subprocess.run([sys.executable, "-c", SCRIPT], env=env, capture_output=True, check=True)
    return json.loads(run.stdout)


def test_the_specification_comes_back_unchanged():
    spec = charts.cumulative_gain(frames.gains()).to_dict()
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
    chart = charts.caption(charts.cumulative_gain(frames.gains()), "Look at k = 1.")
    assert figure_html(chart.to_dict()).endswith("<figcaption>Look at k = 1.</figcaption></figure>")


@pytest.mark.slow
def test_the_renderer_is_the_sites_only_in_the_site():
    name, bundle = renderer("1")
    assert name == "kdlib-site"
    kinds, _ = bundle if isinstance(bundle, list) else (bundle, None)
    assert set(kinds) == {"text/html", "text/plain"}
    assert kinds["text/html"].startswith('<figure class="kdlib-chart">')
    assert renderer("0")[0] == "default"
