"""Records made by hand, for the tests of records and of the reproduction matrix."""

import numpy as np
import pandas as pd

from kdbook.records import Provenance, Record
from kdlib.training import PRESETS

PAPER_RECIPE = PRESETS["cifar100_lt_paper"].model_dump(mode="json")
MEASURES = ("mean", "worst_1", "worst_10", "rarest", "best_tenth", "validation")


def rows(method, temperature, values, *, imbalance=100.0, validation=50.0, status="completed"):
    """One row per seed; every measure has the seed's value."""
    return [
        {
            "method": method,
            "imbalance": imbalance,
            "temperature": temperature,
            "seed": seed,
            **dict.fromkeys(MEASURES, value),
            "validation": validation,
            "status": "diverged" if np.isnan(value) else status,
            "run": f"{method}-{temperature}-{imbalance}-{seed}",
        }
        for seed, value in enumerate(values)
    ]


def record(table, **changes):
    table = pd.DataFrame(table)
    about = {
        "study": "trusting_the_teacher_less",
        "question": "Does it?",
        "profile": "paper",
        "settings": {},
        "dataset": "cifar100",
        "imbalance": 100.0,
        "model": "ResNet-56",
        "recipe": PAPER_RECIPE,
        "seeds": sorted(set(table["seed"])),
        "missing_runs": 0,
        "devices": ("a GPU",),
        "versions": {"torch": ("2.13.0",)},
        "commits": ("abc",),
        "results_version": 1,
        "trained": ("2026-01-01", "2026-01-02"),
        "recorded": "2026-01-03",
        "columns": tuple(table.columns),
        "runs": dict(zip(table["run"], table["status"], strict=True)) if "run" in table else {},
        "splits": {"test": "00ff"},
    }
    return Record(Provenance(**(about | changes)), table)
