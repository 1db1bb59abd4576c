"""A Sphinx extension: sections named "Going deeper" are folded until the reader opens them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx

BEGINS = "Going deeper"
_OPEN = '<details class="deeper"><summary>Open this part</summary>'
_CLOSE = "</details>"


class FoldDeeper(SphinxPostTransform):
    """Puts all of such a section but its title into ``<details>``, which needs no script."""

    default_priority = 900  # after references are resolved
    formats = ("html",)

    def run(self, **_: Any) -> None:
        """Fold the sections of one page."""
        for section in list(self.document.findall(nodes.section)):
            if _title(section).startswith(BEGINS):
                _fold(section)


def _title(section: nodes.section) -> str:
    title = section.next_node(nodes.title)
    return title.astext() if title is not None else ""


def _fold(section: nodes.section) -> None:
    place = next(i for i, one in enumerate(section.children) if isinstance(one, nodes.title)) + 1
    section.insert(place, nodes.raw("", _OPEN, format="html"))
    section.append(nodes.raw("", _CLOSE, format="html"))


def setup(app: Sphinx) -> dict[str, bool]:
    """What Sphinx calls."""
    app.add_post_transform(FoldDeeper)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
