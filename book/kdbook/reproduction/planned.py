"""The page on the planned evidence: its sentences, all from records by rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kdbook.compare import LEVEL, signed
from kdbook.evidence.members import EPOCHS, LONG, LONG_TEMPERATURE, TEMPERATURE
from kdbook.published import corrected, published

_WHO_IS_ROBUST = {
    "std/rob-d": "the student is robust",
    "rob/rob-d": "its teacher is too",
    "bal/rob-d": "its teacher is balanced",
}


@dataclass(frozen=True)
class PlannedClaim:
    """A claim of the papers, and what the plan says of how it would fail.

    Attributes:
        text: the claim.
        expected: by the number of an outcome the sign that the claim foretells.
        needed: outcomes that must be significant for it to be confirmed; of the others it is enough
            that they are not significantly of the other sign.
    """

    text: str
    expected: Mapping[int, int]
    needed: tuple[int, ...]


CLAIMS = (
    PlannedClaim(
        "Distillation gains in the mean and loses in the worst classes on long-tailed data",
        {1: 1, 2: -1}, (2,),
    ),
    PlannedClaim("AdaAlpha and AdaMargin repair the loss", {3: 1, 4: 1}, (3, 4)),
    PlannedClaim("A robust student raises the worst class", {5: 1}, (5,)),
    PlannedClaim("Robust twice is not best", {6: -1}, (6,)),
)  # fmt: skip

RESTS_ON = PlannedClaim("Robust twice is not best", {7: 1}, (7,))
"""The last claim by the pair on which the paper rests it, as a later line of the plan asks."""


def in_short(primary: pd.DataFrame, longer: pd.DataFrame, later: pd.DataFrame) -> list[str]:
    """The answers: what distillation changes, at both lengths; and, once there, its remedies.

    Args:
        primary: as ``kdbook.evidence.outcomes.primary`` gives it.
        longer: as ``kdbook.evidence.outcomes.longer`` gives it.
        later: as ``kdbook.evidence.outcomes.later`` gives it.
    """
    first, second = row_of(primary, 1), row_of(primary, 2)
    if np.isnan(first["mean"]) or np.isnan(second["mean"]):
        return ["Nothing is decided yet: no three seeds have both students of the first question."]
    distilled = (
        f"On CIFAR-100-LT (ratio 100, ResNet-20), teachers and students of {EPOCHS} epochs, "
        f"{_at(TEMPERATURE)}: accuracy under distillation {_change(first)} in the mean of the "
        f"classes, and {_change(second)} in the ten worst, against students of the labels alone "
        f"({first['seeds']:.0f} seeds). {claim_said(CLAIMS[0], primary)}"
    )
    each = (
        distilled,
        _longer_said(longer),
        _remedies_said(primary),
        _robust_said(primary),
        _twice_said(primary, later),
    )
    return [said for said in each if said]


def _longer_said(longer: pd.DataFrame) -> str:
    first, second = row_of(longer, 1), row_of(longer, 2)
    if np.isnan(first["mean"]) or np.isnan(second["mean"]):
        return ""
    return (
        f"Teachers and students of {LONG} epochs, {_at(LONG_TEMPERATURE)}: accuracy "
        f"{_change(first)} in the mean, and {_change(second)} in the ten worst "
        f"({first['seeds']:.0f} seeds). There the same claim {_fate(CLAIMS[0], longer)}."
    )


def _at(temperature: float) -> str:
    """It stays in one line."""
    return f"T\u00a0=\u00a0{temperature:g}"


def _remedies_said(primary: pd.DataFrame) -> str:
    alpha, margin = row_of(primary, 3), row_of(primary, 4)
    if np.isnan(alpha["mean"]) or np.isnan(margin["mean"]):
        return ""
    return (
        f"Against distilled students of {EPOCHS} epochs accuracy in the ten worst "
        f"{_change(alpha)} with AdaAlpha, and {_change(margin)} with AdaMargin. "
        f"{claim_said(CLAIMS[1], primary)}"
    )


def _robust_said(primary: pd.DataFrame) -> str:
    student = row_of(primary, 5)
    if np.isnan(student["mean"]):
        return ""
    return (
        f"On CIFAR-10-LT, {EPOCHS} epochs: accuracy in the worst class {_change(student)} where "
        f"the student is robust in the place of standard ({student['seeds']:.0f} seeds). "
        f"{claim_said(CLAIMS[2], primary)}"
    )


def _twice_said(primary: pd.DataFrame, later: pd.DataFrame) -> str:
    teacher = row_of(primary, 6)
    if np.isnan(teacher["mean"]):
        return ""
    return (
        f"Against that robust student accuracy in the worst class {_change(teacher)} where the "
        f"teacher is robust too ({teacher['seeds']:.0f} seeds). By the plan's rule "
        f"{claim_said(CLAIMS[3], primary)} {printed_twice_said(teacher, later)}"
    )


def printed_twice_said(twice: pd.Series, later: pd.DataFrame) -> str:
    """What the paper prints of the pair by which the plan tries "robust twice", and of its best.

    Args:
        twice: the sixth of the primary outcomes.
        later: as ``kdbook.evidence.outcomes.later`` gives it: what came of that best one here.
    """
    rows = published(
        paper="robust_distillation", table="Table 1", dataset="cifar10_lt", metric="worst_1"
    )
    robust = rows[rows["student_objective"] == "rob-d"].set_index("teacher_objective")["value"]
    same = "the same" if (robust["rob"] - robust["std"]) * twice["mean"] > 0 else "the other"
    return (
        f"Of this pair the paper's Table 1 has {same} sign ({robust['rob']:.1f} % after "
        f"{robust['std']:.1f} %, teacher labels); it rests the claim on a robust student of a "
        f"balanced teacher ({robust['bal']:.1f} %){_rests_on_said(later)}."
    )


def _rests_on_said(later: pd.DataFrame) -> str:
    row = row_of(later, 7)
    if np.isnan(row["mean"]):
        return ", which was not run at this length"
    return (
        f". Where that one takes the place of robust twice, accuracy {_change(row)} in the worst "
        f"class ({row['seeds']:.0f} seeds). Tried so, the claim {_fate(RESTS_ON, later)}"
    )


def longer_secondary_said(secondary: pd.DataFrame) -> str:
    """The measures without a floor at 200 epochs; empty where there are none.

    Args:
        secondary: of block b2, as ``kdbook.evidence.outcomes.secondary`` gives it.
    """
    if secondary.empty:
        return ""
    each = [f"{row['measure']} {signed(row, digits(row))}" for _, row in secondary.iterrows()]
    return f"Distilled minus one-hot at {LONG} epochs: {'; '.join(each)}."


def digits(row: pd.Series) -> int:
    """After the point: log-losses and margins are small numbers, accuracies are in points."""
    small = "nats" in row["measure"] or row["measure"].startswith("margin")
    return 3 if small else 1


def again_said(again: pd.DataFrame, primary: pd.DataFrame) -> str:
    """The outcomes of block c that two cores have, as a GPU has them; empty where it has none.

    Args:
        again: as ``kdbook.evidence.outcomes.again`` gives it.
        primary: as ``kdbook.evidence.outcomes.primary`` gives it.
    """
    planned = set(primary[primary["mean"].notna()]["number"])
    there = again[again["mean"].notna() & again["number"].isin(planned)]
    if there.empty:
        return ""
    each = [f"{row['comparison']} {signed(row)}" for _, row in there.iterrows()]
    return (
        "Trained once more from the start on a GPU, which by the plan decides nothing, the worst "
        f"class changes so: {'; '.join(each)} points ({there['seeds'].min():.0f} seeds)."
    )


def unplanned_said(unplanned: pd.DataFrame) -> str:
    """What was compared afterwards on CIFAR-10-LT; empty where it was not run.

    Args:
        unplanned: as ``kdbook.evidence.outcomes.unplanned`` gives it.
    """
    there = unplanned[unplanned["mean"].notna()]
    if there.empty:
        return ""
    pairs = [
        f"{pair}: {', '.join(row['measure'] + ' ' + signed(row) for _, row in rows.iterrows())}"
        for pair, rows in there.groupby("comparison", sort=False)
    ]
    return (
        f"Not planned, asked afterwards, in points ({there['seeds'].min():.0f} seeds). "
        f"{'; '.join(pairs)}."
    )


def claim_said(claim: PlannedClaim, primary: pd.DataFrame) -> str:
    """What the outcomes say of one claim, by the plan's rule."""
    return f"“{claim.text}” {_fate(claim, primary)}."


