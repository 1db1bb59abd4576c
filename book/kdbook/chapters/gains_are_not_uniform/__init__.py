"""Which classes get the gains of distillation? Section 3.1 of Teacher's pet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import nan
from typing import Annotated

import pandas as pd
from pydantic import Field

from kdbook.families import Family, Named, families
from kdbook.published import published
from kdbook.settings import TEMPERATURE, Alpha, FromText, Imbalance, Temperature
from kdbook.settings import Settings as BaseSettings
from kdbook.study import Study
from kdlib.runs import RunResult

Share = Annotated[float, Field(ge=0.05, le=1.0), FromText]


class Settings(BaseSettings):
    """What the chapter lets a reader set.

    Attributes:
        imbalance: long-tail ratio, 1 to 1000; ``None``: the profile's.
        temperature: of the teacher's probabilities, 0.05 to 100.
        alpha: trust in the teacher, 0 to 1 (equation 1).
        stop_share: share of its epochs after which the early-stopped teacher stops, 0.05 to 1;
            at 1 there is no such teacher, and no student of it.
    """

    imbalance: Annotated[Imbalance | None, FromText] = None
    temperature: Temperature = TEMPERATURE
    alpha: Alpha = 1.0
    stop_share: Share = 0.5


def printed() -> pd.DataFrame:
    """What Teacher's pet prints of ImageNet where a ResNet distils into itself.

    Columns: where, network, mean, worst_10 (distilled minus one-hot in percentage points; NaN
    where nothing is printed). The rows contradict each other. None of them was run here.
    """
    wanted = {"paper": "teachers_pet", "dataset": "imagenet"}
    rows = published(**wanted, method="distillation")
    rows = rows[rows["teacher"] == rows["student"]]
    table = rows[rows["metric"].isin(("delta_mean_accuracy", "delta_worst_10"))]
    table = table[table["table"] != "text"]
    wide = table.pivot(index=["table", "student"], columns="metric", values="value").reset_index()
    wide.columns = pd.Index(["where", "network", "mean", "worst_10"])
    plain = published(**wanted, table="Table 3", method="one_hot").set_index("metric")["value"]
    taught = published(**wanted, table="Table 3", method="distillation").set_index("metric")[
        "value"
    ]
    change = (taught - plain).round(2)
    third = {"where": "Table 3", "network": "resnet50", "mean": change["mean_accuracy"]}
    wide.loc[len(wide)] = third | {"worst_10": change["worst_10"]}
    return wide.sort_values(["where", "network"], ignore_index=True)


class GainsAreNotUniform(Study[Settings]):
    """Its runs and their tables."""

    question = "Which classes get the gains of distillation?"
    Settings = Settings

    def study_families(self) -> Sequence[Family]:
        """One family per seed at the settings' ratio, with teachers that train to the end."""
        return families(self.profile, self.settings.imbalance)

    def stopped(self, family: Family) -> Family:
        """The same family with teachers that stop early (Cho and Hariharan, 2019)."""
        epochs = max(1, round(self.settings.stop_share * family.scale.teachers_recipe.epochs))
        return replace(family, teacher_stops_after=epochs)

    def accuracies(self, results: Sequence[RunResult]) -> pd.DataFrame:
        """One row per run, held-out split, class: method, seed, split, label, accuracy (percent).

        What ``kdbook.chapters.gains_are_not_uniform.orders`` works on.
        """
        pieces = [
            pd.DataFrame({"label": range(len(values)), "accuracy": 100 * values}).assign(
                method=member.method, seed=member.seed, split=split
            )
            for member, result in zip(self.members(), results, strict=True)
            for split in ("validation", "test")
            for values in [result.accuracy(split)]
        ]
        return pd.concat(pieces, ignore_index=True)

    def by_method_and_seed(self, results: Sequence[RunResult]) -> dict[tuple[str, int], RunResult]:
        """The results as ``gain_orders.chosen_by_halves`` takes them: seeds where none diverged."""
        pairs = list(zip(self.members(), results, strict=True))
        diverged = {member.seed for member, result in pairs if result.status == "diverged"}
        return {(m.method, m.seed): result for m, result in pairs if m.seed not in diverged}

    def named_runs(self, family: Family) -> list[Named]:
        """One-hot student, both teachers, and a student distilled from each."""
        warm, alpha = self.settings.temperature, self.settings.alpha
        rows = family.plain_three(warm, alpha)
        if self.settings.stop_share < 1:
            early = self.stopped(family)
            rows.append(("teacher (stopped)", nan, early.teacher()))
            rows.append(("distilled (stopped)", warm, early.distilled(warm, alpha)))
        return rows
