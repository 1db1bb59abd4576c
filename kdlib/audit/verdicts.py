"""What the data say of many gains at once: which are there after correction, and which cannot be.

A group of n examples cannot show any change where even n changes to one side are too likely by
chance: 2^(1 - n) is the smallest p-value of the sign test. Such groups are named as too small, and
leave the correction to the others. That keeps the error rate, since it looks at n alone, never at
what the models answered (Tarone, 1990).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kdlib.metrics import PairedGains, holm

HARMED, HELPED = "harmed", "helped"
UNCLEAR = "no clear change"
SMALL = "too few examples"
EMPTY = "no examples"


def fewest_examples(counts: NDArray[np.int64], level: float) -> int:
    """The size from which on a group can show a change after correction for all such groups.

    Args:
        counts: examples of each group.
        level: of the tests, in (0, 1), two-sided.
    """
    fewest = 1
    while True:
        tests = max(1, int((counts >= fewest).sum()))
        if 2.0 ** (1 - fewest) <= level / tests:
            return fewest
        fewest += 1


def corrected(p_values: NDArray[np.float64], testable: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Holm's adjusted p-values of the testable groups; NaN for the others."""
    adjusted = np.full(len(p_values), np.nan)
    adjusted[testable] = holm(p_values[testable])
    return adjusted


def verdicts(
    gains: PairedGains, adjusted: NDArray[np.float64], level: float
) -> NDArray[np.object_]:
    """One of the words above for each group.

    Args:
        gains: of the groups.
        adjusted: p-values, NaN for a group that is too small.
        level: of the tests.
    """
    found = adjusted <= level  # never for NaN
    words = np.select(
        [gains.count == 0, np.isnan(adjusted), found & (gains.mean < 0), found & (gains.mean > 0)],
        [EMPTY, SMALL, HARMED, HELPED],
        UNCLEAR,
    )
    return words.astype(object)
