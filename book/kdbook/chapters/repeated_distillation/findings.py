"""What the chapter says of its rounds: sentences and tables for its page."""

from __future__ import annotations

import math
from functools import cached_property

import pandas as pd
from pandas.io.formats.style import Styler

from kdbook import compare, tables
from kdbook.chapters.repeated_distillation import (
    RepeatedDistillation,
    against,
    chain_names,
    entropies,
    ideal_targets,
    measures,
)
from kdbook.study import StudyFindings
from kdbook.tables import shown, unbroken

PRINTED = {
    "one_hot": "one-hot", "distillation": "1×", "distillation_2x": "2×", "distillation_3x": "3×",
}  # fmt: skip
HEADS = {
    "mean_accuracy": "mean", "worst_10": "worst 10", "top_10pct": "best tenth",
    "delta_10": "Δ10",
}  # fmt: skip


class Findings(StudyFindings[RepeatedDistillation]):
    """The study's rounds, compared."""

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One row per run, with its chain."""
        table = self.study.table
        return table.assign(chain=chain_names(table))

    @property
    def last(self) -> int:
        """The last round."""
        return self.study.number_of_rounds()

    @cached_property
    def names(self) -> dict[str, str]:
        """The measures in words."""
        count = len(self.study.class_names)
        kept = measures(count)
        return {"mean": kept.pop("mean"), "rarest": "rarest fifth"} | kept

    @property
    def worst(self) -> str:
        """The column of the worst tenth of the classes."""
        return f"worst_{compare.a_tenth(len(self.study.class_names))}"

    def hottest(self) -> str:
        """The chain of the last temperature, without labels."""
        named = self.summary[self.summary["temperature"] == self.study.settings.temperatures[-1]]
        plain = named[named["alpha"] == self.study.settings.alpha]
        return str(plain["chain"].iloc[0])

    def rounds(self) -> pd.DataFrame:
        """Mean and rarest fifth of each round of each chain; round 0 is the one-hot student."""
        students = self.summary[self.summary["method"] != "teacher"]
        start, taught = students[students["round"] == 0], students[students["round"] > 0]
        whole = [taught, *(start.assign(chain=chain) for chain in taught["chain"].unique())]
        pieces = [
            compare.with_intervals(pd.concat(whole), key, ["chain", "round"]).assign(
                measure=self.names[key]
            )
            for key in ("mean", "rarest")
        ]
        rows = pd.concat(pieces).rename(columns={"chain": "method"})
        return rows.sort_values(["method", "round"], kind="stable")

    def headline(self) -> str:
        """A chart's title: where the hottest chain ends."""
        rows = self.rounds()
        rows = rows[(rows["method"] == self.hottest()) & (rows["measure"] == "mean")]
        means = rows.set_index("round")["mean"]
        return (
            f"{self.hottest()}: the mean of the classes is {means[1]:.0f} % after one round, "
            f"{means[self.last]:.0f} % after {self.last}"
        )

    def added(self, key: str) -> pd.DataFrame:
        """Each chain's last round minus its first."""
        rows = against(self.summary.drop(columns="chain"), key, base=1)
        return compare.with_intervals(rows[rows["round"] == self.last], "difference", ["chain"])

    def in_short(self) -> str:
        """The chapter's answer in two sentences."""
        if self.last == 1:
            return "**In short.** There is one round only, so nothing is repeated."
        rows = self.added("mean").set_index("chain")
        hot = self.hottest()
        most = compare.change(pd.Series(rows.to_dict("index")[hot]))
        others = "; ".join(
            f"at {chain} it {compare.moved(row)}" for chain, row in rows.iterrows() if chain != hot
        )
        return (
            f"**In short.** From round 1 to round {self.last} at {hot}, the mean accuracy of the "
            f"classes {most}, because a fixed temperature above 1 compounds. "
            f"{others[:1].upper()}{others[1:]}."
        )

    def added_table(self) -> Styler:
        """The same for the measures, a row per chain."""
        cells = {
            self.names[key]: self.added(key).set_index("chain").apply(compare.signed, axis=1)
            for key in ("mean", "rarest", self.worst)
        }
        caption = f"Round {self.last} minus round 1 of each chain, percentage points."
        return shown(unbroken(pd.DataFrame(cells).rename_axis("chain")), caption)

    def levels_table(self) -> Styler:
        """Accuracies of every round of every chain."""
        students = self.summary[self.summary["method"] != "teacher"]
        columns = {
            words: compare.with_intervals(students, key, ["chain", "round"]).set_index(
                ["chain", "round"]
            )["mean"]
            for key, words in self.names.items()
        }
        table = pd.DataFrame(columns).reset_index().replace({"chain": {"": "one-hot"}})
        return shown(table, "Test accuracy in percent, means over seeds. Round 0 is one-hot.")

    @cached_property
    def gaps(self) -> dict[str, pd.DataFrame]:
        """Every round minus the one-hot student, by measure, with Holm's correction."""
        bare = self.summary.drop(columns="chain")
        return {
            key: compare.with_holm(against(bare, key), ["chain", "round"]) for key in self.names
        }

    def gaps_table(self) -> Styler:
        """The same as text, a row per round."""
        columns = {
            self.names[key]: table.set_index(["chain", "round"]).apply(compare.signed, axis=1)
            for key, table in self.gaps.items()
        }
        caption = "Each round minus the one-hot student of its seed, percentage points."
        return shown(pd.DataFrame(columns), caption)

    def below_said(self) -> str:
        """How many rounds lie below the one-hot student after correction."""
        counted = [
            f"{((t['p_holm'] <= compare.LEVEL) & (t['mean'] < 0)).sum()} of {len(t)} in the "
            f"{self.names[key]}"
            for key, t in self.gaps.items()
            if key != "delta"
        ]
        return (
            "Clearly below the one-hot student after Holm's correction over all rounds and "
            f"chains: {', '.join(counted)}."
        )

    def rarest_rounds(self) -> pd.DataFrame:
        """The rarest fifth of each round against one-hot, as a chart takes it."""
        table = self.gaps["rarest"]
        pairs = zip(table["chain"], table["round"], strict=True)
        return table.assign(comparison=[f"{chain}: {number}×" for chain, number in pairs])

    @cached_property
    def said(self) -> pd.DataFrame:
        """As ``target_entropies``, with the chain."""
        rows = self.study.target_entropies(self.study.results())
        return rows.assign(chain=chain_names(rows))

    def entropy_table(self) -> Styler:
        """Entropies of the targets by round: measured, and of exact students."""
        measured = self.said.groupby(["chain", "round"])["entropy"].mean().unstack(level=0)
        columns = {f"{chain}, measured": measured[chain].tolist() for chain in measured}
        for temperature in self.study.settings.temperatures:
            columns[f"T = {temperature:g}, exact"] = self._exact(temperature)
        index = pd.Index(range(1, self.last + 1), name="round")
        table = pd.DataFrame(dict(sorted(columns.items())), index).map("{:.2f}".format)
        guess = math.log(len(self.study.class_names))
        caption = (
            f"Entropy of the targets in nats, mean over training images; a guess has {guess:.2f}."
        )
        return shown(table, caption)

    def _exact(self, temperature: float) -> list[float]:
        pairs = zip(self.study.members(), self.study.results(), strict=False)
        teachers = [result for m, result in pairs if m.method == "teacher"]
        return pd.DataFrame([self._exact_of(one, temperature) for one in teachers]).mean().tolist()

    def _exact_of(self, teacher: tables.RunResult, temperature: float) -> list[float]:
        logits, labels = tables.training_logits(teacher)
        count = logits.shape[1]
        targets = ideal_targets(logits, temperature, self.last)
        means = [tables.class_averages(entropies(one), labels, count) for one in targets]
        return [sum(by) / len(by) for by in means]

    def ends_said(self) -> str:
        """How close to a guess the last targets are."""
        guess = math.log(len(self.study.class_names))
        ends = self.said[self.said["round"] == self.last].groupby("chain")["entropy"].mean()
        parts = [f"{100 * value / guess:.0f} % at {chain}" for chain, value in ends.items()]
        return f"In round {self.last} the targets have {', '.join(parts)} of a guess's entropy."

    def labels_said(self) -> str:
        """What mixing in the labels changes in the last round."""
        settings = self.study.settings
        if settings.mixed_alpha in (None, settings.alpha):
            return "No chain with the labels mixed in was asked for."
        parts = [f"the {self.names[key]} {compare.change(self._mixed(key))}"
                 for key in ("mean", "rarest", self.worst)]  # fmt: skip
        return f"With labels, in round {self.last}: {'; '.join(parts)}."

    def _mixed(self, key: str) -> pd.Series:
        settings = self.study.settings
        hot = self.summary["temperature"] == settings.temperatures[-1]
        end = self.summary[(self.summary["round"] == self.last) & hot]
        wide = end.pivot(index="seed", columns="alpha", values=key)
        gap = wide[settings.mixed_alpha] - wide[settings.alpha]
        return compare.mean_over_seeds(gap.tolist())
