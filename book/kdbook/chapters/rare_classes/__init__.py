"""Do rare classes pay for distillation? Section 3.4 of Teacher's pet: the long tail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from kdbook import compare, tables
from kdbook.families import Family, families
from kdbook.profiles import profile_of
from kdbook.protocol import reported_split
from kdbook.settings import TEMPERATURE, Alpha, FromText, Imbalance, Temperature
from kdbook.settings import Settings as BaseSettings
from kdbook.tables import Member
from kdlib.metrics import POINTS
from kdlib.runs import RunResult, RunSpec

Ratios = Annotated[tuple[Imbalance, ...], Field(min_length=1)]

QUESTION = "Do rare classes pay for distillation?"


class Settings(BaseSettings):
    """What the chapter lets a reader set.

    Attributes:
        imbalances: long-tail ratios to sweep, each from 1 to 1000; ``None``: the profile's.
        temperature: of the teacher's probabilities, 0.05 to 100.
        alpha: trust in the teacher, 0 to 1 (equation 1).
    """

    imbalances: Annotated[Ratios | None, FromText] = None
    temperature: Temperature = TEMPERATURE
    alpha: Alpha = 1.0


def ratios(settings: Settings) -> tuple[float, ...]:
    """The swept imbalance ratios, ascending, each once."""
    return tuple(sorted(set(settings.imbalances or profile_of(settings).imbalances)))


def members(settings: Settings) -> list[Member]:
    """One-hot and distilled students, and their teachers, at every ratio and seed."""
    profile = profile_of(settings)
    return [
        member
        for ratio in ratios(settings)
        for family in families(profile, ratio)
        for member in _family_members(family, settings)
    ]


def runs(settings: Settings) -> list[RunSpec]:
    """The runs that the study needs."""
    return [member.spec for member in members(settings)]


def per_seed(settings: Settings, results: Sequence[RunResult]) -> pd.DataFrame:
    """One row a run; see ``kdbook.tables.per_seed``."""
    return tables.per_seed(members(settings), results)


def per_class(settings: Settings, results: Sequence[RunResult]) -> pd.DataFrame:
    """One row a run and class; see ``kdbook.tables.per_class``."""
    return tables.per_class(members(settings), results)


def main_ratio(settings: Settings) -> float:
    """The profile's ratio where it is swept, else the largest that is."""
    main, swept = profile_of(settings).imbalance, ratios(settings)
    return main if main in swept else swept[-1]


def figure_one_members(settings: Settings) -> list[Member]:
    """One-hot, distilled and AdaAlpha students at the main ratio."""
    found = []
    for family in families(profile_of(settings), main_ratio(settings)):
        plain, *taught = _family_members(family, settings)[1:]
        t = settings.temperature
        ada = Member("AdaAlpha", family.imbalance, t, family.seed, family.ada_alpha(t))
        found += [plain, *taught, ada]
    return found


def figure_one(settings: Settings, results: Sequence[RunResult]) -> pd.DataFrame:
    """Figure 1 of Teacher's pet: the change to the one-hot student, in the mean and in the tail.

    Args:
        settings: of the study.
        results: of the runs of ``figure_one_members``.

    Returns:
        One row a subgroup and method: ``group`` (average; the rarest tenth of the classes by
        training count; the tenth that is worst for each student itself), ``method``, mean, low,
        high (percentage points of test accuracy, paired by seed, 95 % t-interval), seeds.
    """
    rows = [
        {"method": m.method, "temperature": m.temperature, "imbalance": m.imbalance,
         "seed": m.seed, **_subgroups(100 * r.accuracy(reported_split(m.spec)))}
        for m, r in zip(figure_one_members(settings), results, strict=True)
    ]  # fmt: skip
    table = pd.DataFrame(rows)
    groups = [name for name in table.columns if name not in tables.KEYS]
    found = [
        compare.paired_differences(table, group, "one-hot", scale=POINTS).assign(group=group)
        for group in groups
    ]
    kept = ["group", "method", "mean", "low", "high", "seeds"]
    return pd.concat(found, ignore_index=True)[kept]


def _subgroups(accuracy: np.ndarray) -> dict[str, float]:
    """Classes are numbered from the most to the least frequent."""
    tenth = max(1, round(0.1 * len(accuracy)))
    one = tenth == 1
    return {
        "average": float(accuracy.mean()),
        "rarest class" if one else f"rarest {tenth} classes": float(accuracy[-tenth:].mean()),
        "worst class" if one else f"worst {tenth} classes": float(np.sort(accuracy)[:tenth].mean()),
    }


def _family_members(family: Family, settings: Settings) -> list[Member]:
    temperature = settings.temperature
    named: list[tuple[str, float, RunSpec]] = [
        ("teacher", float("nan"), family.teacher()),
        ("one-hot", float("nan"), family.one_hot()),
        ("distilled", temperature, family.distilled(temperature, settings.alpha)),
    ]
    return [Member(name, family.imbalance, t, family.seed, spec) for name, t, spec in named]
