"""Runs: specs that name a training, a store that keeps it, and ``execute`` that does it once."""

from kdlib.runs.build import dev_mix, loss_vectors
from kdlib.runs.execute import execute, missing_runs
from kdlib.runs.spec import (
    RESULTS_VERSION,
    AdaptiveMix,
    ConstantMix,
    DataSpec,
    MarginCost,
    NoCost,
    Objective,
    PriorCost,
    RunSpec,
    method_name,
)
from kdlib.runs.store import DamagedRunWarning, RunResult, Store

__all__ = [
    "RESULTS_VERSION",
    "AdaptiveMix",
    "ConstantMix",
    "DamagedRunWarning",
    "DataSpec",
    "MarginCost",
    "NoCost",
    "Objective",
    "PriorCost",
    "RunResult",
    "RunSpec",
    "Store",
    "dev_mix",
    "execute",
    "loss_vectors",
    "method_name",
    "missing_runs",
]
