"""What the baselines and the compressed pairs say, in sentences and tables that follow by rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from kdbook.chapters.baselines_and_compression import (
    BALANCED_STUDENT,
    DISTILLED,
    DRO_HELD_OUT,
    DRO_TRAINING,
    ROBUST_ALONE,
    ROBUST_STUDENT,
    RobustBaselines,
    baselines,
    shift_name,
)
from kdbook.chapters.baselines_and_compression.in_print import TEACHERS
from kdbook.compare import LEVEL, compare_corrected, overview, row_of, signed, tested

MEASURES = {"worst_1": "worst class", "mean": "mean of the classes"}
SIMPLER = (shift_name(None), BALANCED_STUDENT, ROBUST_ALONE, DRO_HELD_OUT, DRO_TRAINING)
"""What a robust student should be set against: methods that weigh the classes too."""

_PROTOCOLS = {"test": "all of validation, then test", "halves": "one half, then the other"}


def of(rows: pd.DataFrame, measure: str = "worst class") -> pd.DataFrame:
    """The rows of one measure."""
    return rows[rows["measure"] == measure]


def named(rows: pd.DataFrame, pattern: str) -> pd.DataFrame:
    """The rows with ``comparison`` cut to the group that ``pattern`` finds in it."""
    return rows.assign(comparison=rows["comparison"].str.extract(pattern)[0])


def headline(gaps: pd.DataFrame) -> str:
    """The title of the first figure: a shift of logits beside the robust student.

    Args:
        gaps: as ``comparisons.to_distilled`` gives them.
    """
    shift, robust = _headliners(gaps)
    return (
        f"Worst class: a shift of the teacher's logits {shift['mean']:+.0f} points, "
        f"a robust student {robust['mean']:+.0f}"
    )


def in_short(per_seed: pd.DataFrame, gaps: pd.DataFrame, over: pd.DataFrame) -> str:
    """Two sentences: what shift and robust student gain, and what the shift only seems to gain.

    Args:
        per_seed: of the study, each method at one temperature.
        gaps: as ``comparisons.to_distilled`` gives them.
        over: as ``comparisons.overfitting`` gives it.
    """
    shift, robust = _headliners(gaps)
    adds = of(robust_adds(per_seed)).iloc[0]
    clear = adds["low"] > 0 or adds["high"] < 0
    seen = row_of(over, protocol="test", method="teacher std")
    return (
        f"Set against standard distillation, a mere shift of the standard teacher's logits moves "
        f"the worst class by {signed(shift)} points and a robust student by "
        f"{signed(robust)} ({int(adds['seeds'])} seeds); between the two the "
        f"difference is {signed(adds)}, {'a clear one' if clear else 'no clear one'}. But do not "
        f"believe the shift on the images that chose it, for there it looks {signed(seen)} points "
        f"better than it is."
    )


def significant_said(gaps: pd.DataFrame) -> str:
    """How many baselines are clearly apart from standard distillation in the worst class."""
    rows = of(gaps)
    return (
        f"{int(rows['holds'].sum()) or 'None'} of the {len(rows)} is significant after correction, "
        f"with {int(rows['seeds'].max())} seeds."
    )


def robust_adds(per_seed: pd.DataFrame) -> pd.DataFrame:
    """What a robust student adds to each of ``SIMPLER``, corrected for these."""
    pairs = [(ROBUST_STUDENT, name) for name in SIMPLER]
    return compare_corrected(per_seed.assign(temperature=np.nan), pairs, MEASURES)


def levels(per_seed: pd.DataFrame, methods: Sequence[str] | pd.Series) -> pd.DataFrame:
    """Accuracies of these methods as text: means with intervals."""
    rows = per_seed[per_seed["method"].isin(list(methods))].assign(temperature=np.nan)
    return overview(rows, MEASURES).rename_axis("method")


def same_size() -> list[str]:
    """Standard distillation and the baselines of the chapter."""
    return [DISTILLED, *baselines()]


def compressed(study: RobustBaselines, per_seed: pd.DataFrame) -> pd.DataFrame:
    """The rows of the compressed pairs, without their prefix."""
    prefix = "{} to {}: ".format(*study.depths())
    rows = per_seed[per_seed["method"].str.startswith(prefix)]
    return rows.assign(method=rows["method"].str.removeprefix(prefix))


def labels_told(study: RobustBaselines, per_seed: pd.DataFrame) -> pd.DataFrame:
    """Compressed robust students: one-hot minus teacher labels on validation, corrected."""
    pairs = [
        (study.cell_name(teacher, 1.0, "one_hot"), study.cell_name(teacher, 1.0, "teacher"))
        for teacher in (None, 1.0)
    ]
    rows = compare_corrected(per_seed.assign(temperature=np.nan), pairs, MEASURES)
    return tested(of(rows).assign(comparison=["standard", "robust"]), {"comparison": "teacher"})


def compression_headline(beaten: pd.DataFrame) -> str:
    """The title of the compressed pairs: how many students clearly beat their own teacher.

    Args:
        beaten: as ``comparisons.to_large_teacher`` gives them.
    """
    rows = of(beaten)
    above, below = (int((rows["holds"] & (sign * rows["mean"] > 0)).sum()) for sign in (1, -1))
    return (
        f"Of {len(rows)} smaller students {above or 'none'} clearly beats its own teacher, "
        f"{below or 'none'} clearly falls below it"
    )


def shifts_told(seen: pd.DataFrame, over: pd.DataFrame) -> pd.DataFrame:
    """Worst class where a shift was chosen and where not, and how much more it falls than no shift.

    Args:
        seen: as ``post_shift.optimism`` gives it.
        over: as ``comparisons.overfitting`` gives it.
    """
    keys = ["protocol", "method"]
    means = seen[seen["shift"] != "none"].groupby(keys)[["seen", "unseen"]].mean()
    plain = seen[seen["shift"] == "none"].groupby(keys)["gap"].mean()
    found = over.set_index(keys)
    table = pd.DataFrame(
        {
            "chosen on": means["seen"], "elsewhere": means["unseen"],
            "gap without a shift": plain, "excess (95 % interval)": found["cell"],
            "p, corrected": found["p_holm"].map("{:.3f}".format),
        }
    ).reset_index()  # fmt: skip
    words = {f"teacher {short}": long for short, long in TEACHERS.items()}
    table = table.replace({"protocol": _PROTOCOLS, "method": words})
    return table.rename(columns={"protocol": "shift from", "method": "teacher"})


def shifts_said(over: pd.DataFrame, labels: np.ndarray) -> str:
    """How much better a shift looks where it was chosen, in a sentence."""
    holds, clear = int((over["p_holm"] <= LEVEL).sum()), int((over["low"] > 0).sum())
    return (
        f"The shift looks better where it was chosen by {over['mean'].min():.0f} to "
        f"{over['mean'].max():.0f} points more than no shift does. {clear} of {len(over)} "
        f"intervals lie above zero, and after correction {holds} of the gaps "
        f"{'is' if holds == 1 else 'are'} significant. "
        f"The rarest class in validation has {np.bincount(labels).min()} images."
    )


def _headliners(gaps: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """The shift of a standard teacher and the robust student, each minus standard distillation."""
    rows = of(gaps)
    shift, robust = (
        row_of(rows, comparison=f"{name} − {DISTILLED}")
        for name in (shift_name(None), ROBUST_STUDENT)
    )
    return shift, robust
