"""What labels and scores must be; each complaint names the field, the row and what is allowed."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kdlib.aligned import IGNORED
from kdlib.audit.rows import Rows, blocks
from kdlib.errors import DataError
from kdlib.names import shown

Kind = Literal["auto", "logits", "probabilities"]
KINDS = get_args(Kind)

_ROUNDING = 0.01
"""Of the sum of a row of probabilities: half precision, or a table printed with few decimals."""
_OF_WHOLE = 0.1
"""Shares in whole numbers, such as per cents or bytes, differ in their sum by less, in relation."""
_ONE_SUM = 1e-3
"""Sums that differ by less, in relation, are one: those of 100,000 free scores differ by more."""


def check_labels(where: str, values: Any, num_classes: int, size: int) -> NDArray[np.int64]:
    """True classes ``[N]`` as int64, ``IGNORED`` among them.

    Raises:
        DataError: another length, no whole numbers, or one out of range.
    """
    labels = np.asarray(values)
    if labels.ndim == 2 and 1 in labels.shape:
        labels = labels.ravel()
    if labels.shape != (size,):
        raise DataError(f"{where} has shape {labels.shape}: expected ({size},), one label per row")
    whole = _whole_numbers(where, labels)
    wrong = (whole != IGNORED) & ((whole < 0) | (whole >= num_classes))
    if wrong.any():
        row = int(wrong.argmax())
        raise DataError(
            f"{where}, row {row}: label {whole[row]} is out of range: allowed are 0 to "
            f"{num_classes - 1}, and {IGNORED} for an example to leave out"
        )
    if (whole == IGNORED).all():
        raise DataError(f"{where} leaves every example out: all labels are {IGNORED}")
    return whole


def _whole_numbers(where: str, labels: NDArray[Any]) -> NDArray[np.int64]:
    if labels.dtype.kind not in "iuf":
        found = _first_word(labels) or f" has type {labels.dtype}"
        raise DataError(f"{where}{found}: expected whole numbers, the classes")
    with np.errstate(invalid="ignore"):  # infinite labels are odd, too
        odd = labels % 1 != 0
    if odd.any():
        row = int(odd.argmax())
        raise DataError(f"{where}, row {row}: {labels[row]} is no class: expected whole numbers")
    if labels.dtype.kind == "u":  # a large one would turn negative
        labels = np.minimum(labels, np.iinfo(np.int64).max)
    return labels.astype(np.int64)


def _first_word(labels: NDArray[Any]) -> str:
    """The first label of text that is no number."""
    if labels.dtype.kind not in "OUS":
        return ""
    odd = pd.to_numeric(pd.Series(labels), errors="coerce").isna().to_numpy()
    row = int(odd.argmax())
    word = shown(repr(labels[row : row + 1].tolist()[0]))
    return f", row {row}: {word} is no number" if odd[row] else ""


def check_scores(where: str, rows: Rows, kind: Kind) -> Literal["logits", "probabilities"]:
    """Look at every score once, and say whether they are logits or probabilities.

    Rows that are 0 or more and sum to 1 are probabilities. Where they are not named, most of the
    rows decide; scores that mostly sum to something else are refused where they look like shares
    all the same: none is negative, and all lie below 1 or have one sum, such as 100.

    Raises:
        DataError: a score is no finite number, or a row of probabilities is none.
    """
    broken, good, unlike, total, shares = "", 0, -1, rows.shape[0], True
    for place, block in blocks(rows):
        broken = _no_number(where, block, place.start)
        if broken:
            raise DataError(broken)
        fine, alike = _probability_rows(block)
        shares = shares and alike
        good += int(fine.sum())
        if unlike < 0 and not fine.all():
            unlike = place.start + int(fine.argmin())
    if kind == "logits" or (kind == "auto" and 2 * good < total and not shares):
        return "logits"
    if unlike >= 0:
        raise DataError(_no_probabilities(where, unlike, rows, kind))
    return "probabilities"


def _no_number(where: str, block: NDArray[Any], start: int) -> str:
    if block.dtype.kind not in "iuf":
        return f"{where} has type {block.dtype}: expected numbers, the scores of the classes"
    finite = np.isfinite(block)
    if finite.all():
        return ""
    row, column = (int(place) for place in np.argwhere(~finite)[0])
    return f"{where}, row {start + row}, class {column}: {block[row, column]} is no finite number"


def _probability_rows(block: NDArray[Any]) -> tuple[NDArray[np.bool_], bool]:
    """Which rows are probabilities, and whether all scores look like shares."""
    least, most = block.min(axis=1), block.max(axis=1)
    with np.errstate(over="ignore", invalid="ignore"):
        sums = block.sum(axis=1, dtype=np.float64)
        fine = (least >= 0) & (np.abs(sums - 1) <= _ROUNDING)
        one_sum = np.ptp(sums) <= _one_sum(block, sums[0])
    return fine, bool((least >= 0).all() and ((most <= 1).all() or one_sum))


def _one_sum(block: NDArray[Any], first: float) -> float:
    """How far sums may differ that are one: per cents in whole numbers are each rounded."""
    whole = block.dtype.kind in "iu" or bool((block == np.rint(block)).all())
    return max(_ONE_SUM * first, min(block.shape[1], _OF_WHOLE * first) if whole else 0.0)


def _no_probabilities(where: str, row: int, rows: Rows, kind: Kind) -> str:
    values = np.asarray(rows[row : row + 1], np.float64)[0]
    found = f"sums to {values.sum():.6g}" if values.min() >= 0 else f"holds {values.min():g}"
    hint = "" if kind == "probabilities" else "; for logits, set scores to logits"
    return (
        f"{where}, row {row} {found}: a row of probabilities is 0 or more and sums to 1, "
        f"to within {_ROUNDING:g}{hint}"
    )
