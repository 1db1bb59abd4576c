"""Which of the teacher's mistakes does a student repeat? Section 3.6 of Teacher's pet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import softmax

from kdbook.tables import Member
from kdlib.metrics import log_loss, margin
from kdlib.runs import RunResult

CONFIDENT = 0.8
"""A wrong teacher is confident where its guess has at least this probability, at temperature 1."""

TRANSFER = {
    "repeated": "teacher's mistakes repeated (%)",
    "repeated_confident": "its confident mistakes repeated (%)",
    "corrected": "its mistakes corrected (%)",
    "belief": "probability of its wrong class (%)",
    "belief_fitted": "the same, fitted temperature (%)",
    "correlation": "correlation of margins",
}
"""The columns of ``transfer`` that measure it, in words."""


def transfer(
    members: Sequence[Member], results: Sequence[RunResult], *, students_only: bool = True
) -> pd.DataFrame:
    """How much of the teacher's mistakes on the test images each student shares, seed by seed.

    Hard images mislead every network. So compare a student with the one-hot student of its seed.

    Args:
        members: with a ``teacher`` in every seed.
        results: one per member.
        students_only: leave out the teachers; a teacher repeats all of its own mistakes.

    Returns:
        One row per student and seed: method, temperature, imbalance, seed, ``mistakes`` and
        ``confident`` (numbers of test images), and the columns of ``TRANSFER``: of the teacher's
        mistakes (and of its confident ones), the percentage on which the student gives the same
        wrong class; the percentage on which it is right; its mean probability of the teacher's
        wrong class in percent, at temperature 1 and at the temperature that fits its validation
        images; and Pearson's correlation of the two margins over all test images.
        NaN where a run diverged, or where there are no such mistakes.
    """
    rows = [
        {name: getattr(m, name) for name in ("method", "temperature", "imbalance", "seed")}
        | _shared(taught_by, r)
        for seed, students in _by_seed(members, results).items()
        for taught_by in [_teacher(students)]
        for m, r in students
        if not (students_only and m.method.endswith("teacher"))
    ]
    return pd.DataFrame(rows)


def most_confident(teacher: RunResult, count: int) -> np.ndarray:
    """Positions in the test split of the teacher's wrong guesses, the most probable first.

    At most ``count``; fewer where it makes fewer mistakes.
    """
    logits, labels = teacher.logits("test"), teacher.labels("test")
    wrong = np.flatnonzero(logits.argmax(axis=1) != labels)
    confidence = softmax(logits.astype(np.float64), axis=1).max(axis=1)[wrong]
    return wrong[np.argsort(-confidence, kind="stable")[:count]]


def answers(
    results: Mapping[str, RunResult], positions: np.ndarray, class_names: Sequence[str]
) -> pd.DataFrame:
    """What each network says of the test images at ``positions``: ``nine (93 %)``.

    One row per image, with the label, then one column per network; ``diverged`` where one has no
    answer.
    """
    labels = next(iter(results.values())).labels("test")[positions]
    columns = {name: _words(r, positions, class_names) for name, r in results.items()}
    return pd.DataFrame({"label": [class_names[label] for label in labels], **columns}, positions)


def _by_seed(
    members: Sequence[Member], results: Sequence[RunResult]
) -> dict[int, list[tuple[Member, RunResult]]]:
    groups: dict[int, list[tuple[Member, RunResult]]] = {}
    for member, result in zip(members, results, strict=True):
        groups.setdefault(member.seed, []).append((member, result))
    return groups


def _teacher(group: Sequence[tuple[Member, RunResult]]) -> RunResult:
    return next(result for member, result in group if member.method == "teacher")


def _shared(teacher: RunResult, student: RunResult) -> dict[str, float]:
    if "diverged" in (teacher.status, student.status):
        return dict.fromkeys(("mistakes", "confident", *TRANSFER), float("nan"))
    temperature = fitted_temperature(student.logits("validation"), student.labels("validation"))
    taught, logits, labels = (
        teacher.logits("test"),
        student.logits("test"),
        teacher.labels("test"),
    )
    fitted = shared_mistakes(taught, logits / temperature, labels)
    return shared_mistakes(taught, logits, labels) | {"belief_fitted": fitted["belief"]}


def shared_mistakes(
    teacher_logits: np.ndarray, student_logits: np.ndarray, labels: np.ndarray
) -> dict[str, float]:
    """The numbers of ``transfer`` (but ``belief_fitted``) for two networks on the same images.

    Args:
        teacher_logits: ``[N, L]``.
        student_logits: ``[N, L]``.
        labels: ``[N]``.
    """
    believed = softmax(teacher_logits.astype(np.float64), axis=1)
    probs = softmax(student_logits.astype(np.float64), axis=1)
    said, guess = believed.argmax(axis=1), probs.argmax(axis=1)
    wrong = said != labels
    sure = wrong & (believed.max(axis=1) >= CONFIDENT)
    same = guess == said
    margins = margin(teacher_logits, labels), margin(student_logits, labels)
    return {
        "mistakes": int(wrong.sum()),
        "confident": int(sure.sum()),
        "repeated": _percent(same[wrong]),
        "repeated_confident": _percent(same[sure]),
        "corrected": _percent((guess == labels)[wrong]),
        "belief": _percent(probs[np.arange(len(labels)), said][wrong]),
        "correlation": float(np.corrcoef(*margins)[0, 1]),
    }


def _percent(values: np.ndarray) -> float:
    return float(100 * values.mean()) if len(values) else float("nan")


def _words(result: RunResult, positions: np.ndarray, names: Sequence[str]) -> list[str]:
    if result.status == "diverged":
        return ["diverged"] * len(positions)
    probs = softmax(result.logits("test")[positions].astype(np.float64), axis=1)
    guesses = probs.argmax(axis=1)
    return [f"{names[g]} ({p:.0%})" for g, p in zip(guesses, probs.max(axis=1), strict=True)]


_LOG_RANGE = (-4.0, 4.0)


def fitted_temperature(logits: Any, labels: Any) -> float:
    """The temperature that minimises the mean log-loss of ``softmax(logits / temperature)``.

    Temperature scaling (Guo et al. 2017). Dividing the logits by one number changes no prediction.

    Args:
        logits: ``[N, L]`` on images that trained nothing.
        labels: ``[N]``.

    Returns:
        From exp(-4) to exp(4). Above 1: the network is too sure of itself.
    """
    scores = np.asarray(logits, dtype=np.float64)

    def loss(log_temperature: float) -> float:
        return float(log_loss(scores / np.exp(log_temperature), labels).mean())

    return float(np.exp(minimize_scalar(loss, bounds=_LOG_RANGE, method="bounded").x))


def rescaled_log_loss(members: Sequence[Member], results: Sequence[RunResult]) -> pd.DataFrame:
    """Test log-loss of each run as it is, and with the temperature fitted on validation.

    Columns: method, temperature, imbalance, seed, fitted, raw, rescaled (nats; means over the test
    images, which are balanced). NaN where a run diverged.
    """
    pairs = zip(members, results, strict=True)
    return pd.DataFrame([{**m.key(), **_losses(r)} for m, r in pairs])


def _losses(result: RunResult) -> dict[str, float]:
    if result.status == "diverged":
        return dict.fromkeys(("fitted", "raw", "rescaled"), float("nan"))
    fitted = fitted_temperature(result.logits("validation"), result.labels("validation"))
    logits, labels = result.logits("test").astype(np.float64), result.labels("test")
    raw, rescaled = (float(log_loss(logits / t, labels).mean()) for t in (1.0, fitted))
    return {"fitted": fitted, "raw": raw, "rescaled": rescaled}
