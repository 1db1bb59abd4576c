"""Spares processes an import that they do not need."""

from __future__ import annotations

import sys
from typing import Any


def skip_slow_imports() -> None:
    """Call before altair, papermill, nbformat or Sphinx is imported; saves about 1.2 s per process.

    jsonschema tries ``rfc3987_syntax`` and does without it where it is missing. The package
    compiles a grammar as it is imported, for a kind of text that no chart and no notebook schema
    mentions.
    """
    modules: dict[str, Any] = sys.modules
    modules.setdefault("rfc3987_syntax", None)
