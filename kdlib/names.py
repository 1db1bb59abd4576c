"""Names: which known one may have been meant; given twice; shown on one line."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

_MOST = 200
"""So many known names still make a line that someone reads."""


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that ``name`` is a slip or a part of; ``None`` where none is like it."""
    names = list(known)
    whole = [one for one in names if name and name.lower() in one.lower()]
    found = get_close_matches(name, names, n=1) or whole[:1]
    return found[0] if found else None


def choices(name: str, known: Iterable[str]) -> str:
    """What to write in the place of an unknown ``name``: the likely one, then those there are."""
    names = list(known)
    likely = closest(name, names)
    guess = f"did you mean {likely}? A" if likely else "a"
    more = f" and {len(names) - _MOST:,} more" if len(names) > _MOST else ""
    return f"{guess}llowed are {', '.join(names[:_MOST]) or 'none'}{more}"


def first_twice(names: Iterable[str]) -> str | None:
    """The first name that stands before it too; ``None`` where all differ. Fast for many names."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            return name
        seen.add(name)
    return None


# Control characters, halves of surrogate pairs, what XML lacks, marks that turn text round.
_UNSHOWN = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)


def shown(name: object) -> str:
    """The name on one line; what cannot be shown becomes a replacement character."""
    return _UNSHOWN.sub("\ufffd", str(name))
