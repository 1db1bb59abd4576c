"""Is the best teacher the best calibrated one? Section 4 of "Robust distillation", on images.

True class probabilities are not known there. An ensemble of networks that were trained on balanced
data stands in for them: a plug-in estimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Annotated

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from torch.nn.functional import cross_entropy

from kdbook import tables
from kdbook.compare import over_seeds
from kdbook.families import Family, Named
from kdbook.profiles import robust_profile
from kdbook.robust_families import OBJECTIVES, RobustFamily, objective_name
from kdbook.settings import FromText, RobustSettings
from kdbook.study import Study
from kdbook.tables import Member, training_counts
from kdlib.metrics import SIGNED, class_calibration_error
from kdlib.runs import RunResult, RunSpec

_SEEDS_AT_QUICK = 5
_TEMPERATURES = np.geomspace(0.25, 4, 41)


class Settings(RobustSettings):
    """What the chapter lets a reader set; ``seeds`` is 5 at ``quick`` where it is not given.

    Attributes:
        ensemble: networks behind the plug-in estimate of the true probabilities, 2 to 100.
    """

    ensemble: Annotated[int, Field(ge=2, le=100), FromText] = 8


def balanced_probabilities(ensemble: Sequence[RunResult]) -> np.ndarray:
    """What the ensemble says of the test images, were all classes equally frequent: ``[N, L]``.

    The mean of its probabilities, at the temperature with the least log-loss on validation.
    """
    labels = torch.from_numpy(ensemble[0].labels("validation"))
    held_out = [torch.from_numpy(r.logits("validation")).double() for r in ensemble]
    heat = min(_TEMPERATURES, key=lambda t: float(_log_loss(held_out, labels, t)))
    test = [torch.from_numpy(r.logits("test")).double() for r in ensemble]
    return np.asarray(_mean_probs(test, heat).numpy())


def under_prior(balanced: np.ndarray, prior: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The same probabilities where classes are as frequent as ``prior`` says, and the points' mass.

    By Bayes' rule eta_y is proportional to ``prior_y * balanced_y``. A point is as frequent under
    the prior, against its frequency under equal classes, as the sum of these says.

    Args:
        balanced: ``[N, L]``, each row sums to 1.
        prior: ``[L]``, sums to 1.

    Returns:
        eta ``[N, L]`` and mass ``[N]``, which sums to 1.
    """
    joint = balanced * prior
    density = joint.sum(axis=1)
    return joint / density[:, None], density / density.sum()


def calibration_errors(result: RunResult, balanced: np.ndarray) -> np.ndarray:
    """A teacher's calibration error by class ``[L]`` against the plug-in truth, on test images."""
    counts = training_counts(result.spec).astype(float)
    eta, mass = under_prior(balanced, counts / counts.sum())
    probs = torch.softmax(torch.from_numpy(result.logits("test")).double(), dim=1).numpy()
    return class_calibration_error(probs, eta, mass)


def agreement(errors: pd.DataFrame, of_students: pd.DataFrame) -> dict[str, float]:
    """Rank correlation, within a seed, of teachers' largest error and their students' worst class.

    Spearman's over the three teachers of each seed, then mean and 95 % t-interval over seeds.
    Below 0: the better calibrated the teacher, the better the worst class.
    """
    largest = errors.groupby(["method", "seed"])["calibration_error"].max().reset_index()
    largest["teacher"] = largest["method"].str.removeprefix("teacher ")
    worst = of_students.assign(teacher=of_students["method"].str.split(" / ").str[0])
    both = largest.merge(worst[["teacher", "seed", "worst_1"]], on=["teacher", "seed"])
    ranks = [
        group["calibration_error"].corr(group["worst_1"], method="spearman")
        for _, group in both.groupby("seed")
    ]
    return over_seeds([float(rank) for rank in ranks], SIGNED)


def _teaches(member: Member) -> bool:
    return member.method.startswith("teacher")


def _rows(member: Member, result: RunResult, truth: np.ndarray) -> pd.DataFrame:
    errors = calibration_errors(result, truth)
    return pd.DataFrame(
        {
            **member.key(),
            "label": range(len(errors)),
            "calibration_error": errors,
            "status": result.status,
            "run": member.spec.id,
        }
    )


def _mean_probs(logits: Sequence[torch.Tensor], temperature: float) -> torch.Tensor:
    return torch.stack([torch.softmax(each / temperature, dim=1) for each in logits]).mean(dim=0)


def _log_loss(
    logits: Sequence[torch.Tensor], labels: torch.Tensor, temperature: float
) -> torch.Tensor:
    return cross_entropy(_mean_probs(logits, temperature).log(), labels)


class TeacherCalibration(Study[Settings]):
    """Its runs and their tables."""

    seeds_by_default = _SEEDS_AT_QUICK
    question = "Is the best teacher of a robust student the best calibrated one?"
    Settings = Settings

    def named_runs(self, family: RobustFamily) -> list[Named]:
        """Teachers of each objective, and the robust student of each."""
        teachers = [(f"teacher {objective_name(t)}", nan, family.teacher(t)) for t in OBJECTIVES]
        taught = [(f"{objective_name(t)} / rob-d", 1.0, family.student(t, 1.0)) for t in OBJECTIVES]
        return teachers + taught

    def runs(self) -> list[RunSpec]:
        """The runs of the members, then those of the ensemble."""
        return [*(member.spec for member in self.members()), *self.ensemble_runs()]

    def ensemble_runs(self) -> list[RunSpec]:
        """One-hot students on balanced data, trained as at ratio 1, one per seed."""
        profile = robust_profile(self.settings.model_copy(update={"imbalance": 1.0}))
        return [Family(profile, 1.0, seed).one_hot() for seed in range(self.settings.ensemble)]

    def per_seed(self, results: Sequence[RunResult | None]) -> pd.DataFrame:
        """One row per teacher and class: its key, label, calibration_error, status, run.

        The error is that of Theorem 2, from 0 to 2, on the test images.
        """
        done = [result for result in results[-self.settings.ensemble :] if result is not None]
        truth = balanced_probabilities(done)
        pairs = zip(self.members(), results[: -self.settings.ensemble], strict=True)
        teachers = [(m, r) for m, r in pairs if r is not None and _teaches(m)]
        return pd.concat([_rows(m, r, truth) for m, r in teachers], ignore_index=True)

    def students(self, results: Sequence[RunResult]) -> pd.DataFrame:
        """One row per robust student; see ``kdbook.tables.per_seed``."""
        pairs = zip(self.members(), results[: -self.settings.ensemble], strict=True)
        kept = [(m, r) for m, r in pairs if not _teaches(m)]
        return tables.per_seed([m for m, _ in kept], [r for _, r in kept], "robust_distillation")

    def noise_floor(self, ensemble: Sequence[RunResult]) -> float:
        """The largest error of a class that half of the ensemble has, taken for a teacher.

        The other half is the truth. Half an ensemble is noisier than the whole; what all of its
        networks get wrong alike is not in this number.
        """
        halves = [balanced_probabilities(ensemble[start::2]) for start in (0, 1)]
        counts = training_counts(self.members()[0].spec).astype(float)
        (one, _), (two, mass) = (under_prior(half, counts / counts.sum()) for half in halves)
        return float(class_calibration_error(one, two, mass).max())
