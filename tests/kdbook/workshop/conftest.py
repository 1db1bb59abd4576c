"""A small made-up file of logits, so that no test of a notebook trains."""

import numpy as np
import pytest

from kdbook.workshop.logits import FILE, INITIAL, SPLITS, Logits, write_logits

METHODS = (
    "teacher", "one-hot", "distilled, T = 1", "AdaAlpha, T = 1", "distilled, T = 3",
    "AdaAlpha, T = 3", INITIAL,
)  # fmt: skip
SEEDS, CLASSES, IMAGES = 4, 10, 8


def made_up(random):
    labels = np.repeat(np.arange(CLASSES), IMAGES)
    strength = np.linspace(5, 1, CLASSES)[labels]
    logits = random.normal(size=(len(labels), CLASSES))
    logits[np.arange(len(labels)), labels] += strength
    return labels, logits.astype(np.float32)


@pytest.fixture(scope="session")
def logits_file(tmp_path_factory):
    random, arrays = np.random.default_rng(0), {}
    for method in METHODS:
        for seed in range(SEEDS):
            for split in SPLITS:
                labels, arrays[f"{method}/{seed}/{split}"] = made_up(random)
                arrays[f"labels/{seed}/{split}"] = labels.astype(np.uint8)
    about = {
        "class_names": [str(c) for c in range(CLASSES)],
        "training_counts": list(range(20, 0, -2)),
        "source": "made up",
    }
    path = tmp_path_factory.mktemp("logits") / FILE
    write_logits(path, arrays, about)
    return path


@pytest.fixture
def logits(logits_file):
    return Logits(logits_file)
