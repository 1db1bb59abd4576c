"""How large a margin can a student bear? Section 4.2 of Teacher's pet: AdaMargin.

The formulas are in ``kdbook.chapters.adamargin.theory``; here are the runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Annotated

import pandas as pd
from pydantic import Field

from kdbook.families import Family, Named
from kdbook.protocol import reported_split
from kdbook.settings import FromText, Imbalance, Temperature
from kdbook.settings import Settings as BaseSettings
from kdbook.study import Study
from kdbook.tables import Member
from kdlib.runs import RunResult, RunSpec
from kdlib.training import Recipe

Offset = Annotated[float, Field(gt=0.0, le=1.0)]
Rate = Annotated[float, Field(gt=0.0, le=100.0)]

_HOT_SEEDS = 3


class Settings(BaseSettings):
    """What the chapter lets a reader set.

    Attributes:
        seeds: as in every study; ``None``: the profile's number, but 5 at most.
        imbalance: long-tail ratio, 1 to 1000; ``None``: the profile's.
        temperature: of the teacher's probabilities, 0.05 to 100.
        offsets: smallest a_y of AdaMargin, each above 0, at most 1; 1 is plain distillation.
        logit_adjustment: whether to train the students of Menon et al. (2020) too.
        rates: peak rates in the search for divergence, each above 0, at most 100.
    """

    imbalance: Annotated[Imbalance | None, FromText] = None
    temperature: Temperature = 1.0
    offsets: Annotated[tuple[Offset, ...], Field(min_length=1), FromText] = (
        1e-6, 1e-3, 0.01, 0.1, 0.3,
    )  # fmt: skip
    logit_adjustment: Annotated[bool, FromText] = True
    rates: Annotated[tuple[Rate, ...], FromText] = (3.2, 12.8)


def margin_name(offset: float) -> str:
    """AdaMargin's name in the tables, with its offset."""
    return f"AdaMargin {offset:g}"


def hot_table(hot: Sequence[tuple[float, Member]], results: Sequence[RunResult]) -> pd.DataFrame:
    """One row per run of ``hot_members``: how it ended.

    Columns: rate, method, seed, status, diverged_step (from 0, NaN where it completed), worst
    (the largest mean loss of an epoch), loss (the last epoch's), mean (test accuracy, percent).
    """
    rows = [
        {
            "rate": rate, "method": member.method, "seed": member.seed,
            "status": result.status, "diverged_step": result.diverged_step,
            "worst": result.history["loss"].max(), "loss": _last(result.history["loss"]),
            "mean": 100 * float(result.accuracy(reported_split(result.spec)).mean()),
        }
        for (rate, member), result in zip(hot, results, strict=True)
    ]  # fmt: skip
    return pd.DataFrame(rows).astype({"diverged_step": float})


def hotter(spec: RunSpec, rate: float) -> RunSpec:
    """The same run at another peak rate."""
    recipe = Recipe.parse(**(spec.recipe.model_dump() | {"peak_rate": rate}))
    return spec.model_copy(update={"recipe": recipe})


def _last(losses: pd.Series) -> float:
    """The last epoch's; NaN for a training that did not live to the end of the first."""
    return float(losses.iloc[-1]) if len(losses) else float("nan")


class Margins(Study[Settings]):
    """Its runs and their tables."""

    seeds_by_default = 5
    question = "How large a margin can a student bear?"
    Settings = Settings

    def hot_members(self) -> list[tuple[float, Member]]:
        """Students at other peak rates than the recipe's: where does a training diverge?

        For each rate: distilled, and AdaMargin at the smallest and largest offset, three seeds at
        most. The teachers keep the recipe's rate.
        """
        t = self.settings.temperature
        return [
            (rate, Member(name, family.imbalance, t, family.seed, hotter(spec, rate)))
            for rate in self.settings.rates
            for family in self.study_families()[:_HOT_SEEDS]
            for name, spec in self._extremes(family)
        ]

    def _extremes(self, family: Family) -> list[tuple[str, RunSpec]]:
        t = self.settings.temperature
        ends = sorted({min(self.settings.offsets), max(self.settings.offsets)})
        margins = [(margin_name(offset), family.ada_margin(t, offset)) for offset in ends]
        return [("distilled", family.distilled(t)), *margins]

    def named_runs(self, family: Family) -> list[Named]:
        """Teacher, one-hot, distilled, AdaMargin at every offset, and logit adjustment."""
        t = self.settings.temperature
        rows = family.plain_three(t)
        rows += [(margin_name(o), t, family.ada_margin(t, o)) for o in self.settings.offsets]
        if self.settings.logit_adjustment:
            rows.append(("logit-adjusted", nan, family.logit_adjusted()))
            rows.append(("logit-adjusted distilled", t, family.logit_adjusted(t)))
        return rows
