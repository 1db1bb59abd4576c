"""Where does the teacher err, and does the student err there too? Section 3.6 of Teacher's pet."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from typing import Annotated

import pandas as pd
from pydantic import Field

from kdbook import tables
from kdbook.chapters.where_the_teacher_errs.class_buckets import (
    STATISTICS,
    bucket_statistics,
    class_places,
    class_statistics,
    own_image_statistics,
)
from kdbook.chapters.where_the_teacher_errs.mistakes import transfer
from kdbook.families import Family, Named
from kdbook.settings import TEMPERATURE, Alpha, FromText, Imbalance, Temperature
from kdbook.settings import Settings as BaseSettings
from kdbook.study import Study
from kdbook.tables import Member
from kdlib.runs import RunResult

STUDENTS = ("one-hot", "distilled", "AdaAlpha", "AdaMargin")
TEACHER_VIEWS = {
    "teacher, training": "teacher: training",
    "initial teacher, dev": "initial: dev",
    "initial teacher, test": "initial: test",
    "teacher, test": "teacher: test",
}
"""Which teacher on which images, and its name in charts."""
_KNOWN = ("teacher", "initial teacher")


class Settings(BaseSettings):
    """What the chapter lets a reader set.

    Attributes:
        imbalance: long-tail ratio, 1 to 1000; ``None``: the profile's.
        temperature: of the teacher's probabilities, 0.05 to 100, for all students.
        alpha: trust of plain distillation in the teacher, 0 to 1.
        offset: AdaMargin's smallest a_y, above 0, at most 1.
        buckets: buckets of classes, 1 to 1000; at most the number of classes.
    """

    imbalance: Annotated[Imbalance | None, FromText] = None
    temperature: Temperature = TEMPERATURE
    alpha: Alpha = 1.0
    offset: Annotated[float, Field(gt=0.0, le=1.0), FromText] = 0.01
    buckets: Annotated[int, Field(ge=1, le=1000), FromText] = 10


def agreement(views: pd.DataFrame) -> pd.DataFrame:
    """How well each view foretells the teacher's margin in each class of the test images.

    Args:
        views: from ``by_teacher_and_images``.

    Returns:
        One row per view and seed: method, seed, ``distance`` (mean absolute difference of the class
        margins), ``bias`` (mean difference, above 0 where the view flatters) and ``correlation``
        (Spearman's, over the classes). NaN classes are left out.
    """
    wide = views.pivot(index=["seed", "label"], columns="method", values="margin")
    truth = wide.pop(TEACHER_VIEWS["teacher, test"])
    rows = [
        {
            "method": view,
            "seed": seed,
            "bias": float((margins - truth.loc[seed]).mean()),
            "distance": float((margins - truth.loc[seed]).abs().mean()),
            "correlation": float(margins.corr(truth.loc[seed], method="spearman")),
        }
        for view in TEACHER_VIEWS.values()
        if view in wide
        for seed, margins in ((s, wide.loc[s, view]) for s in truth.index.unique("seed"))
    ]
    return pd.DataFrame(rows)


class WhereTheTeacherErrs(Study[Settings]):
    """Its runs and their tables."""

    question = "Where does the teacher err, and does the student err there too?"
    Settings = Settings

    def per_seed(self, results: Sequence[RunResult | None]) -> pd.DataFrame:
        """One row per run: ``kdbook.tables.per_seed``, with the statistics of the last bucket.

        ``tail_accuracy`` (percent), ``tail_log_loss`` (nats) and ``tail_margin`` are means on test
        over the last of ``settings.buckets`` buckets, sorted by the teacher's accuracy on
        validation. ``repeated`` is the percentage of the teacher's test mistakes that the run
        makes too. A seed whose teacher is not finished has no rows.
        """
        finished = [(m, r) for m, r in zip(self.members(), results, strict=True) if r is not None]
        taught = {m.seed for m, _ in finished if m.method == "teacher"}
        runs_of = [m for m, _ in finished if m.seed in taught]
        found = [r for m, r in finished if m.seed in taught]
        table = tables.per_seed(runs_of, found)
        keys = ["method", "seed"]
        shared = transfer(runs_of, found, students_only=False)[[*keys, "repeated"]]
        return table.merge(self._tail(runs_of, found), on=keys).merge(shared, on=keys)

    def by_class(self, results: Sequence[RunResult]) -> pd.DataFrame:
        """Statistics of each run, held-out split and class: ``class_buckets.class_statistics``."""
        return class_statistics(self.members(), results)

    def by_teacher_and_images(self, results: Sequence[RunResult]) -> pd.DataFrame:
        """The teachers' statistics on their own training images, on dev and on test.

        Columns of ``class_buckets.class_statistics``, with ``method`` naming teacher and images.
        Only the initial teacher has not seen the dev images.
        """
        known = [(m, r) for m, r in zip(self.members(), results, strict=True) if m.method in _KNOWN]
        final = [(m, r) for m, r in known if m.method == "teacher"]
        held_out = class_statistics([m for m, _ in known], [r for _, r in known])
        own = own_image_statistics([m for m, _ in final], [r for _, r in final])
        rows = pd.concat([own, held_out], ignore_index=True)
        rows = rows.assign(method=rows["method"] + ", " + rows["split"])
        return rows[rows["method"].isin(TEACHER_VIEWS)].replace({"method": TEACHER_VIEWS})

    def _tail(self, runs_of: Sequence[Member], found: Sequence[RunResult]) -> pd.DataFrame:
        """The last bucket's statistics, one row per run: method, seed, tail_accuracy, ..."""
        statistics = class_statistics(runs_of, found)
        places = class_places(statistics, "validation")
        number = min(self.settings.buckets, statistics["label"].nunique())
        means = bucket_statistics(statistics[statistics["split"] == "test"], places, number)
        last = means[means["bucket"] == number]
        wide = last.pivot(index=["method", "seed"], columns="statistic", values="value")
        return wide[list(STATISTICS)].add_prefix("tail_").reset_index()

    def named_runs(self, family: Family) -> list[Named]:
        """Both teachers, then one-hot, distilled, AdaAlpha and AdaMargin students."""
        t = self.settings.temperature
        teacher, *students = family.plain_three(t, self.settings.alpha)
        return [
            teacher,
            ("initial teacher", nan, family.initial_teacher()),
            *students,
            ("AdaAlpha", t, family.ada_alpha(t)),
            ("AdaMargin", t, family.ada_margin(t, self.settings.offset)),
        ]
