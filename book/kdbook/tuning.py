"""Students that choose a temperature on dev images, which they have not trained on.

They have a seed of their own, learn from the initial teacher, and are never reported. Where
validation images choose (``kdbook.protocol``) there are none: the reported students are
judged there. Dev also sets the weights of AdaAlpha and AdaMargin, as in the paper.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from math import isnan
from typing import Annotated, TypeVar

import pandas as pd
from pydantic import Field

from kdbook import tables
from kdbook.families import Family
from kdbook.protocol import protocol
from kdbook.selection import DEV, VALIDATION
from kdbook.settings import FromText, Settings
from kdbook.study import Results as Results
from kdbook.study import Study
from kdbook.tables import KEYS, Member
from kdlib.runs import RunResult, RunSpec

TUNING_SEED = 100
"""Of the first of them."""


class TunedSettings(Settings):
    """Base of the settings of studies that choose a temperature for each method.

    Attributes:
        tuning_seeds: how many seeds choose it where dev images do, 1 to 100; they are not reported.
    """

    tuning_seeds: Annotated[int, Field(ge=1, le=100), FromText] = 1


AnyTuned = TypeVar("AnyTuned", bound=TunedSettings)


class TunedStudy(Study[AnyTuned]):
    """A study with the runs of its members, then those of the students that choose for them."""

    def choosing(self) -> list[Member]:
        """The students that choose the temperatures, where the reported ones may not."""
        families, count = self.study_families(), self.settings.tuning_seeds
        return tuning_members(families, self.family_members, count)

    def runs(self) -> list[RunSpec]:
        """The runs that the study needs: those of ``members``, then those of ``choosing``."""
        return [member.spec for member in (*self.members(), *self.choosing())]

    def parted(self, results: Results) -> tuple[Results, Results]:
        """The results of ``members``, and those of ``choosing``."""
        count = len(self.members())
        return results[:count], results[count:]

    def reported(self, results: Results) -> pd.DataFrame:
        """One row per run of ``members``; see ``kdbook.tables.per_seed``."""
        return tables.per_seed(self.members(), self.parted(results)[0], self.paper)

    def per_seed(self, results: Results) -> pd.DataFrame:
        """``reported`` with what chooses the temperatures.

        Where dev images choose, the column ``dev`` holds what ``choosing`` scores at the row's
        method and temperature.
        """
        return with_scores(self.reported(results), self.choosing(), self.parted(results)[1])

    def per_class(self, results: Results) -> pd.DataFrame:
        """One row per run of ``members`` and class; see ``kdbook.tables.per_class``."""
        return tables.per_class(self.members(), self.parted(results)[0], self.paper)


def tuning_members(
    families: Sequence[Family], members_of: Callable[[Family], Sequence[Member]], count: int
) -> list[Member]:
    """The students that choose for these families: empty where validation does, or nothing can.

    Args:
        families: of the reported students.
        members_of: a family's members in the study. Of them methods with several temperatures have
            something to choose.
        count: seeds that choose.
    """
    first = families[0]
    if protocol(first.profile.dataset).chooses != DEV:
        return []
    taught = [
        member
        for seed in range(TUNING_SEED, TUNING_SEED + count)
        for member in members_of(replace(first, seed=seed, sees_dev=False))
        if not isnan(member.temperature)
    ]
    heats = {(member.method, member.temperature) for member in taught}
    open_ = {method for method, heat in heats if sum(method == other for other, _ in heats) > 1}
    return [member for member in taught if member.method in open_]


def with_scores(
    rows: pd.DataFrame,
    tuning: Sequence[Member],
    results: Results,
    classes: Collection[int] | None = None,
) -> pd.DataFrame:
    """The rows with what chooses their temperature: the column ``dev``, in percent.

    It is the mean accuracy over the classes that have dev images, averaged over the students that
    choose; NaN for a method that has nothing to choose. As long as one of them is not finished
    there is no such column: then nothing chooses.

    Args:
        rows: as ``kdbook.tables.per_seed`` gives them.
        tuning: as ``tuning_members`` gives them.
        results: of these.
        classes: labels that count; by default all.
    """
    done = [result for result in results if result is not None]
    if not tuning or len(done) < len(tuning):
        return rows
    judged = pd.DataFrame(
        [m.key() | {DEV: dev_score(r, classes)} for m, r in zip(tuning, done, strict=True)]
    )
    keys = [name for name in judged if name not in ("seed", DEV)]
    means = judged.groupby(keys, as_index=False)[DEV].agg(lambda v: v.mean(skipna=False))
    return rows.merge(means, on=keys, how="left", validate="many_to_one")


def dev_score(result: RunResult, classes: Collection[int] | None = None) -> float:
    """Mean accuracy in percent over the classes that have dev images; NaN if it diverged."""
    rows = result.class_rows(DEV)
    rows = rows[rows["count"] > 0]
    if classes is not None:
        rows = rows[rows["label"].isin(classes)]
    return 100 * float(rows["accuracy"].mean(skipna=False))


def rescored(
    rows: pd.DataFrame,
    reported: tuple[Sequence[Member], Results],
    tuning: tuple[Sequence[Member], Results],
    classes: Collection[int],
) -> pd.DataFrame:
    """The rows with another criterion: the same images choose, but some classes alone count.

    Args:
        rows: as ``per_seed`` of a study gives them, with its column that chooses.
        reported: members and their results, one per row, in order.
        tuning: the students that choose and their results; empty where validation chooses.
        classes: labels that count.
    """
    if tuning[0]:
        return with_scores(rows.drop(columns=DEV), *tuning, classes)
    judged = [
        m.key() | {VALIDATION: 100 * float(r.accuracy(VALIDATION)[list(classes)].mean())}
        for m, r in zip(*reported, strict=True)
        if r is not None
    ]
    return rows.drop(columns=VALIDATION).merge(pd.DataFrame(judged), on=KEYS)
