"""What the study found, for its page: sentences that follow by rule, tables, frames of charts."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

from kdbook import compare, selection
from kdbook.chapters.results import TAUGHT, Results, measures, pairs
from kdbook.protocol import protocol
from kdbook.study import StudyFindings
from kdbook.tables import shown, unbroken

ALPHA = "AdaAlpha"
METHODS = {
    "one_hot": "one-hot", "distillation": "distilled", "ada_alpha": ALPHA,
    "ada_margin": "AdaMargin",
}  # fmt: skip
"""Table 3's methods in the book's words."""
PRINTED = {"mean_accuracy": "mean", "worst_1": "worst class", "worst_10": "worst 10 classes"}


class Findings(StudyFindings[Results]):
    """The tables of a finished study."""

    @property
    def students(self) -> pd.DataFrame:
        """``summary`` without the teachers."""
        return self.summary[self.summary["method"] != "teacher"]

    @property
    def rule(self) -> Any:
        """Which images choose and which test."""
        return protocol(self.study.profile.dataset)

    @cached_property
    def measures(self) -> dict[str, str]:
        """Columns of ``summary`` and their names."""
        return measures(self.study.data.num_classes)

    @cached_property
    def choice(self) -> pd.DataFrame:
        """The temperature that each method gets."""
        return selection.choose_temperature(self.summary)

    @cached_property
    def chosen(self) -> dict[str, float]:
        """The same by method."""
        return dict(self.choice.set_index("method")["temperature"])

    @cached_property
    def best(self) -> pd.DataFrame:
        """The rows at the chosen temperatures, in the order of Table 3."""
        rows = selection.at_chosen(self.summary, self.choice).set_index("method")
        return rows.loc[["teacher", "one-hot", *TAUGHT]].reset_index()

    @cached_property
    def pairs(self) -> list[compare.Pair]:
        """Each method against those before it."""
        return pairs(self.choice)

    @cached_property
    def found(self) -> pd.DataFrame:
        """All pairs and measures, corrected for the pairs of a measure."""
        return compare.compare_corrected(self.best, self.pairs, self.measures)

    @property
    def tenth(self) -> str:
        """The column of the worst tenth of the classes."""
        return f"worst_{compare.a_tenth(self.study.data.num_classes)}"

    def in_short(self) -> str:
        """The answer in two sentences."""
        others = ", and ".join(
            f"to {m} it {compare.moved(self._rarest(m))}" for m in TAUGHT if m != ALPHA
        )
        count, every = int(self.found["holds"].sum()), len(self.found)
        seeds = len(set(self.best["seed"]))
        fate = (
            f"{'one is' if count == 1 else f'{count} are'} significant after correction"
            if count
            else f"none is significant after correction: {seeds} seeds leave it open which method "
            "is best"
        )
        return (
            f"**In short.** From a one-hot student to {ALPHA}, accuracy in the rarest fifth of the "
            f"classes {compare.change(self._rarest(ALPHA))}; {others}, each at the temperature "
            f"that validation chose for it. Of all {every} differences between two methods, on "
            f"{len(self.measures)} measures, {fate}."
        )

    def headline(self) -> str:
        """The title of the first figure: who does best in the rarest fifth, and how surely."""
        top = max(TAUGHT, key=lambda method: self._rarest(method)["mean"])
        row = self._rarest(top)
        sure = "significant" if row["holds"] else "not significant"
        return (
            f"{top} does best for the rarest fifth, {row['mean']:+.1f} points on one-hot: "
            f"{sure} after correction"
        )

    def remember(self) -> str:
        """The result as the first line of what to remember."""
        row = self._rarest(ALPHA)
        sure = "significant" if row["holds"] else "not significant"
        return (
            f"* Each at its best temperature, {ALPHA} changes the rarest fifth by "
            f"{compare.signed(row)} points against one-hot training, which is {sure} after "
            "correction."
        )

    def _rarest(self, method: str) -> pd.Series:
        """``method`` against the one-hot student in the rarest fifth, at its temperature."""
        rows = self.found[self.found["measure"] == self.measures["rarest"]]
        name = compare.method_name(method, self.chosen[method])
        return rows.iloc[self.pairs.index((name, "one-hot"))]

    def changes(self) -> pd.DataFrame:
        """The first figure: change from one-hot in the mean, the worst tenth and the rarest."""
        keys = ("mean", self.tenth, "rarest")
        rows = [self._changes(self.best, key).assign(subgroup=self.measures[key]) for key in keys]
        every = pd.concat(rows)
        return every[every["method"] != "teacher"]

    def levels(self) -> pd.DataFrame:
        """The explorer's upper half: accuracy by method, temperature and measure."""
        by = ["method", "temperature"]
        return self._each(lambda key: compare.with_intervals(self.students, key, by))

    def moves(self) -> pd.DataFrame:
        """Its lower half: the change from one-hot, with a sentence per row."""
        rows = self._each(lambda key: self._changes(self.students, key))
        names = compare.named(rows)["method"]
        return rows.assign(
            said=[
                f"{n}: {compare.change(r)}"
                for n, (_, r) in zip(names, rows.iterrows(), strict=True)
            ]
        )

    def _each(self, make: Callable[[str], pd.DataFrame]) -> pd.DataFrame:
        return pd.concat(make(key).assign(measure=name) for key, name in self.measures.items())

    @staticmethod
    def _changes(rows: pd.DataFrame, column: str) -> pd.DataFrame:
        return compare.paired_differences(rows, column, "one-hot")

    def counts(self) -> pd.DataFrame:
        """How many images of each class train, set the trust, choose and test."""
        data, rule = self.study.data, self.rule
        tested = np.bincount(self.study.results()[0].labels(rule.test), minlength=data.num_classes)
        parts = {
            "training": data.train.class_counts.numpy(),
            "dev, which sets α(y)": data.dev.class_counts.numpy(),
            f"{rule.chooses}, which chooses T": getattr(data, rule.chooses).class_counts.numpy(),
            "test": tested,
        }
        names = [str(name) for name in data.class_names]
        return pd.DataFrame(parts.values(), pd.Index(parts, name="images"), names)

    def counts_table(self) -> Styler:
        """``counts`` as the page shows it, at most ten classes."""
        counts = self.counts()
        return shown(counts.iloc[:, :: max(1, counts.shape[1] // 10)], "Images of each class.")

    def vote_table(self) -> Styler:
        """The chosen temperature, and how many seeds would have chosen which for themselves."""
        votes = selection.choose_by_seed(self.summary)
        counts = votes.groupby(["method", "temperature"]).size().unstack(fill_value=0)
        counts.columns = [f"seeds: T = {t:g}" for t in counts.columns]
        rows = self.choice.set_index("method")
        chosen = {"chosen T": rows["temperature"].map("{:g}".format), "its score": rows["score"]}
        caption = (
            f"The score is the accuracy in percent on the images that choose: {self.rule.chooses}."
        )
        return shown(pd.DataFrame(chosen).join(counts), caption)

    def overview_table(self) -> Styler:
        """Test accuracies and the log-loss of the rarest fifth, at the chosen temperatures."""
        table = compare.overview(self.best, self.measures)
        losses = compare.with_intervals(compare.named(self.best), "rarest_log_loss", ["method"])
        table["log-loss, rarest fifth"] = losses.set_index("method").apply(
            lambda row: compare.level(row, 2), axis=1
        )
        caption = "Test accuracy in percent, log-loss in nats; 95 % intervals over seeds."
        return shown(table, caption)

    def pair_table(self) -> Styler:
        """All pairs and measures."""
        caption = "Differences in points with 95 % intervals; a star: significant after correction."
        return shown(unbroken(compare.starred(self.found)), caption)

    def temperature_table(self) -> Styler:
        """Every measure at every temperature, the chosen one in brackets."""
        rows = self.levels().dropna(subset=["temperature"])
        at = rows["method"].map(self.chosen) == rows["temperature"]
        cells = [
            f"[{m:.1f}]" if ours else f"{m:.1f}" for m, ours in zip(rows["mean"], at, strict=True)
        ]
        table = rows.assign(cell=cells, temperature=rows["temperature"].map("T = {:g}".format))
        wide = table.pivot(index=["measure", "method"], columns="temperature", values="cell")
        order = [(name, m) for name in self.measures.values() for m in self.chosen]
        return shown(
            wide.loc[order], "Test accuracy in percent; in brackets the chosen temperature."
        )
