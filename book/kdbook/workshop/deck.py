"""Slides of a unit: one HTML file that needs no network, from the cells tagged ``slide``.

A Markdown cell begins a slide, on which the stub that follows stands too. What cells put out comes
on the next one, so that a question is seen before its answer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any

from kdbook.press.notebooks import Notebook, has_tag
from kdbook.workshop.units import Unit, source_of, stub

VEGA = "application/vnd.vega.v5+json"
_RAISES = re.compile(r"(?m)^( *)raise NotImplementedError\(.*\)$")
_STYLE = """
:root { color-scheme: light; }
html { scroll-snap-type: y mandatory; font: 1.5rem/1.45 system-ui, sans-serif; }
body { margin: 0; color: #1b1f24; background: #fff; counter-reset: slide; }
section { min-height: 100vh; box-sizing: border-box; padding: 1.5rem 7vw; scroll-snap-align: start;
  display: flex; flex-direction: column; justify-content: center; gap: 1rem; position: relative;
  counter-increment: slide; break-after: page; }
section::after { content: counter(slide); position: absolute; right: 2rem; bottom: 1rem;
  font-size: 1rem; color: #57606a; }
h1 { font-size: 2.6rem; } h2 { font-size: 2rem; } h1, h2, p, ul { margin: 0; }
em { color: #0058a3; }
pre { font-size: .85rem; background: #f3f4f6; padding: 1rem; margin: 0; white-space: pre-wrap; }
figure { margin: 0; } figure svg { width: 100%; height: 62vh; }
table { border-collapse: collapse; font-size: 1rem; }
th, td { padding: .3rem .8rem; text-align: left; border-bottom: 1px solid #d8dee4; }
.page { font-size: 1rem; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
.page h1 { font-size: 1.8rem; } .page h2, .page h3 { font-size: 1.3rem; margin-top: 1.5rem; }
@media print { html { font-size: 1rem; } section { min-height: 0; height: 100vh; } }
"""
_KEYS = """
addEventListener("keydown", (event) => {
  const step = {ArrowRight: 1, PageDown: 1, " ": 1, ArrowLeft: -1, PageUp: -1}[event.key];
  if (!step) return;
  event.preventDefault();
  const slides = [...document.querySelectorAll("section")];
  const here = Math.round(scrollY / innerHeight);
  const next = slides[Math.min(Math.max(here + step, 0), slides.length - 1)];
  next.scrollIntoView({behavior: "instant"});
});
"""
_MATH = 'window.MathJax = {svg: {fontCache: "local"}, options: {enableMenu: false}};'


def deck(unit: Unit, executed: Notebook, source: str) -> str:
    """The slides of a unit.

    Args:
        unit: its source.
        executed: its notebook for instructors, after it ran.
        source: where the numbers come from, for the first slide.
    """
    outputs = {cell["id"]: cell.get("outputs", []) for cell in executed["cells"]}
    slides: list[list[str]] = []
    is_answer = False
    for cell in unit.notebook["cells"]:
        if not has_tag(cell, ["slide"]):
            continue
        begins = cell["cell_type"] == "markdown"
        answers = not begins and not has_tag(cell, ["solution"])
        if begins or (answers and not is_answer) or not slides:
            slides.append([])
        is_answer = answers
        slides[-1] += _parts(cell, outputs.get(cell["id"], []))
    slides[0].append(f"<p><small>{escape(source)}</small></p>")
    body = "\n".join(f"<section>\n{chr(10).join(parts)}\n</section>" for parts in slides)
    return _page(unit.title, body, scripts=[_KEYS, _MATH, _mathjax()])


def page(title: str, text: str) -> str:
    """A page of Markdown, without scripts."""
    return _page(title, f'<main class="page">\n{_html(text)}</main>')


def _page(title: str, body: str, scripts: Sequence[str] = ()) -> str:
    code = "\n".join(f"<script>{script}</script>" for script in scripts)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style></head>\n"
        f"<body>\n{body}\n{code}\n</body></html>\n"
    )


def _parts(cell: Mapping[str, Any], outputs: Sequence[Mapping[str, Any]]) -> list[str]:
    if cell["cell_type"] == "markdown":
        return [_html(source_of(cell))]
    if has_tag(cell, ["solution"]):
        shown = _RAISES.sub(r"\1...", source_of(stub(dict(cell))))
        return [f"<pre><code>{escape(shown)}</code></pre>"]
    return [_output(output) for output in outputs]


def _output(output: Mapping[str, Any]) -> str:
    data = output.get("data", {})
    if VEGA in data:
        return _figure(data[VEGA], _joined(data.get("text/plain", "A chart.")))
    if "text/markdown" in data:
        return _html(_joined(data["text/markdown"]))
    return f"<pre>{escape(_joined(output.get('text', data.get('text/plain', ''))))}</pre>"


def _figure(spec: Mapping[str, Any], words: str) -> str:
    from kdbook.quick_imports import skip_slow_imports

    skip_slow_imports()
    import vl_convert

    svg = vl_convert.vega_to_svg(dict(spec))
    labelled = svg.replace("<svg ", f'<svg role="img" aria-label="{escape(words)}" ', 1)
    return f"<figure>{labelled}</figure>"


def _joined(text: str | Sequence[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _html(text: str) -> str:
    return str(_markdown().render(text))


@cache
def _markdown() -> Any:
    """Markdown with formulas, as MathJax reads them."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    def formula(content: str, options: Mapping[str, Any]) -> str:
        begin, end = ("\\[", "\\]") if options["display_mode"] else ("\\(", "\\)")
        return f"{begin}{escape(content)}{end}"

    return MarkdownIt().enable("table").use(dollarmath_plugin, renderer=formula)


def _mathjax() -> str:
    """MathJax in one script, which draws formulas as SVG and so needs no fonts."""
    package = files("sphinx-mathjax-offline")
    return (package / "static" / "mathjax" / "tex-svg.js").read_text(encoding="utf-8")
