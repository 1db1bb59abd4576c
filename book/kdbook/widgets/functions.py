"""What the panels draw, as plain functions of plain values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from kdbook.worst_by_chance import exact_worst, shares, simulated_worst
from kdlib.losses import adaptive_mix, teacher_probabilities


def soft_label_table(
    teacher_logits: Any,
    student_logits: Any,
    label: int,
    class_names: Sequence[str],
    *,
    temperature: float,
    alpha: float,
) -> pd.DataFrame:
    """Soft labels, target, student and gradient of one example (equation 1, Teacher's pet).

    Args:
        teacher_logits: ``[L]``.
        student_logits: ``[L]``.
        label: the true class.
        class_names: ``L`` names.
        temperature: of the teacher, above 0.
        alpha: trust in the teacher, 0 to 1.

    Returns:
        One row per class, with the columns that ``charts.soft_label_bars`` draws.
    """
    teacher = teacher_probabilities(_row(teacher_logits), temperature)[0].numpy()
    student = torch.softmax(_row(student_logits), dim=1)[0].numpy()
    one_hot = np.eye(len(teacher))[label]
    target = (1 - alpha) * one_hot + alpha * teacher
    return pd.DataFrame(
        {
            "label": label,
            "class_index": np.arange(len(teacher)),
            "class_name": list(class_names),
            "teacher": teacher,
            "target": target,
            "student": student,
            "gradient": student - target,
        }
    )


def adaptive_mix_at(logits: Any, labels: Any, temperature: float) -> pd.DataFrame:
    """a_y of equation 3 at a temperature, from dev logits ``[N, L]`` and labels ``[N]``.

    Returns:
        One row per class: ``label`` and ``mean``, the mix in [0, 1].
    """
    scores = torch.as_tensor(np.asarray(logits)).double()
    truth = torch.as_tensor(np.asarray(labels))
    mix = adaptive_mix(teacher_probabilities(scores, temperature), truth, scores.shape[1])
    return pd.DataFrame({"label": np.arange(len(mix)), "mean": mix.numpy()})


def spread_accuracies(classes: int, accuracy: float, spread: float) -> np.ndarray:
    """True accuracies in percent ``[classes]``: even steps from ``accuracy`` down by ``spread``.

    The largest is ``accuracy``, the smallest ``accuracy - spread``, never below 0.
    """
    return np.clip(np.linspace(accuracy, accuracy - spread, classes), 0, 100)


def worst_class_frame(accuracies: Any, images: int, *, repeats: int = 4000) -> pd.DataFrame:
    """Simulated and exact distribution of the worst estimate, ``images`` test images per class.

    Returns:
        The columns that ``charts.worst_class_simulation`` draws; values rarer than 1 in 10,000
        are left out.
    """
    counts = np.full(len(accuracies), images)
    simulated = shares(simulated_worst(accuracies, counts, repeats=repeats))
    exact = exact_worst(accuracies, counts)
    both = pd.concat([simulated.assign(source="simulated"), exact.assign(source="exact")])
    return both[both["probability"] >= 1e-4].reset_index(drop=True)


def _row(logits: Any) -> Tensor:
    return torch.as_tensor(np.asarray(logits)).double()[None]
