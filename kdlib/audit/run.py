"""The audit itself: from predictions to a report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kdlib.audit import tables
from kdlib.audit.advice import advise, finding, gaps, trust
from kdlib.audit.averages import Averages, class_variances, running_gains
from kdlib.audit.checks import Kind, check_labels, check_scores
from kdlib.audit.findings import lost
from kdlib.audit.gate import decide
from kdlib.audit.inputs import Audited, gather, place_of
from kdlib.audit.limits import Limit
from kdlib.audit.order import Order, class_order
from kdlib.audit.report import Report
from kdlib.audit.rows import split_seeds
from kdlib.audit.verdicts import HARMED, fewest_examples
from kdlib.errors import DataError, SettingError
from kdlib.metrics import PairedGains, paired_gains
from kdlib.metrics.intervals import check_confidence
from kdlib.metrics.paired_gains import joined
from kdlib.validated import is_number

_MANY_TIES = 0.01


def audit(
    labels: Any,
    student: Any,
    *,
    one_hot: Any = None,
    teacher: Any = None,
    baseline: Any = None,
    groups: Any = None,
    cross: Sequence[Sequence[str]] = (),
    class_names: Sequence[str] | None = None,
    train_counts: Any = None,
    dev: tuple[Any, Any] | None = None,
    scores: Kind = "auto",
    confidence: float = 0.95,
    tolerance: float = 1.0,
    seed: int = 0,
    places: Mapping[str, str] | None = None,
) -> Report:
    """Does the student harm classes or groups, how sure is that, and what could be tried?

    The student is compared, on the same examples, with the first that is given of ``baseline``,
    ``one_hot`` and ``teacher``.

    Args:
        labels: True classes ``[N]``; -100 leaves an example out.
        student: Logits or probabilities ``[N, L]`` of the distilled student: an array, a memory
            map, a tensor. Several trainings are a list of such tables, or ``[S, N, L]``, with S at
            least 3.
        one_hot: The same of a student that was trained on the labels alone.
        teacher: The same of the teacher.
        baseline: The same of any other model to compare with, for example the old release.
        groups: A table with one row per example; see ``kdlib.audit.groups.groupings``.
        cross: Lists of its columns whose combinations are groups too.
        class_names: Of the L classes.
        train_counts: Training examples of each class, which say what is rare.
        dev: Labels and the teacher's scores on examples that it was not trained on, for AdaAlpha's
            weights.
        scores: ``logits``, ``probabilities``, or ``auto``, which looks at them.
        confidence: Of intervals; tests are at 1 minus that.
        tolerance: The loss, in points, that the finding calls none.
        seed: Of the bootstrap.
        places: Where each argument is from, for messages.

    Raises:
        DataError: What was given does not fit; the message names field, row and what is allowed.
        SettingError: A setting is out of range, or there is nothing to compare with.
    """
    check_confidence(confidence)
    if not (is_number(tolerance) and 0 <= tolerance <= 100):
        raise SettingError(f"tolerance = {tolerance!r} is not allowed: points from 0 to 100")
    if not (is_number(seed) and seed >= 0 and int(seed) == seed):
        raise SettingError(f"seed = {seed!r} is not allowed: whole numbers, 0 or more")
    given = {
        "labels": labels, "student": student, "one_hot": one_hot, "teacher": teacher,
        "baseline": baseline, "groups": groups, "class_names": class_names,
        "train_counts": train_counts,
    }  # fmt: skip
    where = dict(places or {})
    audited = gather(given, where, cross, scores)
    weights = _trust(where, dev, audited.num_classes, scores)
    return _report(audited, weights, confidence, float(tolerance), int(seed))


def _trust(
    where: Mapping[str, str], dev: Any, num_classes: int, kind: Kind
) -> NDArray[np.float64] | None:
    if dev is None:
        return None
    if not isinstance(dev, tuple | list) or len(dev) != 2:
        raise SettingError("dev is not allowed: expected (labels, the teacher's scores)")
    place = place_of("dev_teacher", where)
    (rows, *others) = split_seeds(place, dev[1])
    if others or rows.shape[1] != num_classes:
        raise DataError(f"{place} has shape {rows.shape}: expected [N, {num_classes}], one seed")
    truth = check_labels(place_of("dev_labels", where), dev[0], num_classes, rows.shape[0])
    return trust(rows, check_scores(place, rows, kind), truth)


def _report(
    audited: Audited,
    weights: NDArray[np.float64] | None,
    confidence: float,
    tolerance: float,
    seed: int,
) -> Report:
    level, order = 1 - confidence, class_order(audited)
    gains = _gains(audited, confidence)
    variances = class_variances(audited.differences, audited.labels, audited.num_classes)
    running = running_gains(gains["class_gains"], variances, order.places, confidence)
    frames = _frames(audited, gains, running, order, level)
    frames["overall"] = tables.overall(
        audited, gains["mean"], running, len(order.places), seed, level
    )
    if weights is not None:
        frames["by_class"]["trust"] = weights
    parts: dict[str, Any] = {
        **gains,
        **frames,
        "balanced": running.at(-1),
        "weights": weights,
        "baseline": audited.baseline,
        "order": order.words,
        "confidence": confidence,
        "examples": len(audited.labels),
        "seeds": gains["mean"].seeds,
    }
    return _judged(parts, _notes(audited, order, gains["mean"].seeds), tolerance)


def _gains(audited: Audited, confidence: float) -> dict[str, Any]:
    """Gains of classes, groups and all examples, and which are large enough to be tested."""
    differences, everyone = audited.differences, np.zeros(len(audited.labels), np.int64)
    classes = paired_gains(differences, audited.labels, audited.num_classes, confidence)
    groups = _group_gains(audited, differences, confidence)
    return {
        "class_gains": classes,
        "group_gains": groups,
        "mean": paired_gains(differences, everyone, 1, confidence),
        "testable_classes": _testable(classes, 1 - confidence),
        "testable_groups": _testable(groups, 1 - confidence),
    }


def _frames(
    audited: Audited, gains: dict[str, Any], running: Averages, order: Order, level: float
) -> dict[str, pd.DataFrame]:
    return {
        "by_class": tables.by_class(
            audited, gains["class_gains"], gains["testable_classes"], level
        ),
        "by_group": _by_group(audited, gains["group_gains"], gains["testable_groups"], level),
        "cumulative": tables.cumulative(audited, running, order.places),
        "buckets": tables.buckets(audited, order.places),
        "confident_errors": tables.confident_errors(audited),
    }


def _judged(parts: dict[str, Any], notes: list[str], tolerance: float) -> Report:
    """The report with its finding, which the gate at the tolerance helps to find."""
    draft = Report(**parts, finding="", advice=[], notes=[])
    frames = {"classes": draft.by_class, "groups": draft.by_group}
    limits = [Limit("worst-class", -tolerance)]
    if draft.group_gains is not None:
        limits.append(Limit("worst-group", -tolerance))
    harmed = {what: lost(frame, HARMED) for what, frame in frames.items()}
    found = finding(harmed, decide(draft, limits), tolerance)
    small = [line for what, frame in frames.items() for line in gaps(frame, what)]
    advice = advise(draft.by_class, draft.weights, found, draft.seeds)
    return Report(**parts, finding=found, advice=advice, notes=small + notes)


def _group_gains(
    audited: Audited, differences: NDArray[np.int8], confidence: float
) -> PairedGains | None:
    if not audited.groups:
        return None
    return joined(
        [
            paired_gains(differences, part.codes, len(part.names), confidence)
            for part in audited.groups
        ]
    )


def _by_group(
    audited: Audited, gains: PairedGains | None, testable: NDArray[np.bool_], level: float
) -> pd.DataFrame:
    if gains is None:
        return pd.DataFrame({"name": [], "verdict": [], "gain": []})
    return tables.by_group(audited, gains, testable, level)


def _testable(gains: PairedGains | None, level: float) -> NDArray[np.bool_]:
    if gains is None:
        return np.zeros(0, bool)
    return gains.count >= fewest_examples(gains.count, level)


def _trained(audited: Audited) -> str:
    """Which trainings there are several of; of a model with one, another might have differed."""
    student, other = (len(audited.models[r].right) for r in ("student", audited.baseline))
    if student == other:
        return f"{student} trainings"
    many, one = ("student", audited.baseline) if student > 1 else (audited.baseline, "student")
    return f"{max(student, other)} trainings of {many}; of {one} there is one"


def _notes(audited: Audited, order: Order, seeds: int) -> list[str]:
    notes = []
    if seeds == 1:
        notes.append(
            "Intervals cover the choice of test examples only: with one training of each model "
            "nothing tells how far another seed would have fallen elsewhere."
        )
    else:
        notes.append(f"Intervals cover the choice of test examples and of the {_trained(audited)}.")
    if audited.ignored:
        notes.append(f"{audited.ignored:,} examples labelled -100 are left out.")
    notes += [
        f"{role}: classes share the largest score in {100 * model.tied:.0f} % of the answers, and "
        "the first of them counts, which favours the first classes: round the scores less."
        for role, model in audited.models.items()
        if model.tied >= _MANY_TIES
    ]
    if order.is_biased:
        notes.append(
            f"Classes are ordered {order.words}: a class that looks bad there is so partly by "
            "chance, which favours the student in the first classes. train_counts avoids it."
        )
    return notes
