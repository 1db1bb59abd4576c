"""Icons: only those that pages show stay in the site.

The theme ships all 2,000 of Font Awesome three times: as a script of 1.5 MB, as rules of its style
sheet, and as fonts. The script is left out (the rules draw the same icons), the rules and the fonts
are cut to what a page or a script names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

SCRIPT = re.compile(r"<script[^>]*scripts/fontawesome\.js[^>]*></script>\s*")
THEME = "_static/styles/pydata-sphinx-theme.css"
_FONTS = "_static/vendor/fontawesome/webfonts"
_NAME = re.compile(r"\bfa-[a-z0-9-]+")
_RULE = re.compile(r'((?:\.fa-[a-z0-9-]+:before,?)+)\{content:"[^"]*"\}')
# An icon is a character of private use, in a rule or in a variable: escaped, or as it is.
_ESCAPED = re.compile(r"\\([ef][0-9a-f]{3})\b")
_PLAIN = re.compile("[\ue000-\uf8ff]")
_WOFF2 = re.compile(r'url\([^)]*fa-[a-z]+-\d+\.woff2\) format\("woff2"\),')


def keep_named_icons(html: Path) -> None:
    """Cut the style sheet and the fonts of the built site ``html``."""
    theme = html / THEME
    if not theme.is_file():
        return
    named = _named(path for kind in ("*.html", "*.js") for path in html.rglob(kind))
    theme.write_text(_cut(theme.read_text(encoding="utf-8"), named), encoding="utf-8")
    _cut_fonts(html)


def _named(paths: Iterable[Path]) -> set[str]:
    read = (path.read_text(encoding="utf-8") for path in paths if path.name != "fontawesome.js")
    return {name for text in read for name in _NAME.findall(text)}


def _cut(style: str, named: set[str]) -> str:
    def kept(match: re.Match[str]) -> str:
        return match[0] if named & set(_NAME.findall(match[1])) else ""

    return _WOFF2.sub("", _RULE.sub(kept, style))


def _codes(styles: str) -> set[int]:
    return {int(code, 16) for code in _ESCAPED.findall(styles)} | {
        ord(one) for one in _PLAIN.findall(styles)
    }


def _cut_fonts(html: Path) -> None:
    """The fonts with the characters that a style sheet asks for; a kind that none has goes."""
    from fontTools.subset import Options, Subsetter, load_font, save_font

    codes = _codes("".join(path.read_text(encoding="utf-8") for path in html.rglob("*.css")))
    for file in (html / _FONTS).glob("*"):
        if file.suffix != ".ttf":
            file.unlink()
            continue
        options = Options(layout_features=[], notdef_outline=True, name_IDs=[1, 2])
        font = load_font(str(file), options)
        subsetter = Subsetter(options)
        subsetter.populate(unicodes=codes)
        subsetter.subset(font)
        save_font(font, str(file), options)
