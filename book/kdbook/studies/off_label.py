"""How much of what a student is told does not lie on the label: the teacher's share there."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from kdbook.studies import comparisons
from kdlib.losses import teacher_probabilities
from kdlib.runs import RunResult, RunSpec


@cache
def off_label_by_class(teacher: RunSpec, store: Path, temperature: float) -> np.ndarray:
    """Percent of a teacher's probability that lies off the label, mean in each class, ``[L]``.

    Args:
        teacher: a finished run.
        store: the folder that holds it.
        temperature: of its probabilities. They are those on its training images as they are,
            neither cropped nor mirrored.
    """
    logits, labels = comparisons.training_logits(RunResult(teacher, store / teacher.id))
    own = teacher_probabilities(logits, temperature).gather(1, labels[:, None])[:, 0]
    return np.array(comparisons.class_averages(100 * (1 - own), labels, logits.shape[1]))
