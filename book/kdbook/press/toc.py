"""The pages of the book, read from ``_toc.yml``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from kdbook.press.errors import PressError
from kdbook.press.project import TOC
from kdlib.names import choices

SUFFIXES = (".ipynb", ".md")


@dataclass(frozen=True)
class Page:
    """One page of the book.

    Attributes:
        path: The page as the table of contents names it, e.g. ``book/foundations/measuring``.
        source: The clean source file.
    """

    path: str
    source: Path

    @property
    def name(self) -> str:
        """The last part of the path, by which a reader names the chapter."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def runs(self) -> bool:
        """Whether the page is a notebook."""
        return self.source.suffix == ".ipynb"

    @property
    def file(self) -> str:
        """The path with its suffix."""
        return self.path + self.source.suffix


def read_pages(root: Path) -> list[Page]:
    """All pages in reading order.

    Raises:
        PressError: ``_toc.yml`` is malformed, or names a page that does not exist.
    """
    toc = yaml.safe_load((root / TOC).read_text(encoding="utf-8"))
    if not isinstance(toc, dict) or "root" not in toc:
        raise PressError(f"{TOC} names no root page")
    return [_page(root, path) for path in _paths(toc)]


def _paths(entry: dict[str, Any]) -> Iterator[str]:
    for key in ("root", "file"):
        if key in entry:
            yield str(entry[key]).removesuffix(".md").removesuffix(".ipynb")
    for key in ("parts", "chapters", "sections"):
        for child in entry.get(key) or ():
            yield from _paths(child)


def _page(root: Path, path: str) -> Page:
    for suffix in SUFFIXES:
        source = root / f"{path}{suffix}"
        if source.is_file():
            return Page(path, source)
    raise PressError(f"{TOC} names {path}, but there is no {path}.ipynb or {path}.md")


def select_chapters(pages: Sequence[Page], names: Sequence[str]) -> list[Page]:
    """The notebooks that ``names`` ask for, by name or by path; all of them where it is empty.

    Raises:
        PressError: A name fits no chapter.
    """
    return select_pages([page for page in pages if page.runs], names)


def select_pages(pages: Sequence[Page], names: Sequence[str]) -> list[Page]:
    """Those of ``pages`` that ``names`` ask for, as ``select_chapters`` does."""
    known = {label: page for page in pages for label in (page.name, page.path, page.file)}
    for name in names:
        if name not in known:
            which = choices(name, (page.name for page in pages))
            raise PressError(f"chapter {name!r} is not in the book: {which}")
    wanted = {known[name] for name in names} if names else set(pages)
    return [page for page in pages if page in wanted]
