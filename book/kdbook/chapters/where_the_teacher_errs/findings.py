"""What the chapter says of its runs: sentences and tables for its page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

from kdbook import compare
from kdbook.chapters.where_the_teacher_errs import (
    STUDENTS,
    WhereTheTeacherErrs,
    bucket_words,
    class_buckets,
    mistakes,
)
from kdbook.study import StudyFindings
from kdbook.tables import shown, unbroken
from kdlib import metrics

WORDS = {"accuracy": "accuracy", "log_loss": "log-loss", "margin": "margin"}
PAIRS = [
    ("distilled", "teacher"), ("distilled", "one-hot"),
    ("AdaAlpha", "distilled"), ("AdaMargin", "distilled"),
]  # fmt: skip
_LAST = [("one-hot", "teacher"), ("distilled", "teacher"), ("distilled", "one-hot")]


class Findings(StudyFindings[WhereTheTeacherErrs]):
    """The study's runs, sorted, averaged and counted."""

    @cached_property
    def by_class(self) -> pd.DataFrame:
        """As ``class_buckets.class_statistics``."""
        return self.study.by_class(self.study.results())

    @cached_property
    def test(self) -> pd.DataFrame:
        """Its rows on the test images, without the initial teacher."""
        rows = self.by_class
        return rows[(rows["split"] == "test") & (rows["method"] != "initial teacher")]

    @property
    def buckets(self) -> int:
        """How many there are: at most the classes."""
        return min(self.study.settings.buckets, self.test["label"].nunique())

    def averaged(self, order: str, methods: Sequence[str] = ("teacher", *STUDENTS)) -> pd.DataFrame:
        """Each run's statistics by bucket, sorted by one of ``class_buckets.ORDERS``."""
        places = class_buckets.class_places(self.by_class, order)
        rows = self.test[self.test["method"].isin(methods)]
        return class_buckets.bucket_statistics(rows, places, self.buckets)

    @cached_property
    def fair(self) -> pd.DataFrame:
        """The same, sorted by validation images."""
        return self.averaged("validation")

    @cached_property
    def fair_intervals(self) -> pd.DataFrame:
        """Its means over seeds."""
        return class_buckets.bucket_intervals(self.fair)

    @cached_property
    def gaps(self) -> pd.DataFrame:
        """The differences of ``PAIRS`` in every bucket."""
        return class_buckets.bucket_differences(self.fair, PAIRS)

    @cached_property
    def shared(self) -> pd.DataFrame:
        """As ``mistakes.transfer``, with the correlation in hundredths."""
        rows = mistakes.transfer(self.study.members(), self.study.results())
        return rows.assign(correlation_percent=100 * rows["correlation"])

    @cached_property
    def moved(self) -> pd.DataFrame:
        """Each taught student minus the one-hot one, in each measure of ``TRANSFER``."""
        at = f"T = {self.study.settings.temperature:g}"
        pairs = [(f"{name}, {at}", "one-hot") for name in STUDENTS[1:]]
        return compare.compare(self.shared, pairs, _measures())

    def repeated(self) -> pd.DataFrame:
        """Its rows on the teacher's repeated mistakes, one per student."""
        rows = self.moved[self.moved["measure"] == mistakes.TRANSFER["repeated"]]
        return rows.assign(comparison=STUDENTS[1:])

    def repeats_headline(self) -> str:
        """A chart's title: whether the distilled student repeats more of the mistakes."""
        row = self.repeated().iloc[0]
        said = {"up": "more", "down": "fewer"}.get(compare.verdict(row))
        if said is None:
            return (
                "The distilled student repeats its teacher's mistakes no more clearly than others"
            )
        return f"The distilled student repeats {said} of its teacher's mistakes"

    def lost_answers(self) -> tuple[int, int]:
        """Answers of all seeds that distillation loses, and those that the teacher has right."""
        right = {
            (m.method, m.seed): r.logits("test").argmax(axis=1) == r.labels("test")
            for m, r in zip(self.study.members(), self.study.results(), strict=True)
        }
        seeds = sorted({seed for _, seed in right})
        lost = [right["one-hot", seed] & ~right["distilled", seed] for seed in seeds]
        known = [one & right["teacher", seed] for one, seed in zip(lost, seeds, strict=True)]
        return int(np.sum(lost)), int(np.sum(known))

    def in_short(self) -> str:
        """The chapter's answer in two sentences."""
        change = compare.change(self.repeated().iloc[0])
        lost, known = self.lost_answers()
        return (
            "**In short.** From the one-hot to the distilled student, the share of its teacher's "
            f"mistakes that a student repeats {change}. But of the {lost} right answers that "
            f"distillation loses over all classes and seeds, the teacher itself had {known} right "
            f"({100 * known / max(lost, 1):.0f} %)."
        )

    def mistakes_said(self) -> str:
        """How many mistakes a teacher makes."""
        return (
            f"On average a teacher here makes {self.shared['mistakes'].mean():.0f} mistakes on "
            f"the test images; {self.shared['confident'].mean():.0f} of them are confident, with "
            f"a probability of {100 * mistakes.CONFIDENT:.0f} % or more."
        )

    def shared_table(self) -> Styler:
        """What each student shares of the mistakes, and how the distilled one differs."""
        levels = compare.overview(self.shared, _measures()).T
        rows = self.moved[self.moved["comparison"].str.startswith("distilled")].set_index("measure")
        levels["distilled − one-hot"] = rows["cell"]
        levels.columns = [str(name).partition(",")[0] for name in levels.columns]
        caption = (
            "What a student shares of its teacher's mistakes on test images, means over seeds."
        )
        return shown(levels.rename_axis("measure"), caption)

    def last_bucket(self, order: str) -> pd.Series:
        """Differences of accuracy in the last bucket as text, by comparison."""
        rows = class_buckets.bucket_differences(self.averaged(order), _LAST)
        rows = rows[(rows["bucket"] == self.buckets) & (rows["statistic"] == "accuracy")]
        return bucket_words.cells(rows.drop(columns="holm"))["accuracy"]

    def orders_table(self) -> Styler:
        """The last bucket under each order."""
        columns = {words: self.last_bucket(order) for order, words in class_buckets.ORDERS.items()}
        caption = "Accuracy in the last bucket, percentage points, by what sorts the classes."
        return shown(unbroken(pd.DataFrame(columns)), caption)

    def last_table(self) -> Styler:
        """The last bucket's differences in all three statistics."""
        cells = bucket_words.cells(self.gaps[self.gaps["bucket"] == self.buckets])[list(WORDS)]
        caption = (
            "The last bucket: accuracy in points, log-loss in nats; a star marks a Holm-adjusted "
            "p-value below 0.05."
        )
        return shown(unbroken(cells.rename(columns=WORDS)), caption)

    def directions(self, pair: str, name: str) -> str:
        """In how many buckets a pair differs in a statistic."""
        rows = self.gaps[(self.gaps["comparison"] == pair) & (self.gaps["statistic"] == name)]
        return bucket_words.in_words(rows)

    def directions_table(self) -> Styler:
        """The same for each pair and statistic."""
        pairs = list(self.gaps["comparison"].unique())
        columns = {
            words: [self.directions(p, name) for p in pairs] for name, words in WORDS.items()
        }
        caption = (
            f"Differences within seeds in {self.buckets} buckets; a bucket is decided where its "
            "p-value is below 0.05 after Holm's correction over the buckets."
        )
        return shown(pd.DataFrame(columns, pd.Index(pairs, name="comparison")), caption)

    @cached_property
    def ranges(self) -> pd.DataFrame:
        """Largest minus smallest bucket of each run."""
        return class_buckets.bucket_ranges(self.fair)

    def flatness_table(self) -> Styler:
        """The ranges, means over seeds."""
        rows = compare.with_intervals(
            self.ranges, "value", ["method", "statistic"], metrics.NOT_NEGATIVE
        )
        rows["cell"] = [compare.level(row, digits=2) for _, row in rows.iterrows()]
        cells = rows.pivot(index="method", columns="statistic", values="cell")[list(WORDS)]
        caption = "Largest minus smallest bucket of a run: 0 would be flat. Means over seeds."
        return shown(unbroken(cells.rename(columns=WORDS)), caption)

    def below_zero(self) -> str:
        """In how many buckets the teacher's mean margin is negative."""
        rows = self.fair_intervals
        margins = rows[(rows["statistic"] == "margin") & (rows["method"] == "teacher")]
        return bucket_words.below_zero(margins)

    def claims_table(self) -> Styler:
        """The paper's claims beside ours."""
        rows = pd.DataFrame([*self._why(), *self._under_ada()], columns=["claim", "paper", "ours"])
        used, family = self.study.profile, self.study.study_families()[0]
        caption = (
            "Paper: CIFAR-100-LT, ratio 100, ResNet-56 (last-bucket row: ImageNet, ResNet-50). "
            f"Ours: {used.dataset}, ratio {family.imbalance:g}, {used.model.title}, T = "
            f"{self.study.settings.temperature:g}, {used.seeds} seeds, sorted by validation."
        )
        return shown(unbroken(rows), caption)

    def _why(self) -> Iterator[tuple[str, str, str]]:
        yield "teacher's mean margin below zero", "5 of 10 buckets", self.below_zero()
        pair = "distilled − teacher"
        falls = "falls where the margin is negative"
        yield f"{pair}, accuracy", falls, self.directions(pair, "accuracy")
        yield f"{pair}, log-loss", "rises in all", self.directions(pair, "log_loss")
        last = self.last_bucket("validation").iloc[-1]
        yield "distilled − one-hot, accuracy in last bucket", "falls", last

    def _under_ada(self) -> Iterator[tuple[str, str, str]]:
        pair = "AdaAlpha − distilled"
        yield f"{pair}, log-loss", "rises in all", self.directions(pair, "log_loss")
        yield f"{pair}, margin", "rises in a few", self.directions(pair, "margin")
        for name in ("log_loss", "margin"):
            yield f"AdaMargin − distilled, range of {WORDS[name]}", "falls", self._flatter(name)

    def _flatter(self, name: str) -> str:
        rows = self.ranges[self.ranges["statistic"] == name]
        wide = rows.pivot(index="seed", columns="method", values="value")
        gap = (wide["AdaMargin"] - wide["distilled"]).tolist()
        row = compare.mean_over_seeds(gap, metrics.DIFFERENCE)
        return compare.signed(row, digits=2)


def _measures() -> dict[str, str]:
    named = {key: words for key, words in mistakes.TRANSFER.items() if key != "correlation"}
    return named | {"correlation_percent": "correlation of margins (× 100)"}
