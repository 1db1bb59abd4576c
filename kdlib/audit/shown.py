"""Names that a user gave, as text that a terminal, a page and XML can all show."""

from __future__ import annotations

import re

# Control characters, halves of surrogate pairs, what XML lacks, marks that turn text round.
_UNSHOWN = re.compile(
    "[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u2028\u2029\u202a-\u202e\u2066-\u2069]"
)


def shown(name: object) -> str:
    """The name on one line; what cannot be shown becomes a replacement character."""
    return _UNSHOWN.sub("\ufffd", str(name))
