"""What chooses in the grid of objectives, on which images, and what a collapse does.

The paper lets the same validation images move the multipliers and choose. The stricter protocol
gives one half of them to the multipliers and the other to the choice.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from kdbook.chapters.teacher_and_student import Settings, TeacherAndStudent, rows
from kdbook.chapters.teacher_and_student.objective_cells import HALVES
from kdbook.collapse import collapses
from kdbook.records import recorded_rows
from kdbook.selection import VALIDATION_TEMPERATURE
from kdbook.shelf import results
from kdbook.tables import Member
from kdlib.losses import class_errors, teacher_probabilities
from kdlib.runs import RobustCost, RunResult, RunSpec

FEW = 2.0
"""A run that ends with fewer effective classes than this has all but one or two out of sight."""


def at_temperatures(rows: pd.DataFrame, training: float, on_validation: float) -> pd.DataFrame:
    """The rows at these temperatures of the teacher, and those that listen to none.

    Args:
        rows: of ``teacher_and_student``: ``per_seed`` or ``multiplier_paths``.
        training: temperature in training.
        on_validation: temperature on validation images; a table of one only does not name it.
    """
    kept = rows["temperature"].fillna(training) == training
    if VALIDATION_TEMPERATURE in rows:
        kept &= rows[VALIDATION_TEMPERATURE].fillna(on_validation) == on_validation
    return rows[kept]


def robust_members(settings: Settings) -> list[Member]:
    """Of the grid, the robust students of standard and robust teachers."""
    return [
        m
        for m in TeacherAndStudent(settings).members()
        if m.method.startswith(("std / rob-d", "rob / rob-d"))
    ]


def recorded_or_trained(
    settings: Settings, methods: Collection[str], folder: Path | None = None
) -> pd.DataFrame:
    """Rows of ``teacher_and_student.per_seed``: from records if all are there, else trained.

    Args:
        settings: of the grid.
        methods: which of its rows.
        folder: as ``kdbook.records.recorded_rows`` has it.
    """
    grid = TeacherAndStudent(settings)
    wanted = [m for m in grid.members() if m.method in methods]
    found = recorded_rows(grid, HALVES, folder)
    found = found[found["run"].isin([m.spec.id for m in wanted])]
    if len(found) == len(wanted):
        return found.reset_index(drop=True)
    return rows(wanted, results([m.spec for m in wanted]))


def with_step(member: Member, step: float) -> Member:
    """The same student of the same teacher, its own multipliers moved by another step size."""
    spec = member.spec
    cost = spec.objective.log_cost
    assert isinstance(cost, RobustCost)
    rule = cost.rule.model_copy(update={"step": step})
    moved = RobustCost.parse(**dict(cost) | {"rule": rule})
    objective = spec.objective.model_copy(update={"log_cost": moved})
    changed = RunSpec.parse(**dict(spec) | {"objective": objective})
    return Member(member.method, member.imbalance, member.temperature, member.seed, changed)


def choices(per_seed: pd.DataFrame, by: str) -> pd.DataFrame:
    """The run that ``by`` chooses in each seed, and what it keeps of the promise on test.

    Args:
        per_seed: as ``teacher_and_student.per_seed`` gives it; of equal values the first counts.
        by: one of ``objective_cells.HALVES``.

    Returns:
        One row per seed: seed, method, promised (worst class by ``by``), delivered (on test),
        excess (promised minus delivered, percentage points).
    """
    best = per_seed.loc[per_seed.groupby("seed")[by].idxmax()]
    rows = best[["seed", "method", by, "worst_1"]].rename(
        columns={by: "promised", "worst_1": "delivered"}
    )
    return rows.assign(excess=rows["promised"] - rows["delivered"]).reset_index(drop=True)


def advantage_of_the_seen_half(strict: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """How much better the half that moved the multipliers looks, beyond being an easier half.

    The halves are fixed images, so one of them may be easier for every network. Where all images
    moved the multipliers, both halves were seen alike: that gap is what the images do.

    Args:
        strict: rows of ``teacher_and_student.per_seed`` whose multipliers saw the first half.
        whole: the same where they saw all validation images.

    Returns:
        One row per method and seed that both have: method, seed, gap (first minus second half,
        strict), easier (the same, whole), advantage (gap minus easier); percentage points.
    """
    first, second = HALVES
    gap, easier = (
        rows[["method", "seed"]].assign(gap=rows[first] - rows[second]) for rows in (strict, whole)
    )
    both = gap.merge(
        easier.rename(columns={"gap": "easier"}), on=["method", "seed"], validate="one_to_one"
    )
    return both.assign(advantage=both["gap"] - both["easier"])


def swings(paths: pd.DataFrame) -> pd.DataFrame:
    """How far the multipliers of each run left evenness, and how often the weight changed hands.

    Args:
        paths: as ``multiplier_paths.paths`` gives them.

    Returns:
        One row per run: method, seed, end (effective classes at the last move), least (at any
        move), few (percent of the moves with fewer than 2 effective classes), leaders (how many
        classes held the largest multiplier at some move).
    """
    even = collapses(paths).assign(few=lambda rows: 100.0 * (rows["effective"] < FEW))
    runs = even.groupby(["method", "seed"], sort=False)
    table = runs.agg(end=("effective", "last"), least=("effective", "min"), few=("few", "mean"))
    top = paths.loc[paths.groupby(["method", "seed", "step"])["multiplier"].idxmax()]
    table["leaders"] = top.groupby(["method", "seed"])["label"].nunique()
    return table.reset_index()


def label_floors(teacher: RunResult, temperature: float) -> np.ndarray:
    """The error ``[L]`` of a student that is always right, as the teacher's labels measure it.

    It is the share of the teacher's probability for a class that lies on validation images of
    other classes: no student can lower it without being wrong. From 0 to 1.
    """
    import torch

    labels = torch.from_numpy(teacher.labels("validation"))
    logits = torch.from_numpy(teacher.logits("validation"))
    probs = teacher_probabilities(logits, temperature)
    right = torch.nn.functional.one_hot(labels, logits.shape[1]).float()
    return class_errors(right, probs, probs.mean(0), "zero_one").numpy()


def rank_agreement(multipliers: Sequence[float], floors: Sequence[float]) -> float:
    """Spearman's correlation over the classes: does the weight go where the floor is high?"""
    return float(spearmanr(multipliers, floors).statistic)


def floor_agreements(
    runs: Sequence[Member], results: Sequence[RunResult], teachers: dict[str, RunResult]
) -> pd.DataFrame:
    """``rank_agreement`` of the last multipliers with the floors of each student's teacher.

    Args:
        runs: robust students.
        results: of them.
        teachers: results by the id of their spec.

    Returns:
        One row per run: the keys of a member, ``agreement`` (from -1 to 1).
    """
    rows = [
        member.key() | {"agreement": _agreement(result, teachers)}
        for member, result in zip(runs, results, strict=True)
    ]
    return pd.DataFrame(rows)


def _agreement(result: RunResult, teachers: dict[str, RunResult]) -> float:
    teacher, cost = result.spec.teacher, result.spec.objective.log_cost
    assert teacher is not None and isinstance(cost, RobustCost) and result.multipliers is not None
    floors = label_floors(teachers[teacher.id], cost.validation_temperature)
    return rank_agreement(result.multipliers["log_multipliers"][-1].tolist(), floors.tolist())
