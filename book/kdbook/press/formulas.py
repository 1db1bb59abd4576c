"""Formulas, set when the book is built: pages carry no MathJax, and show them without scripts too.

MathJax 3 runs in V8 (``mini-racer``), once per build; what it cannot read stops the build.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import util
from pathlib import Path
from typing import TYPE_CHECKING

from kdbook.press.errors import PressError

if TYPE_CHECKING:
    from py_mini_racer import MiniRacer

FONTS = "output/chtml/fonts/woff-v2"
STYLE = "_static/mathjax/formulas.css"
_PARTS = (
    "startup.js", "core.js", "adaptors/liteDOM.js", "input/tex.js", "output/chtml.js",
    "output/chtml/fonts/tex.js", "a11y/assistive-mml.js",
)  # fmt: skip
_BEFORE = """
var window = globalThis, console = {log() {}, warn() {}, error() {}, info() {}};
var MathJax = {loader: {load: [], ready() {}}, startup: {typeset: false, ready() {}}};
"""
_AFTER = """
const {adaptors, handlers, input, output, a11y, mathjax} = MathJax._;
const adaptor = adaptors.liteAdaptor.liteAdaptor();
const handler = handlers.html_ts.RegisterHTMLHandler(adaptor);
a11y["assistive-mml"].AssistiveMmlHandler(handler);
const packages = ["base", "ams", "newcommand", "boldsymbol", "textmacros"];
const font = new output.chtml.fonts.tex_ts.TeXFont({fontURL: "FONTS"});
const chtml = new output.chtml_ts.CHTML({font, fontURL: "FONTS", adaptiveCSS: true});
const page = mathjax.mathjax.document("", {
  InputJax: new input.tex_ts.TeX({packages, formatError: (_, error) => { throw error; }}),
  OutputJax: chtml,
});
const typeset = (tex, display) => adaptor.outerHTML(page.convert(tex, {display}));
const style = () => adaptor.textContent(chtml.styleSheet(page));
""".replace("FONTS", FONTS)
_ELEMENT = re.compile(
    r'(<(span|div) class="math notranslate nohighlight"[^>]*>)(.*?)(</\2>)', re.DOTALL
)
_NUMBER = re.compile(r'<span class="eqno">.*?</span>', re.DOTALL)
_SCRIPTS = re.compile(
    r"<script>window\.MathJax = .*?</script>\s*|<script[^>]*mathjax/[^>]*></script>\s*"
)


def mathjax_folder() -> Path:
    """MathJax 3 as the package sphinx-mathjax-offline ships it."""
    spec = util.find_spec("sphinx-mathjax-offline")
    if spec is None or spec.origin is None:
        raise PressError("sphinx-mathjax-offline is missing: pip install 'kdlib[book]'")
    return Path(spec.origin).parent / "static" / "mathjax"


class Typesetter:
    """MathJax, loaded: TeX in, HTML out."""

    def __init__(self, v8: MiniRacer) -> None:
        self._v8 = v8
        self._v8.eval(_BEFORE)
        for part in _PARTS:
            self._v8.eval((mathjax_folder() / part).read_text(encoding="utf-8") + ";0")
        self._v8.eval(_AFTER + ";0")
        self.formula = cache(self._formula)

    def _formula(self, tex: str, display: bool) -> str:
        from py_mini_racer import JSEvalException

        try:
            return str(self._v8.call("typeset", tex, display))
        except JSEvalException as error:
            reason = str(error).splitlines()[0]
            raise PressError(f"MathJax cannot read the formula {tex!r}: {reason}") from None

    def style(self) -> str:
        """The style sheet for all formulas so far."""
        return str(self._v8.eval("style()"))


@contextmanager
def typesetter() -> Iterator[Typesetter]:
    """A typesetter; V8, whose thread would keep the process alive, is ended after it."""
    from py_mini_racer import mini_racer

    with mini_racer() as v8:
        yield Typesetter(v8)


def set_formulas(text: str, root: str, setter: Typesetter) -> str:
    """A page with its formulas set; ``root`` leads from the page to the site's first folder."""
    found, count = _ELEMENT.subn(lambda match: _set(match, setter), text)
    without = _SCRIPTS.sub("", found)
    link = f'<link rel="stylesheet" type="text/css" href="{root}{STYLE}" />\n</head>'
    return without.replace("</head>", link, 1) if count else without


def _set(match: re.Match[str], setter: Typesetter) -> str:
    opening, name, inside, closing = match.groups()
    number = "".join(_NUMBER.findall(inside))
    tex = html.unescape(_NUMBER.sub("", inside)).strip()[2:-2]  # without \( \) or \[ \]
    return opening + number + setter.formula(tex, name == "div") + closing
