"""The data frames of a report. Accuracies are in per cent, gains in percentage points."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kdlib.audit.averages import Averages, worst_gains
from kdlib.audit.inputs import Audited
from kdlib.audit.verdicts import corrected, verdicts
from kdlib.metrics import PairedGains

BUCKETS = 10
CONFIDENT = 0.5
"""A teacher is confidently wrong where it gives another class more than this."""


def by_class(audited: Audited, gains: PairedGains, testable: Any, level: float) -> pd.DataFrame:
    """One row per class: examples, accuracy of each model, gain, interval, p-values, verdict."""
    frame = pd.DataFrame({"class": range(audited.num_classes), "name": audited.names})
    if audited.train_counts is not None:
        frame["train_count"] = audited.train_counts
    frame = _with_gains(frame, audited, gains, testable, level, audited.labels)
    teacher = audited.models.get("teacher")
    if teacher is not None and teacher.calibration is not None:
        frame["calibration_error"] = teacher.calibration.error()
        frame["calibration_by_chance"] = teacher.calibration.chance()
    return frame


def by_group(audited: Audited, gains: PairedGains, testable: Any, level: float) -> pd.DataFrame:
    """One row per group, with the columns of ``by_class``."""
    names = [name for part in audited.groups for name in part.names]
    frame = pd.DataFrame({"name": names}, dtype=object)
    accuracy = {
        role: np.concatenate(
            [model.accuracy(part.codes, len(part.names)) for part in audited.groups]
        )
        for role, model in audited.models.items()
    }
    return _columns(frame, accuracy, gains, testable, level)


def _with_gains(
    frame: pd.DataFrame,
    audited: Audited,
    gains: PairedGains,
    testable: Any,
    level: float,
    groups: NDArray[np.int64],
) -> pd.DataFrame:
    accuracy = {role: model.accuracy(groups, len(frame)) for role, model in audited.models.items()}
    return _columns(frame, accuracy, gains, testable, level)


def _columns(
    frame: pd.DataFrame,
    accuracy: dict[str, NDArray[np.float64]],
    gains: PairedGains,
    testable: Any,
    level: float,
) -> pd.DataFrame:
    adjusted = corrected(gains.p_value, testable)
    values: dict[str, Any] = {
        "examples": gains.count,
        **{role: 100 * share for role, share in accuracy.items()},
        "gain": 100 * gains.mean,
        "low": 100 * gains.low,
        "high": 100 * gains.high,
        "p_value": gains.p_value,
        "p_adjusted": adjusted,
        "verdict": verdicts(gains, adjusted, level),
    }
    return frame.assign(**values)


def overall(
    audited: Audited, mean: PairedGains, running: Averages, ordered: int, seed: int, level: float
) -> pd.DataFrame:
    """One row per summary: mean and balanced accuracy, the first fifth of the classes, worst-k.

    Args:
        audited: the examples.
        mean: the gain over all examples, one group.
        running: gains over the k first classes.
        ordered: how many classes have examples.
        seed: of the bootstrap.
        level: 1 minus the confidence.
    """
    new, old = audited.models["student"], audited.models[audited.baseline]
    everyone = np.zeros(len(audited.labels), np.int64)
    shares = [float(model.accuracy(everyone, 1)[0]) for model in (new, old)]
    rows = [("mean", *shares, mean.mean[0], mean.low[0], mean.high[0])]
    classes = [model.accuracy(audited.labels, audited.num_classes) for model in (new, old)]
    balanced = [float(np.nanmean(share)) for share in classes]
    rows.append(("balanced", *balanced, *_last(running)))
    ks = sorted({1, _fifth(ordered)})
    found = worst_gains(new.right, old.right, audited.labels, ks, 1 - level, seed)
    for k, (one, two, low, high) in zip(ks, found, strict=True):
        rows.append((f"worst_{k}", one, two, one - two, low, high))
    columns = ["measure", "student", audited.baseline, "gain", "low", "high"]
    frame = pd.DataFrame(rows, columns=columns)
    frame[columns[1:]] *= 100
    return frame


def _last(running: Averages) -> tuple[float, float, float]:
    return float(running.mean[-1]), float(running.low[-1]), float(running.high[-1])


def _fifth(ordered: int) -> int:
    return max(1, round(ordered / 5))


def cumulative(audited: Audited, running: Averages, order: NDArray[np.int64]) -> pd.DataFrame:
    """One row for each k: the mean gain of the k first classes, in points, with its interval."""
    return pd.DataFrame(
        {
            "k": np.arange(1, len(order) + 1),
            "class": order,
            "name": [audited.names[label] for label in order],
            "gain": 100 * running.mean,
            "low": 100 * running.low,
            "high": 100 * running.high,
        }
    )


def buckets(audited: Audited, order: NDArray[np.int64]) -> pd.DataFrame:
    """One row per bucket of the ordered classes and model: mean margin and log-loss."""
    parts = np.array_split(order, min(BUCKETS, len(order)))
    rows = [
        (number, len(part), role, model.margin[part].mean(), model.log_loss[part].mean())
        for number, part in enumerate(parts, start=1)
        for role, model in audited.models.items()
    ]
    return pd.DataFrame(rows, columns=["bucket", "classes", "model", "margin", "log_loss"])


def confident_errors(audited: Audited) -> pd.DataFrame:
    """One row per class and the other class that the teacher is sure of: how often, how sure."""
    columns = ["name", "taken_for", "examples", "share", "confidence"]
    teacher = audited.models.get("teacher")
    if teacher is None:
        return pd.DataFrame(columns=columns)
    wrong = (teacher.predicted != audited.labels) & (teacher.confidence > CONFIDENT)
    pairs = audited.labels[wrong] * audited.num_classes + teacher.predicted[wrong]
    there, codes = np.unique(pairs, return_inverse=True)
    count = np.bincount(codes, minlength=len(there))
    own, other = there // audited.num_classes, there % audited.num_classes
    sure = np.bincount(codes, teacher.confidence[wrong], len(there)) / np.maximum(count, 1)
    names = np.asarray(audited.names, dtype=object)
    share = 100 * count / audited.counts[own]
    columns_of = (names[own], names[other], count, share, sure)
    frame = pd.DataFrame(dict(zip(columns, columns_of, strict=True)))
    return frame.sort_values(
        ["share", "examples"], ascending=False, ignore_index=True, kind="stable"
    )
