"""Does it matter which class is trusted how much? Section 5 of Teacher's pet, Table 4."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from kdbook import tables
from kdbook.chapters.trusting_the_teacher_less import mean_trust as mean_trust
from kdbook.families import Family, Named
from kdbook.settings import TEMPERATURE, FromText, Imbalance, Temperature
from kdbook.settings import Settings as BaseSettings
from kdbook.shelf import BookStore, store_of
from kdbook.study import Results, Study
from kdbook.tables import Member, class_averages, training_logits
from kdlib.losses import soft_label_weights
from kdlib.runs import RunResult, Store
from kdlib.runs.build import dataset_for
from kdlib.runs.vectors import loss_vectors

CONSTANT = "constant α"
"""The twin of AdaAlpha that trusts every class alike."""


class Settings(BaseSettings):
    """What the chapter lets a reader set.

    Attributes:
        imbalance: long-tail ratio, 1 to 1000; ``None``: the profile's.
        temperature: of the teacher's probabilities, 0.05 to 100; the same for all methods.
        share: of the classes that lose the teacher, above 0, below 1; at least one class does.
        alphas: trust of the weighted soft labels in the teacher, each above 0, at most 1; the
            paper does not state it.
    """

    imbalance: Annotated[Imbalance | None, FromText] = None
    temperature: Temperature = TEMPERATURE
    share: Annotated[float, Field(gt=0.0, lt=1.0), FromText] = 0.1
    alphas: Annotated[
        tuple[Annotated[float, Field(gt=0.0, le=1.0)], ...], Field(min_length=1), FromText
    ] = (1.0, 0.5)


def _weights(result: RunResult, store: Store) -> np.ndarray:
    """The teacher's weight in each class ``[L]``."""
    spec, dataset = result.spec, dataset_for(result.spec)
    mix = loss_vectors(spec, dataset, store).mix
    if not spec.objective.weighted_soft_labels:
        return mix.numpy()
    if result.status == "diverged":
        return np.full(len(mix), np.nan)
    assert spec.teacher is not None  # the caller leaves out students without one
    logits, labels = training_logits(result)
    teachers, _ = training_logits(store.finished(spec.teacher))
    weights = soft_label_weights(logits, teachers, labels)
    return mix.numpy() * np.array(class_averages(weights, labels, len(mix)))


def _weighted(alpha: float) -> str:
    return f"weighted labels {alpha:g}"


class Ablations(Study[Settings]):
    """Its runs and their tables."""

    question = "Does it matter which class is trusted how much?"
    Settings = Settings

    def twins(self, store: Store | None = None) -> list[Member]:
        """A student per seed that trusts every class alike: as much as AdaAlpha does on average.

        Its trust is known only when the initial teachers are in the store, as they are once
        ``runs`` has been executed.
        """
        return [
            Member(CONSTANT, f.imbalance, t, f.seed, f.distilled(t, mean_trust(f, t, store)))
            for f in self.study_families()
            for t in (self.settings.temperature,)
        ]

    def per_seed(self, results: Results) -> pd.DataFrame:
        """One row per run; see ``kdbook.tables.per_seed``.

        Args:
            results: of ``runs``, perhaps followed by those of ``twins``.
        """
        return tables.per_seed(self._all_members(results), results)

    def per_class(self, results: Results) -> pd.DataFrame:
        """One row per run and class; see ``kdbook.tables.per_class``. Results as ``per_seed``."""
        return tables.per_class(self._all_members(results), results)

    def trust(self, results: Sequence[RunResult], store: Store | None = None) -> pd.DataFrame:
        """The teacher's weight in every class: method, seed, label, mix (0 to 1).

        Weighted soft labels give every image a weight of its own, which moves during training. For
        them it is alpha times the mean weight of the class's training images, without crops, as
        the finished student would get them; NaN if the training diverged.
        """
        shelf = store or BookStore()
        pieces = [
            pd.DataFrame({"mix": _weights(result, shelf)}).assign(method=m.method, seed=m.seed)
            for m, result in zip(self._all_members(results), results, strict=True)
            if m.spec.teacher is not None
        ]
        return pd.concat(pieces).rename_axis("label").reset_index()

    def _all_members(self, results: Results) -> list[Member]:
        first = self.members()
        read = next((result for result in results if result is not None), None)
        if read is None or len(results) == len(first):
            return first
        return first + self.twins(store_of(read))

    def named_runs(self, family: Family) -> list[Named]:
        """Table 4's four methods, and what they are held against."""
        t = self.settings.temperature
        return [
            *family.plain_three(t),
            ("AdaAlpha", t, family.ada_alpha(t)),
            ("hardest removed", t, family.hardest_removed(t, share=self.settings.share)),
            ("shuffled", t, family.shuffled(t)),
            *((_weighted(a), t, family.weighted_soft_labels(t, a)) for a in self.settings.alphas),
        ]
