"""How large a margin can a student bear? Section 4.2 of Teacher's pet: AdaMargin.

The formulas are in ``kdbook.chapters.adamargin.theory``; here are the runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import pandas as pd
from pydantic import Field

from kdbook import tables
from kdbook.families import Family, families_at
from kdbook.profiles import profile_of
from kdbook.protocol import reported_split
from kdbook.settings import FromText, Imbalance, Temperature
from kdbook.settings import Settings as BaseSettings
from kdbook.tables import Member
from kdlib.runs import RunResult, RunSpec
from kdlib.training import Recipe

QUESTION = "How large a margin can a student bear?"

Offset = Annotated[float, Field(gt=0.0, le=1.0)]
Rate = Annotated[float, Field(gt=0.0, le=100.0)]

_MOST_SEEDS = 5
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


def study_families(settings: Settings) -> Sequence[Family]:
    """One family a seed at the settings' ratio."""
    profile = profile_of(settings)
    count = min(profile.seeds, _MOST_SEEDS) if settings.seeds is None else settings.seeds
    return families_at(profile.model_copy(update={"seeds": count}), settings.imbalance)


def margin_name(offset: float) -> str:
    """AdaMargin's name in the tables, with its offset."""
    return f"AdaMargin {offset:g}"


def members(settings: Settings) -> list[Member]:
    """Teacher, one-hot, distilled, AdaMargin at every offset, and logit adjustment, for a seed."""
    return [m for family in study_families(settings) for m in _family_members(family, settings)]


def runs(settings: Settings) -> list[RunSpec]:
    """The runs that the study needs, without those of ``hot_members``."""
    return [member.spec for member in members(settings)]


def per_seed(settings: Settings, results: Sequence[RunResult]) -> pd.DataFrame:
    """One row a run; see ``kdbook.tables.per_seed``."""
    return tables.per_seed(members(settings), results)


def per_class(settings: Settings, results: Sequence[RunResult]) -> pd.DataFrame:
    """One row a run and class; see ``kdbook.tables.per_class``."""
    return tables.per_class(members(settings), results)


def hot_members(settings: Settings) -> list[tuple[float, Member]]:
    """Students at other peak rates than the recipe's: where does a training diverge?

    For each rate: distilled, and AdaMargin at the smallest and largest offset, three seeds at
    most. The teachers keep the recipe's rate.
    """
    t = settings.temperature
    return [
        (rate, Member(name, family.imbalance, t, family.seed, hotter(spec, rate)))
        for rate in settings.rates
        for family in study_families(settings)[:_HOT_SEEDS]
        for name, spec in _extremes(family, settings)
    ]


def hot_table(hot: Sequence[tuple[float, Member]], results: Sequence[RunResult]) -> pd.DataFrame:
    """One row a run of ``hot_members``: how it ended.

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


def _extremes(family: Family, settings: Settings) -> list[tuple[str, RunSpec]]:
    t = settings.temperature
    ends = sorted({min(settings.offsets), max(settings.offsets)})
    margins = [(margin_name(offset), family.ada_margin(t, offset)) for offset in ends]
    return [("distilled", family.distilled(t)), *margins]


def _family_members(family: Family, settings: Settings) -> list[Member]:
    t, blind = settings.temperature, float("nan")
    rows = [
        ("teacher", blind, family.teacher()),
        ("one-hot", blind, family.one_hot()),
        ("distilled", t, family.distilled(t)),
        *((margin_name(o), t, family.ada_margin(t, o)) for o in settings.offsets),
    ]
    if settings.logit_adjustment:
        rows.append(("logit-adjusted", blind, family.logit_adjusted()))
        rows.append(("logit-adjusted distilled", t, family.logit_adjusted(t)))
    return [Member(name, family.imbalance, at, family.seed, spec) for name, at, spec in rows]
