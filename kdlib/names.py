"""Names: which known one may have been meant, and how one that a user gave can be shown."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that ``name`` is a slip or a part of; ``None`` where none is like it."""
    names = list(known)
    whole = [one for one in names if name and name.lower() in one.lower()]
    found = get_close_matches(name, names, n=1) or whole[:1]
    return found[0] if found else None


def choices(name: str, known: Iterable[str]) -> str:
    """What to write in the place of an unknown ``name``: the likely one, then all there are."""
    names = list(known)
    likely = closest(name, names)
    guess = f"did you mean {likely}? A" if likely else "a"
    return f"{guess}llowed are {', '.join(names) or 'none'}"


# Control characters, halves of surrogate pairs, what XML lacks, marks that turn text round.
_UNSHOWN = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)


def shown(name: object) -> str:
    """The name on one line; what cannot be shown becomes a replacement character."""
    return _UNSHOWN.sub("\ufffd", str(name))
