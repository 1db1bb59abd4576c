"""What the study found on the data of its profile: sentences that follow by rule, and tables."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

from kdbook import compare, selection
from kdbook.chapters.natural_long_tails import (
    NaturalLongTails,
    Settings,
    against_one_hot,
    families,
)
from kdbook.chapters.natural_long_tails.printed import best_cases, table_6
from kdbook.records import find_record
from kdbook.study import StudyFindings
from kdbook.tables import recorded_shown, shown, unbroken
from kdlib.runs import shapes

LARGE = {
    "imagenet": "ImageNet",
    "imagenet_lt": "ImageNet-LT",
    "inaturalist2018": "iNaturalist 2018",
}


class Findings(StudyFindings[NaturalLongTails]):
    """The tables of a finished study."""

    @property
    def k(self) -> int:
        """A fifth of the classes."""
        return max(1, round(0.2 * self.study.data.num_classes))

    @property
    def measures(self) -> dict[str, str]:
        """Columns of the study's table and their names, in the order of Table 6."""
        k = self.k
        return {"mean": "mean", f"worst_{k}": f"worst {k}", f"top_{k}": f"top {k}",
                f"delta_{k}": f"Δ{k}"}  # fmt: skip

    @cached_property
    def gaps(self) -> pd.DataFrame:
        """Every method minus one-hot, corrected, with a cell per row."""
        rows = against_one_hot(self.study.table, self.measures)
        cells = [f"{compare.signed(row)}{_star(row)}" for _, row in rows.iterrows()]
        return rows.assign(cell=cells)

    def worst(self, method: str) -> pd.Series:
        """The method against one-hot in the worst fifth."""
        return compare.row_of(self.gaps, measure=f"worst {self.k}", method=method)

    def in_short(self) -> str:
        """The answer in two sentences: what is printed, and what is measured here."""
        case = best_cases().loc["AdaAlpha"]
        return (
            "**In short.** The printed digits of the paper's iNaturalist table fit 100 species "
            "of three "
            f"images each, where the {case['gained']:.0f} images more that AdaAlpha gets right "
            "have a "
            f"p-value of {case['least p']:.2f} at the very best. None of the paper's large sets "
            "has been "
            f"run here; on {self.study.study_profile().dataset}, distillation changes the worst "
            f"{self.k} classes by {self._said('distilled')}, and AdaAlpha by "
            f"{self._said('AdaAlpha')}."
        )

    def _said(self, method: str) -> str:
        row = self.worst(method)
        sure = "significant" if row["p_holm"] <= compare.LEVEL else "not significant"
        return f"{compare.signed(row)} points, which is {sure} after correction"

    def setting_said(self) -> str:
        """On what this page's numbers are measured."""
        scale, (warmth, trust) = self.study.study_profile(), self.study.teaching()
        tail = (
            ""
            if self.study.settings.profile == "paper"
            else f"The tail is made, at ratio {scale.imbalance:g}: it is not a natural one. "
        )
        tested = int(self.study.data.test.class_counts.min())
        return (
            f"Ours: **{scale.dataset}**, {self.study.data.num_classes} classes, "
            f"{scale.model.title}, {scale.seeds} seeds, T = {warmth:g}, α = {trust:g}. "
            f"{tail}"
            f"A fifth of the classes is k = {self.k}. Every class has {tested} test images or more."
        )

    def margin_said(self) -> str:
        """At which temperature AdaMargin is trained, and who chose it."""
        record = find_record("results", self.study.settings.profile)
        picked = "That chapter is not recorded at this profile."
        if record:
            choice = selection.choose_temperature(record.table).set_index("method")["temperature"]
            picked = (
                f"In the record of that chapter validation chooses T = {choice['AdaMargin']:g}."
            )
        return f"AdaMargin is trained at T = {self.study.margin_temperature():g} here. {picked}"

    def overview_table(self) -> Styler:
        """All methods and measures."""
        table = compare.overview(self.study.table, self.measures)
        return shown(unbroken(table), "Test accuracy in percent, Δ in points; 95 % over seeds.")

    def gap_table(self) -> Styler:
        """All differences from one-hot."""
        wide = self.gaps.pivot(index="method", columns="measure", values="cell")
        wide = wide.loc[list(self.gaps["method"].unique()), list(self.measures.values())]
        caption = "Minus one-hot, in points; a star: significant after correction for twelve."
        return shown(unbroken(wide), caption)

    def paper_table(self) -> Styler:
        """The signs of Table 6 beside ours."""
        printed = table_6()
        paper = (printed - printed.loc["one-hot"]).round(2)
        names = dict(zip(self.measures.values(), printed.columns, strict=True))
        cells = zip(self.gaps["method"], self.gaps["measure"], strict=True)
        values = [float(paper[names[measure]][method]) for method, measure in cells]
        signs = [str(sign) for sign in self.study.beside_paper(self.gaps, values)]
        rows = self.gaps.assign(paper=[f"{v:+.2f}" for v in values], sign=signs)
        table = rows[["measure", "method", "paper", "cell", "sign"]].rename(
            columns={"cell": "ours"}
        )
        return shown(
            unbroken(table), "Minus one-hot, in points; a star: significant after correction."
        )

    def needed_table(self) -> Styler:
        """What the paper's large sets would take."""
        rows = {name: self._needed(key) for key, name in LARGE.items()}
        return shown(pd.DataFrame(rows).T.rename_axis("set"), "At the paper's scale.")

    def _needed(self, name: str) -> dict[str, str]:
        study = self.study.at(Settings(profile="paper", dataset=name))
        scale, runs = study.study_profile(), study.runs()
        wanted = {*runs}.union(*(run.parents() for run in runs))
        passes = sum(shapes.training_images(run) for run in wanted) / 1e6
        classes = shapes.shape_of(families(scale)[0].one_hot()).num_classes
        return {"classes": f"{classes:,}", "trainings": str(len(wanted)), "seeds": str(scale.seeds),
                "million images, all trainings": f"{passes:,.0f}"}  # fmt: skip

    def recorded_table(self) -> Any:
        """What is recorded at the paper's scale, or how to record it."""
        return recorded_shown(self.study.recorded(), "Recorded on the paper's data, in percent")


def _star(row: pd.Series) -> str:
    return " *" if row["p_holm"] <= compare.LEVEL else ""
