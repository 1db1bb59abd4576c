"""What the chapter says of its margins: sentences and tables for its page."""

from __future__ import annotations

from functools import cached_property
from math import log10

import pandas as pd
from pandas.io.formats.style import Styler

from kdbook import compare
from kdbook.chapters.adamargin import Margins, margin_name, theory
from kdbook.shelf import BookStore
from kdbook.study import StudyFindings
from kdbook.tables import rarest_fifth, shown, training_counts, unbroken
from kdlib.runs import dev_mix

GRID = [power / 4 for power in range(-24, 1)]
"""Decimal logarithms of the offsets at which Lemma 1 is computed."""
POWERS = [10.0**power for power in GRID]
"""The offsets themselves."""
_PRESSURE = {
    "ratio": "largest ρ", "spread": "log-costs apart (nats)", "loss": "loss (nats)",
    "gradient": "norm of the gradient", "reach": "Lemma 1's scores apart (nats)",
}  # fmt: skip


class Findings(StudyFindings[Margins]):
    """The study's students, and what Lemma 1 asks of them."""

    @property
    def heat(self) -> float:
        """The temperature of the teacher's probabilities."""
        return self.study.settings.temperature

    @property
    def names(self) -> dict[float, str]:
        """AdaMargin's name in tables, by offset."""
        return {offset: margin_name(offset) for offset in sorted(self.study.settings.offsets)}

    @cached_property
    def trust(self) -> list[float]:
        """The first seed's trust, before any offset; trains missing initial teachers."""
        families = self.study.study_families()
        self.study.train([family.initial_teacher() for family in families])
        return dev_mix(families[0].initial_teacher(), self.heat, BookStore()).tolist()

    def middle(self) -> float:
        """The offset that stands for them where one is shown."""
        offsets = sorted(self.study.settings.offsets)
        return offsets[len(offsets) // 2]

    def weights(self) -> pd.DataFrame:
        """The weights of AdaMargin and its relatives, as a chart takes them."""
        counts = self.study.data.train.class_counts.tolist()
        rows = theory.relative_weights(self.trust, counts, self.middle())
        return rows.assign(class_name=rows["label"].map(self.study.class_tags))

    @cached_property
    def costs(self) -> pd.DataFrame:
        """As ``theory.costs_by_class``, at the offsets of the grid."""
        assert self.trust, "trains the initial teachers"
        families = self.study.study_families()
        return pd.concat([theory.costs_by_class(one, self.heat, POWERS) for one in families])

    @cached_property
    def lemma(self) -> pd.DataFrame:
        """As ``theory.lemma_students``, at the offsets of the grid."""
        assert self.trust, "trains the initial teachers"
        families = self.study.study_families()
        return pd.concat([theory.lemma_students(one, self.heat, POWERS) for one in families])

    def by_offset(self) -> pd.DataFrame:
        """Mean and rarest fifth by offset: trained, Lemma 1's, and the one-hot student's."""
        rarest = rarest_fifth(training_counts(self.study.members()[0].spec))
        parts = {"mean": self.lemma, "rarest": self.lemma[self.lemma["label"].isin(rarest)]}
        names = compare.measures(len(self.study.class_names))
        return pd.concat(
            self._curves(key, rows).assign(measure=names[key]) for key, rows in parts.items()
        )

    def _curves(self, key: str, lemma: pd.DataFrame) -> pd.DataFrame:
        rows = []
        for offset, name in self.names.items():
            near = min(POWERS, key=lambda power: abs(log10(power) - log10(offset)))
            ideal = (
                lemma[lemma["offset"] == near].groupby("seed", as_index=False)["accuracy"].mean()
            )
            pieces = {
                "AdaMargin, trained": self.summary[self.summary["method"] == name][key],
                "Lemma 1": ideal["accuracy"],
                "one-hot": self.summary[self.summary["method"] == "one-hot"][key],
            }
            rows += [
                {"method": method, "offset": f"{offset:g}", "power": log10(offset)}
                | compare.over_seeds(values, compare.scale_of("accuracy"))
                for method, values in pieces.items()
            ]
        return pd.DataFrame(rows)

    def headline(self) -> str:
        """A chart's title: the mean at the smallest and the largest offset."""
        rows = self.by_offset()
        rows = rows[(rows["method"] == "AdaMargin, trained")]
        mean = rows[rows["measure"] == "mean of the classes"].set_index("offset")["mean"]
        first, last = mean.index[0], mean.index[-1]
        return (
            f"AdaMargin's mean is {mean[first]:.0f} % at offset {first} and {mean[last]:.0f} % at "
            f"offset {last}"
        )

    @cached_property
    def gaps(self) -> pd.DataFrame:
        """Every student against one-hot, corrected."""
        taught = [n for n in self.summary["method"].unique() if n not in ("teacher", "one-hot")]
        pairs = [(self._full(name), "one-hot") for name in taught]
        return compare.compare_corrected(self.summary, pairs, self.study.measures())

    def _full(self, name: str) -> str:
        return compare.full_name(self.summary, name)

    def rarest(self) -> pd.DataFrame:
        """Its rows on the rarest fifth, with short names."""
        rows = self.gaps[self.gaps["measure"] == self.study.measures()["rarest"]]
        return rows.assign(comparison=[name.partition(", T =")[0].partition(" − ")[0]
                                       for name in rows["comparison"]])  # fmt: skip

    def rarest_headline(self) -> str:
        """A chart's title: who gains most in the rarest fifth."""
        best = self.rarest().sort_values("mean").iloc[-1]
        if best["low"] <= 0:
            return "Rarest fifth against one-hot: no student clearly gains"
        return f"Rarest fifth against one-hot: the {best['comparison']} student gains most"

    def gaps_table(self) -> Styler:
        """All measures, with a star where a difference is significant after correction."""
        stars = self.gaps["holds"].map({True: " *", False: ""})
        starred = self.gaps.assign(cell=self.gaps["cell"] + stars)
        wide = starred.pivot(index="comparison", columns="measure", values="cell")
        wide = wide.loc[self.gaps["comparison"].unique(), list(self.study.measures().values())]
        caption = (
            "Against the one-hot student of the seed, percentage points. A star: significant "
            "after Holm's correction for all these comparisons of a measure."
        )
        return shown(unbroken(wide), caption)

    def duels_table(self) -> Styler:
        """AdaMargin at each offset against logit adjustment with the same teacher, in the mean."""
        rival = self._full("logit-adjusted distilled")
        pairs = [(self._full(name), rival) for name in self.names.values()]
        measures = {"mean": "mean of the classes"}
        rows = compare.compare_corrected(self.summary, pairs, measures)
        table = pd.DataFrame(
            {
                "offset": [f"{offset:g}" for offset in self.names],
                "mean of the classes (points)": rows["cell"].to_numpy(),
                "p-value (Holm)": [f"{p:.3f}" for p in rows["holm"]],
            }
        )
        caption = "AdaMargin minus logit adjustment with the same teacher."
        return shown(unbroken(table), caption)

    def in_short(self) -> str:
        """The chapter's answer in two sentences."""
        in_mean = self.gaps["measure"] == self.study.measures()["mean"]
        rows = self.gaps[in_mean].set_index("comparison").to_dict("index")
        first, *_, last = (f"{self._full(name)} − one-hot" for name in self.names.values())
        least, most = (compare.change(pd.Series(rows[name])) for name in (first, last))
        small, large = min(self.names), max(self.names)
        ends = self.summary[self.summary["method"].isin(self.names.values())]
        diverged = int((ends["status"] == "diverged").sum())
        return (
            f"**In short.** With AdaMargin at offset {large:g}, the mean over the classes {most} "
            f"against the one-hot student; at offset {small:g} it {least}. Of its {len(ends)} "
            f"trainings at the recipe's rate {diverged or 'none'} diverged."
        )

    def levels_table(self) -> Styler:
        """Accuracies of all students."""
        table = self.study.overview().rename_axis("method")
        caption = "Test accuracy in percent, with 95 % intervals over seeds."
        return shown(unbroken(table), caption)

    def trust_table(self) -> Styler:
        """The trust before the offset, by seed."""
        rows = self.costs[self.costs["offset"] == POWERS[0]]
        wide = rows.pivot(index="seed", columns="label", values="mix")
        wide = wide.iloc[:, :: max(1, len(self.study.class_tags) // 10)].map("{:.2f}".format)
        wide.columns = [self.study.class_names[label] for label in wide.columns]
        return shown(wide, "Trust of each class before the offset, a row per seed.")

    def pressure_table(self) -> Styler:
        """What each offset asks of a student that scores all classes alike."""
        rows = self.pressure([*self.study.settings.offsets, 1.0]).groupby("offset")
        table = rows[list(_PRESSURE)].mean().rename(columns=_PRESSURE).map("{:,.2f}".format)
        table.index = pd.Index([f"{offset:g}" for offset in table.index], name="offset")
        return shown(table, "On the training images, means over seeds.")

    def pressure(self, offsets: list[float]) -> pd.DataFrame:
        """As ``theory.pressure``, for every seed."""
        families = self.study.study_families()
        return pd.concat([theory.pressure(one, self.heat, offsets) for one in families])
