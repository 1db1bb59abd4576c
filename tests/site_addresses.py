"""Finds what the pages of a site would load from another machine."""

import re
from html.parser import HTMLParser

_LOADING = {("script", "src"), ("link", "href"), ("img", "src"), ("iframe", "src"),
            ("source", "src"), ("video", "src"), ("audio", "src"), ("embed", "src"),
            ("object", "data"), ("use", "href"), ("image", "href")}  # fmt: skip
_OUTSIDE = re.compile(r"(https?:)?//")
_CSS = re.compile(r"""(?:url\(|@import)\s*['"]?((?:https?:)?//[^'")\s]+)""")


class _Loads(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if (tag, name) in _LOADING and value and _OUTSIDE.match(value):
                self.found.append(value)


def outside_addresses(html):
    """Every script, style, font, image or frame of the site ``html`` that lies elsewhere."""
    found = []
    for page in html.rglob("*.html"):
        reader = _Loads()
        text = page.read_text(encoding="utf-8")
        reader.feed(text)
        found += [f"{page.name}: {address}" for address in reader.found + _CSS.findall(text)]
    for style in html.rglob("*.css"):
        found += [f"{style.name}: {a}" for a in _CSS.findall(style.read_text(encoding="utf-8"))]
    return found
