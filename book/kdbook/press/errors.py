"""What can go wrong while the book is built. Each message is a line per failure."""

from __future__ import annotations

from kdlib.errors import KdlibError


class PressError(KdlibError):
    """The book cannot be built as asked."""


class ChapterError(PressError):
    """At least one chapter failed while it ran; one line per chapter."""
