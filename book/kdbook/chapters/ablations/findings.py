"""What the study found, for its page: sentences that follow by rule, tables, frames of charts."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

from kdbook import compare
from kdbook.chapters.ablations import CONSTANT, Ablations
from kdbook.published import printed_difference
from kdbook.study import StudyFindings
from kdbook.tables import Member, recorded_shown, shown, unbroken
from kdlib.runs import RunResult

ALPHA = "AdaAlpha"
RARE = "rarest fifth"
METHODS = {
    "ada_alpha": ALPHA, "remove_hardest_10": "hardest removed", "shuffle_alpha": "shuffled",
    "weighted_soft_labels": "weighted labels",
}  # fmt: skip
"""Table 4's methods in the book's words."""
PRINTED = {"mean_accuracy": "mean", "worst_1": "worst class", "worst_10": "worst 10 classes"}


class Findings(StudyFindings[Ablations]):
    """The tables of a finished study, its twins included."""

    @cached_property
    def twins(self) -> list[Member]:
        """The students that trust every class alike, one per seed."""
        return self.study.twins()

    @cached_property
    def results(self) -> list[RunResult]:
        """All results, those of the twins last."""
        return [*self.study.results(), *self.study.train(self.twins)]

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row per run."""
        return self.study.per_seed(self.results)

    @cached_property
    def by_class(self) -> pd.DataFrame:
        """One row per run and class."""
        return self.study.per_class(self.results)

    @cached_property
    def trust(self) -> pd.DataFrame:
        """The teacher's weight by method, seed and class."""
        return self.study.trust(self.results)

    @property
    def others(self) -> list[str]:
        """What AdaAlpha is compared with, the one-hot student last."""
        methods = self.summary["method"].unique()
        return [m for m in methods if m not in ("teacher", "one-hot", ALPHA)] + ["one-hot"]

    def at(self, method: str) -> str:
        """The method with its temperature, where it has one."""
        own = float("nan") if method == "one-hot" else self.study.settings.temperature
        return compare.method_name(method, own)

    @cached_property
    def found(self) -> pd.DataFrame:
        """AdaAlpha minus each of ``others``, corrected; ``other`` names the other."""
        pairs = [(self.at(ALPHA), self.at(name)) for name in self.others]
        rows = compare.compare_corrected(self.summary, pairs, self.study.measures())
        return rows.assign(other=self.others * len(self.study.measures()))

    @property
    def rare(self) -> pd.DataFrame:
        """The rows of ``found`` for the rarest fifth."""
        return self.found[self.found["measure"] == RARE]

    def against(self, other: str) -> pd.Series:
        """AdaAlpha minus ``other`` in the rarest fifth."""
        return compare.row_of(self.rare, other=other)

    def headline(self) -> str:
        """The title of the first figure: over how many others AdaAlpha is clearly ahead."""
        won = self.rare[self.rare["holds"] & (self.rare["mean"] > 0)]
        if won.empty:
            return f"{ALPHA} is clearly ahead of none of the others in the {RARE}"
        every = len(self.rare)
        many = f"all {every}" if len(won) == every else f"{len(won)} of the {every}"
        low, high = won["mean"].min(), won["mean"].max()
        return f"{ALPHA} beats {many} others in the {RARE}, by {low:.0f} to {high:.0f} points"

    def drawn(self) -> pd.DataFrame:
        """The rows of the first figure."""
        return self.rare.assign(comparison=self.rare["other"])

    def in_short(self) -> str:
        """The answer in two sentences."""
        twin, dealt, plain = (self.against(name) for name in (CONSTANT, "shuffled", "one-hot"))
        return (
            f"**In short.** In the {RARE} of the classes, {ALPHA} is {_from(twin)} a student that "
            f"hears as much of the teacher, spread evenly over the classes, and {_from(dealt)} one "
            f"that was dealt the same weights at random, so the place of the trust "
            f"{_matters(twin, dealt)}. Against a student without a teacher it "
            f"{compare.change(plain)}."
        )

    def remember(self) -> str:
        """The result as the first line of what to remember."""
        dealt = self.against("shuffled")
        return (
            f"* The same weights in the wrong places: from shuffled to {ALPHA}, the {RARE} "
            f"{compare.change(dealt)}."
        )

    def overview_table(self) -> Styler:
        """All methods and measures."""
        table = compare.overview(self.summary, self.study.measures())
        return shown(unbroken(table), "Test accuracy in percent with 95 % intervals over seeds.")

    def pair_table(self) -> Styler:
        """All comparisons and measures."""
        caption = "Differences in points with 95 % intervals; a star: significant after correction."
        return shown(unbroken(compare.starred(self.found)), caption)

    def heard(self) -> pd.DataFrame:
        """The explorer's bars: the teacher's weight by method and class."""
        rows = compare.with_intervals(self.trust, "mix", ["method", "label"])
        return rows.assign(class_name=rows["label"].map(self.study.class_tags))

    def curves(self) -> pd.DataFrame:
        """The explorer's lines: accuracy by method and class, without the teacher's."""
        rows = compare.with_intervals(self.by_class, "accuracy", ["method", "label"])
        rows = rows[rows["method"] != "teacher"]
        return rows.assign(class_name=rows["label"].map(self.study.class_tags))

    def said(self) -> dict[str, str]:
        """A sentence for each ablation that the explorer offers."""
        taught = [name for name in self.others if name != "one-hot"]
        return {
            name: f"From {name} to {ALPHA} the {RARE} {compare.change(self.against(name))}."
            for name in taught
        }

    def weight_table(self) -> Styler:
        """The weights of the weighted soft labels, at most ten classes."""
        rows = compare.with_intervals(self.trust, "mix", ["method", "label"])
        rows = rows[rows["method"].str.startswith("weighted")]
        table = rows.pivot(index="method", columns="label", values="mean")
        table = table.iloc[:, :: max(1, table.shape[1] // 10)].map("{:.2f}".format)
        names = dict(enumerate(self.study.class_names))
        table = table.rename(columns=lambda label: f"class {names[label]}")
        return shown(table, "α times the mean weight of the class's training images.")

    def printed_table(self) -> Styler:
        """Table 4 of the paper."""
        rows = self.study.published(table="Table 4")
        cells = [f"{r.value:.2f} ± {r.uncertainty:.2f}" for r in rows.itertuples()]
        table = rows.assign(cell=cells).pivot(index="method", columns="metric", values="cell")
        table = table.loc[list(METHODS), list(PRINTED)].rename(index=METHODS, columns=PRINTED)
        return shown(table, "Table 4 of Teacher's pet: CIFAR-100, test accuracy in percent.")

    def paper_table(self) -> Styler:
        """The printed differences beside ours."""
        tenth = next(key for key in self.study.measures() if key.startswith("worst"))
        keys = {"mean_accuracy": "mean", "worst_10": tenth}
        rows = [
            self._beside(key, metric, column, other)
            for key, name in METHODS.items()
            for other in self.others
            if key != "ada_alpha" and other.startswith(name)
            for metric, column in keys.items()
        ]
        return shown(
            unbroken(pd.DataFrame(rows)), f"Differences in points. {self._settings_said()}"
        )

    def _beside(self, key: str, metric: str, column: str, other: str) -> dict[str, Any]:
        printed = self.study.published(table="Table 4", metric=metric)
        paper = printed_difference(
            *(compare.row_of(printed, method=name) for name in ("ada_alpha", key))
        )
        measure = self.study.measures()[column]
        row = compare.row_of(self.found, measure=measure, other=other)
        (sign,) = self.study.beside_paper([row], [paper])
        return {f"{ALPHA} minus": other, "measure": measure, "paper": compare.signed(paper),
                "ours": row["cell"], "sign": str(sign)}  # fmt: skip

    def _settings_said(self) -> str:
        profile = self.study.profile
        worst = list(self.study.measures().values())[-1]
        return (
            "Paper: CIFAR-100, balanced, ResNet-56, worst 10 of 100 classes. Ours: "
            f"{profile.dataset}, ratio {self.study.ratio:g}, {profile.model.title}, "
            f"{worst} of {len(self.study.class_names)}."
        )

    def recorded_table(self) -> Any:
        """What is recorded on the paper's data, or how to record it."""
        return recorded_shown(self.study.recorded(), "Recorded on CIFAR-100, in percent")


def _from(row: pd.Series) -> str:
    span = f"{row['low']:+.1f} to {row['high']:+.1f}"
    return f"{abs(row['mean']):.1f} points ({span}) {'ahead of' if row['mean'] > 0 else 'behind'}"


def _matters(*rows: pd.Series) -> str:
    clear = [row["holds"] and row["mean"] > 0 for row in rows]
    return "matters" if all(clear) else "does not clearly matter"
