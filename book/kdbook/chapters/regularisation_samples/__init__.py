"""Are the rare classes full of regularisation samples? Appendix C.4 of Teacher's pet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import pandas as pd
import torch
from pydantic import Field
from torch import Tensor

from kdbook import tables
from kdbook.compare import bucket_of
from kdbook.settings import TEMPERATURE, Alpha, FromText, Imbalance, Temperature
from kdbook.settings import Settings as BaseSettings
from kdbook.study import Study
from kdbook.tables import training_logits
from kdlib.losses import teacher_probabilities
from kdlib.runs import RunResult

SPLITS = ("training", "test")


class Settings(BaseSettings):
    """What the chapter lets a reader set.

    Attributes:
        imbalance: long-tail ratio, 1 to 1000; ``None``: the profile's.
        temperature: of the teacher's probabilities that taught the student, 0.05 to 100.
        alpha: trust in the teacher, 0 to 1.
        buckets: buckets of classes, most frequent first, 1 to 1000; at most the number of classes.
    """

    imbalance: Annotated[Imbalance | None, FromText] = None
    temperature: Temperature = TEMPERATURE
    alpha: Alpha = 1.0
    buckets: Annotated[int, Field(ge=1, le=1000), FromText] = 10


def is_regularisation_sample(
    logits: Tensor, teacher_logits: Tensor, labels: Tensor, temperature: float = 1.0
) -> Tensor:
    """Where the teacher gives the label less probability than the student (Zhou et al. 2021).

    Args:
        logits: the distilled student's ``[N, L]``, at temperature 1.
        teacher_logits: ``[N, L]``.
        labels: ``[N]``.
        temperature: of the teacher's probabilities.

    Returns:
        Booleans ``[N]``.
    """
    student, teacher = (
        _of_label(logits, labels, 1.0),
        _of_label(teacher_logits, labels, temperature),
    )
    return teacher < student


def by_bucket(table: pd.DataFrame, buckets: int) -> pd.DataFrame:
    """Shares and mean probabilities in each bucket of classes, most frequent first.

    Args:
        table: from ``examples``.
        buckets: their number; at most one per class is made.

    Returns:
        Columns: seed, temperature, split, bucket (from 1), images, sample (percent), teacher and
        student (mean probabilities).
    """
    if table.empty:
        return pd.DataFrame()
    classes = int(table["place"].max()) + 1
    bucket = bucket_of(classes, min(buckets, classes))
    keys = ["seed", "temperature", "split", "bucket"]
    groups = table.assign(bucket=bucket[table["place"]]).groupby(keys, sort=False)
    means = groups[["sample", "teacher", "student"]].mean()
    means["sample"] *= 100
    return means.assign(images=groups.size()).reset_index()


def _both_completed(found: dict[tuple[str, int], RunResult], seed: int) -> bool:
    pair = [found.get((method, seed)) for method in ("teacher", "distilled")]
    return all(result is not None and result.status == "completed" for result in pair)


def _split_rows(
    teacher: RunResult, student: RunResult, split: str, temperature: float
) -> pd.DataFrame:
    (told, labels), (learnt, _) = _logits(teacher, split), _logits(student, split)
    place = np.argsort(np.argsort(-tables.training_counts(student.spec), kind="stable"))
    sample = is_regularisation_sample(learnt, told, labels, temperature)
    return pd.DataFrame(
        {
            "label": labels.numpy(),
            "place": place[labels.numpy()],
            "teacher": _of_label(told, labels, temperature).numpy(),
            "student": _of_label(learnt, labels, 1.0).numpy(),
            "sample": sample.numpy().astype(float),
        }
    )


def _logits(result: RunResult, split: str) -> tuple[Tensor, Tensor]:
    if split == "training":
        return training_logits(result)
    return torch.from_numpy(result.logits("test")), torch.from_numpy(result.labels("test"))


def _of_label(logits: Tensor, labels: Tensor, temperature: float) -> Tensor:
    """The label's probability, ``[N]``, in float64: near 1 float32 has few steps left."""
    probs = teacher_probabilities(logits.double(), temperature)
    return probs.gather(1, labels[:, None])[:, 0]


def _share(shares: pd.DataFrame, split: str, last: bool) -> pd.Series:
    """Percent of samples by seed, in all buckets or the last."""
    if shares.empty:
        return pd.Series(dtype=float)
    rows = shares[shares["split"] == split]
    if last:
        rows = rows[rows["bucket"] == rows["bucket"].max()]
    counted = (rows["sample"] * rows["images"]).groupby(rows["seed"]).sum()
    return counted / rows["images"].groupby(rows["seed"]).sum()


class RegularisationSamples(Study[Settings]):
    """Its runs and their tables."""

    question = "Do regularisation samples tell which classes distillation harms?"
    Settings = Settings

    def per_seed(self, results: Sequence[RunResult | None]) -> pd.DataFrame:
        """One row per distilled student: ``kdbook.tables.per_seed``, and its samples.

        ``samples_SPLIT`` is the percentage of regularisation samples on that split, at the
        teacher's temperature in training; ``samples_SPLIT_last`` that in the last bucket.
        """
        table = tables.per_seed(self.members(), results)
        table = table[table["method"] == "distilled"].reset_index(drop=True)
        shares = by_bucket(self.examples(results), self.settings.buckets)
        for split in SPLITS:
            table[f"samples_{split}"] = table["seed"].map(_share(shares, split, last=False))
            table[f"samples_{split}_last"] = table["seed"].map(_share(shares, split, last=True))
        return table

    def examples(
        self,
        results: Sequence[RunResult | None],
        temperatures: Sequence[float] | None = None,
    ) -> pd.DataFrame:
        """The label's probability by teacher and distilled student, for every image.

        Args:
            results: of its runs; a seed of which one is missing or diverged is left out.
            temperatures: of the teacher's probabilities; by default the one that taught the
                student.

        Returns:
            Columns: seed, temperature, split (``training``, without crops, or ``test``), label,
            place (of the class, most frequent first, from 0), teacher and student (probabilities),
            sample (0 or 1).
        """
        places = self.members()
        found = {
            (m.method, m.seed): r for m, r in zip(places, results, strict=True) if r is not None
        }
        heats = temperatures or (self.settings.temperature,)
        pieces = [
            _split_rows(found["teacher", seed], found["distilled", seed], split, heat).assign(
                seed=seed, temperature=heat, split=split
            )
            for seed in dict.fromkeys(m.seed for m in places)
            if _both_completed(found, seed)
            for split in SPLITS
            for heat in heats
        ]
        return pd.concat(pieces, ignore_index=True) if pieces else pd.DataFrame()
