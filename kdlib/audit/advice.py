"""What the report says is found, and what to try next, by rules that it states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kdlib.aligned import IGNORED
from kdlib.audit.gate import GateResult
from kdlib.audit.measured import as_logits, measures
from kdlib.audit.rows import Rows, blocks
from kdlib.audit.verdicts import EMPTY, HARMED, SMALL

_MOST_NAMED = 8


def trust(rows: Rows, kind: str, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """AdaAlpha's weights a_y from dev examples, block by block.

    They are ``kdlib.losses.adaptive_mix`` of them all, without torch, which takes seconds to load.
    """
    size, kept = rows.shape[1], labels != IGNORED
    own = np.empty(len(labels))
    for place, block in blocks(rows):
        truth = np.where(kept[place], labels[place], 0)
        _, _, probs = measures(as_logits(block, kind), truth)
        own[place] = probs[np.arange(len(truth)), truth]
    margins, counts = own - (1 - own) / (size - 1), np.bincount(labels[kept], minlength=size)
    sums = np.bincount(labels[kept], margins[kept], minlength=size)
    means = np.divide(sums, counts, out=np.zeros(size), where=counts > 0)
    return np.clip(means, 0.0, 1.0)


def finding(harmed: Mapping[str, Sequence[str]], gate: GateResult, tolerance: float) -> str:
    """The one sentence that answers the question.

    Args:
        harmed: names that lost after correction, of "classes" and of "groups".
        gate: what the data say of a loss beyond the tolerance.
        tolerance: points.
    """
    if any(harmed.values()):
        said = [f"{what}: {listed(names)}" for what, names in harmed.items() if names]
        return "HARM FOUND: accuracy fell, significant after correction. " + "; ".join(said) + "."
    if gate.status == "fine":
        return (
            f"NO HARM beyond {number(tolerance, 'point')}: a larger loss is excluded for "
            "every class and group."
        )
    return (
        f"CANNOT TELL: no loss is established, and a loss of more than "
        f"{number(tolerance, 'point')} is not excluded everywhere."
    )


def number(value: float, word: str) -> str:
    """The value and its unit, ``1 point`` or ``2 points``."""
    return f"{value:g} {word}" if value == 1 else f"{value:g} {word}s"


def listed(names: Sequence[str]) -> str:
    """The first names, and how many more there are."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def gaps(frame: pd.DataFrame, what: str) -> list[str]:
    """Sentences on the classes or groups of which nothing can be said."""
    found = []
    one = {"classes": "class", "groups": "group"}[what]
    for verdict, words in ((EMPTY, "no test example"), (SMALL, "too few test examples to say")):
        names = list(frame.loc[frame["verdict"] == verdict, "name"])
        if names:
            tail = "" if verdict == EMPTY else " anything"
            several = what if len(names) > 1 else one
            found.append(f"{len(names):,} {several} with {words}{tail}: {listed(names)}.")
    return found


def advise(
    by_class: pd.DataFrame, weights: NDArray[np.float64] | None, found: str, seeds: int
) -> list[str]:
    """What to try, each with the rule that says so.

    Args:
        by_class: the report's table.
        weights: a_y of each class, or None.
        found: the sentence of ``finding``.
        seeds: trainings behind the differences.
    """
    if found.startswith("NO HARM"):
        return ["Keep the student: no remedy is called for."]
    if found.startswith("CANNOT TELL"):
        return [_measure_more(by_class, seeds)]
    harmed = by_class.index[by_class["verdict"] == HARMED]
    if not len(harmed):
        return [_OF_GROUPS]
    return _for_classes(by_class, weights, harmed)


_OF_GROUPS = (
    "Groups lost, but no class did. AdaAlpha and the robust objectives weigh classes: take label "
    "and group together for the class (label 0 of group A, of group B, ...), and audit again."
)


def _measure_more(by_class: pd.DataFrame, seeds: int) -> str:
    width = (by_class["high"] - by_class["low"]).sort_values(ascending=False, kind="stable")
    widest = [f"{by_class['name'][label]} ({width[label] / 2:.1f} points each way)"
              for label in width.dropna().index[:3]]  # fmt: skip
    return (
        "Measure more before the training is changed: the widest intervals are those of "
        f"{', '.join(widest)}. {_HOW_TO_NARROW[seeds > 1]}"
    )


_HOW_TO_NARROW = {
    False: "Four times the test examples of a class halve its interval.",
    True: "More trainings narrow them, and so do more test examples.",
}


def _for_classes(
    by_class: pd.DataFrame, weights: NDArray[np.float64] | None, harmed: Any
) -> list[str]:
    if weights is None:
        return [
            "Give the teacher's predictions on dev examples (dev): then the report has the trust "
            "a_y for AdaAlpha, and says whether a robust objective should be tried."
        ]
    return _remedies(by_class, weights, harmed)


def _remedies(by_class: pd.DataFrame, weights: NDArray[np.float64], harmed: Any) -> list[str]:
    """Rules for classes that lost, by how much trust the teacher deserves there."""
    usual = float(weights.mean())
    doubted = [label for label in harmed if weights[label] < usual]
    relied = [label for label in harmed if weights[label] >= usual]
    names = by_class["name"]
    found = []
    if doubted:
        found.append(
            "Try AdaAlpha: mix = the weights a_y below, in soft_target_loss. Rule: "
            f"{listed(list(names[doubted]))} lost, and the teacher deserves less trust there than "
            f"on average ({usual:.2f})."
        )
    if relied:
        found.append(
            "Try the robust objective: class weights that follow the classes' errors on dev "
            "examples (kdlib.losses.exponentiated_gradient, step 0.1, with class_weight of "
            f"soft_target_loss). Rule: {listed(list(names[relied]))} lost although the teacher "
            f"deserves as much trust there as on average ({usual:.2f}), so less would not mend it."
        )
    return found
