"""How much of a log-loss is a wrong temperature? One temperature a network, fitted afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar

from kdbook.tables import Member
from kdlib.metrics import log_loss
from kdlib.runs import RunResult

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
