"""The last step on built pages: what weighs much and serves nobody goes, what is missing comes."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from kdbook.press import icons
from kdbook.press.formulas import STYLE, set_formulas, typesetter
from kdbook.press.pictures import Pictures

_ROOT = re.compile(r'data-content_root="([^"]*)"')
# The theme loads the index of the search on every page; only its page of results reads it.
_SEARCH = re.compile(
    r'<script src="[^"]*(?:_static/searchtools|_static/language_data|searchindex)\.js"></script>\s*'
)
# Grids, cards and tabs: on few pages.
_DESIGN = re.compile(
    r"<link[^>]*sphinx-design\.min\.css[^>]*/>\s*|<script[^>]*design-tabs\.js[^>]*></script>\s*"
)
_USES_DESIGN = re.compile(r'class="[^"]*\bsd-')
# What pandas writes on every cell of a styled table, for rules that few tables have.
_CELL = re.compile(r' id="(?P<id>T_\w+)" class="(?:data|row_heading|col_heading)[^"]*"')
_UNUSED = (
    "*.map",
    "_static/locales",
    "_static/scripts/fontawesome.js*",
    "_static/webpack-macros.html",
)


def finish(html: Path, kept: Path) -> None:
    """Make the pages below ``html`` light and whole: formulas and pictures in, idle scripts out.

    Args:
        html: the built site.
        kept: a folder for pictures of charts, which later builds take from there.

    Raises:
        PressError: MathJax cannot read a formula.
    """
    pictures = Pictures(html, kept)
    with typesetter() as setter:
        for page in sorted(html.rglob("*.html")):
            text = lighter(page.read_text(encoding="utf-8"), page.stem)
            text = pictures.into_page(set_formulas(text, _root(text), setter), _root(text))
            page.write_text(text, encoding="utf-8")
        (html / STYLE).write_text(setter.style(), encoding="utf-8")
    icons.keep_named_icons(html)
    _remove_unused(html)


def lighter(text: str, name: str) -> str:
    """The page ``name`` without scripts that it does not need, and with roles that fit."""
    text = icons.SCRIPT.sub("", text)
    # In a list a screen reader expects items of lists.
    text = text.replace('role="doc-biblioentry"', 'role="listitem"')
    text = text if _USES_DESIGN.search(text) else _DESIGN.sub("", text)
    text = text if name == "search" else _SEARCH.sub("", text)
    styled = set(re.findall(r"#(T_\w+)", text))
    return _CELL.sub(lambda cell: cell[0] if cell["id"] in styled else "", text)


def _root(text: str) -> str:
    found = _ROOT.search(text)
    return found[1] if found else "./"


def _remove_unused(html: Path) -> None:
    for pattern in _UNUSED:
        for path in html.rglob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
