"""Predictions whose true gains are known."""

import numpy as np


def predictions(size=4000, num_classes=6, seed=0, harmed=None, loss=0.3):
    """Labels and probabilities of a teacher, a one-hot student and a student.

    The student answers as the one-hot student does, but loses a share ``loss`` of the examples of
    the class ``harmed``.
    """
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, num_classes, size)
    teacher = answers(rng, labels, num_classes, 0.95)
    one_hot = answers(rng, labels, num_classes, 0.85)
    student = one_hot.copy()
    if harmed is not None:
        lost = (labels == harmed) & (rng.random(size) < loss)
        student[lost] = answers(rng, labels[lost], num_classes, 0.0)
    return {"labels": labels, "student": student, "one_hot": one_hot, "teacher": teacher}


def answers(rng, labels, num_classes, accuracy):
    """Probabilities whose largest is the label's in a share ``accuracy`` of the rows."""
    probs = rng.dirichlet(np.ones(num_classes), len(labels))
    wanted = np.where(
        rng.random(len(labels)) < accuracy,
        labels,
        (labels + rng.integers(1, num_classes, len(labels))) % num_classes,
    )
    rows, largest = np.arange(len(labels)), probs.argmax(axis=1)
    probs[rows, largest], probs[rows, wanted] = probs[rows, wanted], probs[rows, largest]
    return probs
