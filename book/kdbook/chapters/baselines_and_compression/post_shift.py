"""Post-shift: a teacher's classes reweighted on held-out examples, without any new network.

"Robust distillation", appendix D.1: f_y(x) = log(gamma_y p_y(x)), that is logits plus log gamma_y.
How gamma is found is not printed. Here it is exponentiated gradient on the 0-1 errors, as for the
class multipliers, and the best gamma on the way is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd

from kdbook.tables import Member
from kdlib.data import halves
from kdlib.errors import SettingError
from kdlib.runs import RunResult
from kdlib.runs.build import dataset_for
from kdlib.runs.official_test import OFFICIAL_TEST, refuse_official_test

SHIFT = "post shift"
STEP, MOVES = 0.1, 500


@dataclass(frozen=True, eq=False)
class Shifted:
    """A finished run whose logits are shifted; everything else is the run's own.

    Attributes:
        run: as it was trained, or recorded.
        log_gamma: ``[L]``, added to the logits of every example.
    """

    run: RunResult
    log_gamma: np.ndarray

    def __getattr__(self, name: str) -> Any:
        return getattr(self.run, name)

    @property
    def saw_validation(self) -> bool:
        """They fitted the shift."""
        return True

    def accuracy(self, split: str = "test") -> np.ndarray:
        """Accuracy by class ``[L]`` in [0, 1] after the shift."""
        if split == OFFICIAL_TEST:
            refuse_official_test(self.run.spec.data.name, self.saw_validation)
        return recalls(self.run.logits(split) + self.log_gamma, self.run.labels(split))


def recalls(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The share of each class's examples that are right, ``[L]``; NaN for a class without any.

    Args:
        logits: ``[N, L]``.
        labels: ``[N]``, from 0 to L - 1.
    """
    size = logits.shape[1]
    right = np.bincount(labels[logits.argmax(1) == labels], minlength=size)
    counts = np.bincount(labels, minlength=size)
    return np.divide(right, counts, out=np.full(size, np.nan), where=counts > 0)


def fit_log_gamma(
    logits: np.ndarray, labels: np.ndarray, *, step: float = STEP, moves: int = MOVES
) -> np.ndarray:
    """The log gamma ``[L]`` with the best worst class on these examples, of all that were tried.

    The first that is tried is no shift at all, so that none is worse here than no shift. Of equally
    good worst classes the better mean over classes decides.

    Args:
        logits: ``[N, L]``, of validation examples.
        labels: ``[N]``; a class without examples keeps its gamma.
        step: of one move, times the class's error; above 0.
        moves: how many moves; at least 0.

    Returns:
        ``[L]``, of mean 0: a constant added to all changes no decision.

    Raises:
        SettingError: shapes do not fit, there are no examples, or step or moves is out of range.
    """
    _check(logits, labels, step, moves)
    log_gamma = best = np.zeros(logits.shape[1])
    score = (-1.0, -1.0)
    for _ in range(moves + 1):
        found = recalls(logits + log_gamma, labels)
        now = (float(np.nanmin(found)), float(np.nanmean(found)))
        if now > score:
            best, score = log_gamma, now
        log_gamma = log_gamma + step * np.nan_to_num(1 - found)
    return best - best.mean()


def shifted(result: RunResult) -> RunResult:
    """The run after post-shift, with gamma from all its validation examples."""
    log_gamma = fit_log_gamma(result.logits("validation"), result.labels("validation"))
    return cast(RunResult, Shifted(result, log_gamma))


def optimism(members: Sequence[Member], results: Sequence[RunResult]) -> pd.DataFrame:
    """Worst classes where gamma was chosen and where it was not, for each run and two protocols.

    ``test``: gamma from all validation examples, against the test examples (the paper's protocol).
    ``halves``: gamma from one half of the validation examples, against the other; both ways, and
    averaged. There both minima are over equally many examples, and no test example is seen.

    Returns:
        Columns: the keys of a member, protocol, shift (``none`` or ``post shift``), seen, unseen
        and gap (seen minus unseen; worst class, percent and percentage points).
    """
    rows = [
        member.key() | row
        for member, result in zip(members, results, strict=True)
        for row in (*_on_test(result), *_on_halves(result))
    ]
    return pd.DataFrame(rows)


def _on_test(result: RunResult) -> list[dict[str, object]]:
    seen = result.logits("validation"), result.labels("validation")
    unseen = result.logits("test"), result.labels("test")
    return _both("test", [(seen, unseen)])


def _on_halves(result: RunResult) -> list[dict[str, object]]:
    logits, labels = result.logits("validation"), result.labels("validation")
    parts = halves(dataset_for(result.spec).validation)
    rows = [np.isin(result.index("validation"), part.index) for part in parts]
    first, second = ((logits[part], labels[part]) for part in rows)
    return _both("halves", [(first, second), (second, first)])


_Examples = tuple[np.ndarray, np.ndarray]


def _both(protocol: str, pairs: Sequence[tuple[_Examples, _Examples]]) -> list[dict[str, object]]:
    return [
        {"protocol": protocol, "shift": name, **_gap(pairs, fitted)}
        for name, fitted in (("none", False), (SHIFT, True))
    ]


def _gap(pairs: Sequence[tuple[_Examples, _Examples]], fitted: bool) -> dict[str, float]:
    """Worst class where gamma is chosen, where it is not, and the difference; mean of ``pairs``."""
    worst = np.mean([_worst(seen, unseen, fitted) for seen, unseen in pairs], axis=0)
    return {"seen": worst[0], "unseen": worst[1], "gap": worst[0] - worst[1]}


def _worst(seen: _Examples, unseen: _Examples, fitted: bool) -> list[float]:
    shift = fit_log_gamma(*seen) if fitted else np.zeros(seen[0].shape[1])
    return [100 * float(np.nanmin(recalls(x + shift, y))) for x, y in (seen, unseen)]


def _check(logits: np.ndarray, labels: np.ndarray, step: float, moves: int) -> None:
    if logits.ndim != 2 or labels.shape != logits.shape[:1] or not labels.size:
        raise SettingError(
            f"logits {logits.shape} and labels {labels.shape} do not fit: expected [N, L] and [N]"
        )
    if not (step > 0 and moves >= 0):
        raise SettingError(f"step = {step!r}, moves = {moves!r}: step above 0, moves from 0")
