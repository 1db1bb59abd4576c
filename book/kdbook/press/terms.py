"""A Sphinx extension: a term of the glossary shows its definition where it is met.

Every link to a term gets the definition beside it, which a style sheet shows on hover and on focus,
without a script. The first time that a page names a listed term, the name becomes such a link.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx

GLOSSARY = "book/glossary"
SHORTEST = 4
"""Letters of a name that is linked unasked; a shorter one, such as a symbol, may mean much else."""
_NOT_INSIDE = (
    nodes.title, nodes.reference, nodes.literal, nodes.literal_block, nodes.math, nodes.math_block,
    nodes.caption, nodes.rubric, nodes.table, nodes.raw, nodes.comment,
)  # fmt: skip


class ShowTerms(SphinxPostTransform):
    """Works on one page once its references are resolved."""

    default_priority = 890
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Give links of the page their definitions, and link the first of each name."""
        page = self.env.docname
        if page == GLOSSARY or GLOSSARY not in self.env.found_docs:
            return
        definitions = read_definitions(self.env.get_doctree(GLOSSARY))
        assert self.app.builder is not None
        show_terms(self.document, definitions, self.app.builder.get_relative_uri(page, GLOSSARY))


def read_definitions(glossary: nodes.document) -> dict[str, tuple[str, str]]:
    """Of each name, in small letters, its anchor and its definition as one line of text."""
    found = {}
    for item in glossary.findall(nodes.definition_list_item):
        text = " ".join(part.astext() for part in item.findall(nodes.definition))
        for term in item.findall(nodes.term):
            found[term.astext().lower()] = (term["ids"][0], " ".join(text.split()))
    return found


def show_terms(
    document: nodes.document, definitions: Mapping[str, tuple[str, str]], glossary: str
) -> None:
    """Change the page ``document``; ``glossary`` is the address of that page from this one."""
    seen: set[str] = set()
    for link in list(document.findall(nodes.reference)):
        anchor = link.get("refuri", "").removeprefix(f"{glossary}#")
        known = next((one for one in definitions.values() if one[0] == anchor), None)
        if known and link.get("refuri", "").startswith(f"{glossary}#"):
            link.parent.replace(link, _shown(link.astext(), known, glossary, len(seen)))
            seen.add(anchor)
    for text in [one for one in document.findall(nodes.Text) if _may_link(one)]:
        pieces = list(_pieces(str(text), definitions, glossary, seen))
        if len(pieces) > 1:
            text.parent.replace(text, pieces)


def _may_link(text: nodes.Text) -> bool:
    """Whether it stands in a paragraph, and in nothing that is no plain text."""
    node: nodes.Node | None = text.parent
    is_prose = False
    while node is not None:
        if isinstance(node, _NOT_INSIDE):
            return False
        is_prose = is_prose or isinstance(node, nodes.paragraph)
        node = node.parent
    return is_prose


def _pieces(
    text: str, definitions: Mapping[str, tuple[str, str]], glossary: str, seen: set[str]
) -> Iterator[nodes.Node]:
    place = 0
    for match in _pattern(definitions).finditer(text):
        known = definitions[match["name"].lower()]
        if known[0] in seen:
            continue
        yield nodes.Text(text[place : match.start()])
        yield _shown(match[0], known, glossary, len(seen))
        seen.add(known[0])
        place = match.end()
    yield nodes.Text(text[place:])


def _pattern(definitions: Mapping[str, tuple[str, str]]) -> re.Pattern[str]:
    """Any name, the longest first, also in the plural; not as a part of another word."""
    names = sorted((one for one in definitions if len(one) >= SHORTEST), key=len, reverse=True)
    listed = "|".join(map(re.escape, names)) or r"(?!)"
    return re.compile(rf"(?<![\w-])(?P<name>{listed})s?(?![\w-])", re.IGNORECASE)


def _shown(text: str, known: tuple[str, str], glossary: str, number: int) -> nodes.raw:
    anchor, definition = known
    name = f"term-{number}-{anchor}"
    return nodes.raw("", (
        f'<span class="kdlib-term"><a href="{glossary}#{anchor}" aria-describedby="{name}">'
        f'{escape(text)}</a><span class="kdlib-definition" role="tooltip" id="{name}">'
        f"{escape(definition)}</span></span>"
    ), format="html")  # fmt: skip


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    app.add_post_transform(ShowTerms)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
