"""The press: runs the chapters with papermill, stages them, and builds the site with Jupyter Book.

Every function takes the project it works on, so that tests can build a tiny book elsewhere.
"""

from __future__ import annotations

from kdbook.press.build import BuildSettings, BuiltBook, build_book
from kdbook.press.project import Project, find_project

__all__ = ["BuildSettings", "BuiltBook", "Project", "build_book", "find_project"]
