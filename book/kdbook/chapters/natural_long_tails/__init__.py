"""Do long tails that nobody made show the same? Appendix C.1 and Table 3 of Teacher's pet.

At ``paper`` it trains on ImageNet, ImageNet-LT or iNaturalist 2018, which must lie below
``KDLIB_DATA``. At ``quick`` and ``standard`` the same code trains on the long tail of the profile,
which is made by taking images away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan
from typing import Annotated, Literal, Self

import pandas as pd
from pydantic import Field, model_validator

from kdbook import tables
from kdbook.chapters.natural_long_tails.tails import tail_measures
from kdbook.compare import over_seeds
from kdbook.families import Family, Named, families
from kdbook.profiles import LARGE_PROFILES, Profile, profile_of
from kdbook.protocol import reported_split
from kdbook.settings import TEMPERATURE, Alpha, FromText, Temperature
from kdbook.settings import Settings as BaseSettings
from kdbook.study import Study
from kdbook.tables import KEYS
from kdlib.metrics import POINTS, holm
from kdlib.runs import RunResult

LargeSet = Literal["imagenet", "imagenet_lt", "inaturalist2018"]

_MARGIN_TEMPERATURE = 1.0
_KEPT = ["mean", "rarest", "validation", "status", "run"]


class Settings(BaseSettings):
    """What the chapter lets a reader set.

    Attributes:
        dataset: at the profile ``paper``, which of the paper's large sets; by default iNaturalist
            2018. The other profiles have their own.
        temperature: of the teacher's probabilities, 0.05 to 100; by default 0.9 at ``paper``, as in
            Appendix B, and elsewhere 3, as in the chapter on AdaAlpha, but 1 for AdaMargin.
        alpha: trust of plain distillation, 0 to 1; by default 0.2 at ``paper`` and 1 elsewhere.
        offset: smallest weight of AdaMargin, above 0, at most 1; the paper does not say.
    """

    dataset: Annotated[LargeSet | None, FromText] = None
    temperature: Annotated[Temperature | None, FromText] = None
    alpha: Annotated[Alpha | None, FromText] = None
    offset: Annotated[float, Field(gt=0, le=1), FromText] = 0.01

    @model_validator(mode="after")
    def _has_the_images(self) -> Self:
        if self.dataset is not None and self.profile != "paper":
            raise ValueError(
                f"dataset = {self.dataset!r} needs the profile paper: {self.profile} has its own"
            )
        return self


def against_one_hot(table: pd.DataFrame, wanted: Mapping[str, str]) -> pd.DataFrame:
    """Every other method minus the one-hot student of its seed, for several measures.

    Args:
        table: rows of ``per_seed``.
        wanted: columns of ``table``, and their names.

    Returns:
        One row per measure and method: ``measure`` (its name), ``method``, ``mean``, ``low``,
        ``high`` (percentage points), ``seeds``, ``p`` (of the paired t-test) and ``p_holm``:
        corrected by Holm's procedure for all rows.
    """
    rows = []
    for column, name in wanted.items():
        wide = table.pivot(index="seed", columns="method", values=column)
        for method in [m for m in table["method"].unique() if m != "one-hot"]:
            gaps = (wide[method] - wide["one-hot"]).to_numpy()
            rows.append({"measure": name, "method": method} | over_seeds(gaps, POINTS))
    found = pd.DataFrame(rows)
    return found.assign(p_holm=holm(found["p"]))


def tail_sizes(num_classes: int) -> tuple[int, ...]:
    """The k of the tables: 1, a fifth of the classes, and of 10, 20 and 100 what there is."""
    fifth = max(1, round(0.2 * num_classes))
    return tuple(sorted({1, fifth, *(k for k in (10, 20, 100) if k < num_classes)}))


def _tails(result: RunResult) -> dict[str, float]:
    accuracy = 100 * result.accuracy(reported_split(result.spec))
    return {
        f"{name}_{k}": value
        for k in tail_sizes(len(accuracy))
        for name, value in tail_measures(accuracy, k).items()
    }


class NaturalLongTails(Study[Settings]):
    """Its runs and their tables."""

    question = "Do long tails that nobody made show the same?"
    Settings = Settings

    def study_profile(self) -> Profile:
        """The scale: the profile's own, and at ``paper`` that of the large set."""
        if self.settings.profile != "paper":
            return self.profile
        return profile_of(self.settings, LARGE_PROFILES[self.settings.dataset or "inaturalist2018"])

    def teaching(self) -> tuple[float, float]:
        """Temperature and alpha."""
        temperature, alpha = (0.9, 0.2) if self.settings.profile == "paper" else (TEMPERATURE, 1.0)
        return (
            temperature if self.settings.temperature is None else self.settings.temperature,
            alpha if self.settings.alpha is None else self.settings.alpha,
        )

    def margin_temperature(self) -> float:
        """AdaMargin's: where none is set, what the study ``results`` chose on validation images."""
        own = self.settings.temperature is None and self.settings.profile != "paper"
        return _MARGIN_TEMPERATURE if own else self.teaching()[0]

    def per_seed(self, results: Sequence[RunResult | None]) -> pd.DataFrame:
        """One row per run: its key, and its test accuracies in percent.

        ``mean`` is the mean over classes. For every k of ``tail_sizes`` there are ``worst_k``,
        ``top_k`` and ``delta_k``, which is the mean minus worst-k. The other columns are as in
        ``kdbook.tables.per_seed``.
        """
        table = tables.per_seed(self.members(), results)
        tails = [_tails(result) for result in results if result is not None]
        kept = [*KEYS, *(name for name in _KEPT if name in table)]
        return pd.concat([table[kept], pd.DataFrame(tails)], axis=1)

    def study_families(self) -> Sequence[Family]:
        """One family per seed."""
        return families(self.study_profile())

    def named_runs(self, family: Family) -> list[Named]:
        """The four students of Table 6."""
        (heat, alpha), margin = self.teaching(), self.margin_temperature()
        return [
            ("one-hot", nan, family.one_hot()),
            ("distilled", heat, family.distilled(heat, alpha)),
            ("AdaMargin", margin, family.ada_margin(margin, self.settings.offset)),
            ("AdaAlpha", heat, family.ada_alpha(heat)),
        ]
