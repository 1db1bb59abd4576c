"""Where the parts of a book lie."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kdbook.press.errors import PressError

CONFIG, TOC = "_config.yml", "_toc.yml"
CODE = "kdbook"
"""The folder of ``book/`` that holds code, which is no part of the pages."""


@dataclass(frozen=True)
class Project:
    """A checkout of a book.

    Attributes:
        root: The folder with ``_config.yml``, ``_toc.yml`` and ``book/``.
        build: Everything that is made goes below this folder.
    """

    root: Path
    build: Path

    @classmethod
    def at(cls, root: Path, build: Path | None = None) -> Project:
        """The project in ``root``; builds into ``root/_build`` unless told otherwise."""
        root = root.resolve()
        return cls(root, (build or root / "_build").resolve())

    @property
    def html(self) -> Path:
        """The finished site."""
        return self.build / "html"

    def staging(self, profile: str) -> Path:
        """The copy of the book, with outputs, that Jupyter Book reads."""
        return self.build / "staging" / profile

    def executed(self, profile: str) -> Path:
        """Executed chapters, named by the hash of what went into them."""
        return self.build / "executed" / profile

    def log(self, name: str) -> Path:
        """The log file ``name``; its folder is made."""
        folder = self.build / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.log"


def find_project(start: Path | None = None) -> Project:
    """The book that ``start`` (the current folder by default) lies in.

    Raises:
        PressError: No folder from ``start`` upwards holds a book.
    """
    here = (start or Path.cwd()).resolve()
    for folder in (here, *here.parents):
        if (folder / CONFIG).is_file() and (folder / TOC).is_file():
            return Project.at(folder)
    raise PressError(f"no book in {here} or above it: go to a checkout that holds {TOC}")
