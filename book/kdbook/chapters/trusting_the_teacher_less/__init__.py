"""Does trusting the teacher less on rare classes mend them? Section 4.1 of Teacher's pet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from kdbook import tables
from kdbook.families import Family, Named
from kdbook.settings import Alpha, FromText, Imbalance, Temperature
from kdbook.shelf import BookStore
from kdbook.tuning import TunedSettings, TunedStudy
from kdlib.runs import Store, dev_mix


class Settings(TunedSettings):
    """What the chapter lets a reader set.

    Attributes:
        imbalance: long-tail ratio, 1 to 1000; ``None``: the profile's.
        temperatures: of the teacher's probabilities, each 0.05 to 100; distillation and AdaAlpha
            are trained at each.
        alpha: trust of plain distillation in the teacher, 0 to 1.
    """

    imbalance: Annotated[Imbalance | None, FromText] = None
    temperatures: Annotated[tuple[Temperature, ...], Field(min_length=1), FromText] = (1.0, 3.0)
    alpha: Alpha = 1.0


def mean_trust(family: Family, temperature: float, store: Store | None = None) -> float:
    """Mean a_y over the training images, to two digits: how much of the teacher AdaAlpha hears."""
    mix = dev_mix(family.initial_teacher(), temperature, store or BookStore()).numpy()
    return round(float(np.average(mix, weights=tables.training_counts(family.teacher()))), 2)


class TrustingTheTeacherLess(TunedStudy[Settings]):
    """Its runs and their tables."""

    question = "Does trusting the teacher less on rare classes mend them?"
    Settings = Settings

    def trust(self, temperatures: Sequence[float], store: Store | None = None) -> pd.DataFrame:
        """a_y of equation (3), recomputed at each of ``temperatures`` from the stored dev logits.

        Columns: seed, temperature, label, mix. Trains nothing: the study's runs must be there.
        """
        shelf = store or BookStore()
        rows = [
            {"seed": family.seed, "temperature": temperature, "label": label, "mix": float(value)}
            for family in self.study_families()
            for temperature in temperatures
            for label, value in enumerate(dev_mix(family.initial_teacher(), temperature, shelf))
        ]
        return pd.DataFrame(rows)

    def named_runs(self, family: Family) -> list[Named]:
        """Teacher and one-hot, then distilled and AdaAlpha students at every temperature."""
        rows = family.blind_two()
        for t in self.settings.temperatures:
            rows.append(("distilled", t, family.distilled(t, self.settings.alpha)))
            rows.append(("AdaAlpha", t, family.ada_alpha(t)))
        return rows
