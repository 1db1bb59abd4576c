"""Runs: specs that name a training, a store that keeps it, and ``execute`` that does it once."""

from kdlib.runs.execute import execute, missing_runs
from kdlib.runs.official_test import OFFICIAL_TEST
from kdlib.runs.result import RunResult
from kdlib.runs.spec import (
    RESULTS_VERSION,
    AdaptiveMix,
    AveragedRobustCost,
    ConstantMix,
    DataSpec,
    HardestRemovedMix,
    MarginCost,
    NoCost,
    Objective,
    PriorCost,
    RobustCost,
    RunSpec,
    ShuffledMix,
    method_name,
)
from kdlib.runs.store import DamagedRunWarning, Store
from kdlib.runs.vectors import dev_margins, dev_mix, hardest_removed, loss_vectors

__all__ = [
    "AdaptiveMix",
    "ConstantMix",
    "DataSpec",
    "MarginCost",
    "Objective",
    "PriorCost",
    "RobustCost",
    "RunResult",
    "RunSpec",
    "Store",
    "execute",
]