def _fate(claim: PlannedClaim, primary: pd.DataFrame) -> str:
    rows = {number: row_of(primary, number) for number in claim.expected}
    signs = {number: sign_of(row) for number, row in rows.items()}
    run = [number for number, row in rows.items() if not np.isnan(row["mean"])]
    if any(signs[n] == -claim.expected[n] for n in run):
        return "fails"
    if len(run) < len(claim.expected):
        return "has not been tried" if not run else "is open, since not all of it has been run"
    if all(signs[n] == claim.expected[n] for n in claim.needed):
        return "is confirmed"
    return "is not confirmed: these seeds do not decide it"


def robust_classes_said(classes: pd.DataFrame) -> str:
    """What single classes decide by themselves.

    Args:
        classes: block c, as ``kdbook.evidence.outcomes.by_frequency`` gives it.
    """
    said = [
        f"{_decided(rows)} where {_WHO_IS_ROBUST[str(name)]}"
        for name, rows in classes.groupby("method", sort=False)
    ]
    return (
        "The plan asked about the worst class, whichever it is. Of the ten classes one by one, "
        f"corrected for ten looks: {'; '.join(said)} ({classes['seeds'].min():.0f} seeds)."
    )


def _decided(rows: pd.DataFrame) -> str:
    found = [
        f"{len(names)} {verb}{'s' * (len(names) == 1)}"
        for verb, names in changed_groups(rows).items()
    ]
    return " and ".join(found) if found else "none is decided"


def changed_groups(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """The groups that significantly gain and lose, as far as there are any."""
    sign = np.sign(rows["mean"].to_numpy()) * (corrected(rows) <= LEVEL)
    names = rows["class_name"].to_numpy()
    found = {"gain": names[sign > 0], "lose": names[sign < 0]}
    return {verb: changed for verb, changed in found.items() if len(changed)}


def row_of(primary: pd.DataFrame, number: int) -> pd.Series:
    """The outcome of that number in the plan."""
    return primary[primary["number"] == number].iloc[0]


def sign_of(row: pd.Series) -> int:
    """Of an outcome's mean; 0 where it is not significant after correction, or was not run."""
    decided = not np.isnan(row["p_corrected"]) and row["p_corrected"] <= LEVEL
    return int(np.sign(row["mean"])) if decided else 0


def _change(row: pd.Series) -> str:
    span = f"({row['low']:+.1f} to {row['high']:+.1f})"
    if sign_of(row) == 0:
        tested = " after correction" if row["low"] * row["high"] > 0 else ""
        mean = round(row["mean"], 1) + 0.0  # no minus before a zero
        return f"shows no clear change{tested}, {mean:+.1f} points {span},"
    return f"{'rises' if row['mean'] > 0 else 'falls'} by {abs(row['mean']):.1f} points {span}"
