"""What the chapter says of its samples: sentences and tables for its page."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

from kdbook import compare
from kdbook.chapters.regularisation_samples import SPLITS, RegularisationSamples, by_bucket
from kdbook.compare import bucket_of
from kdbook.records import read_records
from kdbook.study import StudyFindings
from kdbook.tables import shown, unbroken
from kdlib import metrics

HEATS = (1.0, 2.0, 3.0, 4.0, 5.0)
_EACH = 15
"""Images of a bucket that a scatter plot shows."""


class Findings(StudyFindings[RegularisationSamples]):
    """The study's images, judged and counted."""

    @property
    def heat(self) -> float:
        """The temperature that taught the student."""
        return self.study.settings.temperature

    @property
    def two(self) -> list[float]:
        """The temperatures that are compared."""
        return sorted({1.0, self.heat})

    @cached_property
    def images(self) -> pd.DataFrame:
        """As ``RegularisationSamples.examples``, at several temperatures of the teacher."""
        return self.study.examples(self.study.results(), sorted({*HEATS, self.heat}))

    @cached_property
    def shares(self) -> pd.DataFrame:
        """As ``by_bucket``."""
        return by_bucket(self.images, self.study.settings.buckets)

    @cached_property
    def curves(self) -> pd.DataFrame:
        """The shares' means over seeds."""
        return compare.with_intervals(self.shares, "sample", ["split", "temperature", "bucket"])

    @property
    def last(self) -> int:
        """The bucket of the rarest classes."""
        return int(self.shares["bucket"].max())

    def points(self) -> pd.DataFrame:
        """A few images of the first seed, bucket by bucket."""
        classes = int(self.images["place"].max()) + 1
        rows = self.images.assign(bucket=bucket_of(classes, self.last)[self.images["place"]])
        rows = rows[rows["seed"] == rows["seed"].min()]
        keys = ["split", "temperature", "bucket"]
        return rows.groupby(keys).head(_EACH)[[*keys, "teacher", "student"]].round(3)

    @cached_property
    def rarest(self) -> pd.DataFrame:
        """The last bucket minus the mean of all, by split and temperature, with Holm's p."""
        pairs = [(split, heat) for split in SPLITS for heat in self.two]
        rows = {p: compare.mean_over_seeds(self._last_minus_all(*p).tolist()) for p in pairs}
        table = pd.DataFrame(rows).T.rename_axis(["images", "T"])
        return table.assign(holm=metrics.holm(table["p"]))

    def _last_minus_all(self, split: str, heat: float) -> pd.Series:
        rows = self.shares[(self.shares["split"] == split) & (self.shares["temperature"] == heat)]
        wide = rows.pivot(index="seed", columns="bucket", values="sample")
        return wide[self.last] - wide.mean(axis=1)

    def headline(self) -> str:
        """A chart's title: the rarest classes against the mean class."""
        said = [f"{self._rarest(split, self.heat)['mean']:+.0f} points ({split})"
                for split in SPLITS]  # fmt: skip
        return f"Samples at T = {self.heat:g}, rarest bucket against all: {', '.join(said)}"

    def rarest_table(self) -> Styler:
        """``rarest`` as a page shows it."""
        table = pd.DataFrame(
            {
                "last − all (points)": [compare.signed(row) for _, row in self.rarest.iterrows()],
                "p (Holm)": [f"{p:.3g}" for p in self.rarest["holm"]],
            },
            index=self.rarest.index,
        ).reset_index()
        table["T"] = [f"{heat:g}" for heat in table["T"]]
        caption = (
            "Share of samples in the bucket of the rarest classes, minus the mean of all buckets."
        )
        return shown(unbroken(table), caption)

    def more_said(self) -> str:
        """In how many buckets test images hold more of them than training images."""
        means = self.curves.pivot(index=["temperature", "bucket"], columns="split", values="mean")
        more = (means["test"] > means["training"]).groupby("temperature").sum()
        parts = [f"{count} of {self.last} at T = {heat:g}" for heat, count in more.items()]
        return f"Buckets with more samples on test than on training images: {', '.join(parts)}."

    def correlations(self, heat: float) -> pd.Series:
        """By seed: rank correlation of a class's share and its change by distillation."""
        wide = self.study.class_table.pivot_table(
            index=["seed", "label"], columns="method", values="accuracy"
        )
        harm = (wide["distilled"] - wide["one-hot"]).rename("change")
        rows = self.images[
            (self.images["split"] == "training") & (self.images["temperature"] == heat)
        ]
        share = rows.groupby(["seed", "label"])["sample"].mean()
        both = pd.concat([share, harm], axis=1).dropna()
        varied = both.groupby("seed").filter(lambda one: one.nunique().min() > 1)
        return varied.groupby("seed")[["sample", "change"]].apply(
            lambda one: one["sample"].corr(one["change"], "spearman")
        )

    def tied_said(self, heat: float) -> str:
        """The correlation in words."""
        values = self.correlations(heat)
        if len(values) < metrics.FEWEST_REPEATS:
            few = f"{len(values)} seeds only" if len(values) else "no seed"
            return f"has no value at T = {heat:g}, where the shares differ in {few}"
        row = compare.mean_over_seeds(values.tolist(), metrics.SIGNED)
        return f"is {compare.signed(row, digits=2)} at T = {heat:g} ({len(values)} seeds)"

    def in_short(self) -> str:
        """The chapter's answer in two sentences."""
        parts = [f"{self._moves(heat)} if you count at T = {heat:g}" for heat in self.two]
        tied = ", and ".join(map(self.tied_said, reversed(self.two)))
        return (
            "**In short.** From the mean class to the rarest, the share of regularisation samples "
            f"among the training images {', and '.join(parts)}. The rank correlation of a class's "
            f"share with what distillation changes there {tied}."
        )

    def _rarest(self, split: str, heat: float) -> pd.Series:
        return pd.Series(self.rarest.xs(split).xs(heat))

    def _moves(self, heat: float) -> str:
        row = self._rarest("training", heat)
        same = pd.isna(row["low"]) and row["mean"] == 0
        return "is the same in every seed" if same else compare.change(row)

    def recorded(self) -> Any:
        """What records of the paper's data say, a row per record."""
        columns = {
            f"samples_{split}{end}": f"{split}, {words}"
            for split in SPLITS
            for end, words in (("", "all"), ("_last", "last bucket"))
        }
        kept = [r for r in read_records() if r.about.study == "regularisation_samples"]
        rows = {
            f"{r.about.profile}, {r.about.device}": r.table[list(columns)].mean()
            for r in kept
            if r.about.profile != "quick"
        }
        table = pd.DataFrame(rows).T.rename(columns=columns).rename_axis("record")
        return shown(table, "Recorded on CIFAR-100-LT, percent of the images; twelve epochs.")
