"""What the study found, for its page: sentences that follow by rule, tables, frames of charts."""

from __future__ import annotations

from functools import cached_property
from itertools import combinations
from typing import Any

import pandas as pd
from pandas.io.formats.style import Styler

from kdbook import compare
from kdbook.chapters.architectures import (
    Architectures,
    overview,
    strength_effects,
)
from kdbook.chapters.architectures.worst_classes import (
    BY_TEACHER,
    BY_VALIDATION,
    ordering_names,
)
from kdbook.study import StudyFindings
from kdbook.tables import recorded_shown, shown, unbroken
from kdlib.models import AnyModel, ModelSpec, parameter_count
from kdlib.runs.build import model_for

CELL = ["teacher", "student"]
RARE = "rarest fifth"
PAIR = ("distilled", "one-hot")
_RECORDED = "Recorded on CIFAR-100: distilled minus one-hot, in points"


class Findings(StudyFindings[Architectures]):
    """The tables of a finished study."""

    @property
    def orderings(self) -> dict[str, str]:
        """The three ways to say which classes are the worst: columns and names."""
        return ordering_names(self.study.data.num_classes)

    @property
    def measures(self) -> dict[str, str]:
        """Columns of ``summary`` and their names."""
        return {"mean": "mean of the classes", **self.orderings, "rarest": RARE}

    @cached_property
    def changes(self) -> dict[str, pd.DataFrame]:
        """Distilled minus one-hot, a row per cell and seed, by measure."""
        return {key: compare.paired_rows(self.summary, key, PAIR, CELL) for key in self.measures}

    @cached_property
    def tested(self) -> dict[str, pd.DataFrame]:
        """The same over seeds, corrected for the cells of a measure."""
        return {key: compare.with_holm(rows, CELL) for key, rows in self.changes.items()}

    @cached_property
    def effects(self) -> pd.DataFrame:
        """What a stronger teacher changes in the harm: a row per measure and two teachers."""
        pieces = {
            name: strength_effects(self.changes[key], self.study.sizes())
            for key, name in self.measures.items()
        }
        rows = pd.concat(pieces, names=["measure"]).reset_index(level="measure")
        return rows.assign(
            pair=rows["stronger"] + " − " + rows["weaker"], cell=rows.apply(compare.signed, axis=1)
        )

    def extremes(self) -> pd.DataFrame:
        """``effects`` of the largest against the smallest teacher; ``comparison``: the measure."""
        sizes = self.study.sizes()
        ends = (self.effects["weaker"] == sizes[0]) & (self.effects["stronger"] == sizes[-1])
        rows = self.effects[ends]
        return rows.assign(comparison=rows["measure"])

    @property
    def rare(self) -> pd.Series:
        """The row that answers the question: the rarest fifth, which no test image chose."""
        return compare.row_of(self.extremes(), measure=RARE)

    def headline(self) -> str:
        """The title of the first figure."""
        words = {"up": "harms the rarest fifth less", "down": "harms the rarest fifth more"}
        said = words.get(
            compare.verdict(self.rare), "does no clearly other harm to the rarest fifth"
        )
        return f"The largest teacher {said} than the smallest: {self.rare['mean']:+.1f} points"

    def in_short(self) -> str:
        """The answer in two sentences."""
        words = {"up": "does less harm", "down": "does more harm"}
        said = words.get(compare.verdict(self.rare), "does no clearly other harm")
        cells = self.tested["rarest"]
        lost = int((cells["mean"] < 0).sum())
        return (
            f"**In short.** A stronger teacher {said} to the rarest fifth of the classes: "
            "between the "
            f"largest and the smallest, the change from one-hot to distilled differs by "
            f"{self.rare['cell']} points ({int(self.rare['seeds'])} seeds). The rarest fifth "
            "loses in "
            f"{lost} of {len(cells)} pairs of teacher and student, by "
            f"{-cells['mean'].max():.0f} to {-cells['mean'].min():.0f} points in the mean over "
            "seeds, "
            f"so the harm is not special to networks that teach themselves."
        )

    def remember(self) -> str:
        """The result as the first line of what to remember."""
        return f"* {self.headline()} ({self.rare['low']:+.1f} to {self.rare['high']:+.1f})."

    def setting_said(self) -> str:
        """The setting in a sentence."""
        own = self.study.settings
        return (
            f"{self.study.profile.dataset}, imbalance ratio {self.study.ratio:g}, "
            f"T = {own.temperature:g}, α = {own.alpha:g}, {self.summary['seed'].nunique()} seeds."
        )

    def network_table(self) -> Styler:
        """The networks, and how good each is as a teacher."""
        means = compare.with_intervals(self._teachers(), "mean", ["teacher"])
        specs = {
            dict(m.place)["teacher"]: m.spec
            for m in self.study.members()
            if m.method == "teacher" and m.seed == 0
        }
        rows = {
            size: {
                "network": f"{spec.model.title}",
                "channels": _channels(spec.model),
                "parameters": f"{parameter_count(model_for(spec)):,}",
                "mean accuracy as a teacher (%)": compare.level(
                    compare.row_of(means, teacher=size)
                ),
            }
            for size, spec in specs.items()
        }
        return shown(pd.DataFrame(rows).T.rename_axis("size"), "The networks of the grid.")

    def stronger_said(self) -> list[str]:
        """Whether the stronger teachers are stronger, a sentence per pair."""
        pairs = combinations(self.study.sizes(), 2)
        return [
            f"{large} − {small}: the teacher's mean {compare.change(self._gap(large, small))}."
            for small, large in pairs
        ]

    def _teachers(self) -> pd.DataFrame:
        rows = self.summary[self.summary["method"] == "teacher"]
        return rows[rows["teacher"] == rows["student"]]

    def _gap(self, large: str, small: str) -> pd.Series:
        wide = self._teachers().pivot(index="seed", columns="teacher", values="mean")
        rows = pd.DataFrame({"difference": wide[large] - wide[small], "pair": 0})
        return compare.with_intervals(rows, "difference", ["pair"]).iloc[0]

    def cells_table(self) -> Styler:
        """All nine cells by all measures."""
        cells = {
            name: self.tested[key].set_index(CELL).apply(compare.signed, axis=1)
            for key, name in self.measures.items()
        }
        table = pd.DataFrame(cells)
        return shown(table, "Distilled minus one-hot, in points with 95 % intervals over seeds.")

    def left_table(self) -> Styler:
        """How many cells are significant before and after the correction."""
        counts = {
            name: [int((self.tested[key][p] <= compare.LEVEL).sum()) for p in ("p", "p_holm")]
            for key, name in self.measures.items()
        }
        columns = ["cells with p < 0.05", "the same after Holm"]
        table = pd.DataFrame(counts, columns).T.rename_axis("measure")
        return shown(table, f"Of {len(self.tested['mean'])} cells.")

    def effect_table(self) -> Styler:
        """``effects`` of every two teachers."""
        wide = self.effects.pivot(index="measure", columns="pair", values="cell")
        table = unbroken(wide.reindex(list(self.measures.values())))
        return shown(table, "Stronger minus weaker teacher, in points: below zero it harms more.")

    def chosen_table(self) -> Styler:
        """The change under the three orderings, averaged over all pairs within a seed."""
        rows = {name: self._pooled(key) for key, name in self.orderings.items()}
        table = pd.DataFrame({"change": rows}).rename_axis("whose worst, and who chose them")
        return shown(table, "Distilled minus one-hot, in points, mean of all pairs.")

    def _pooled(self, key: str) -> str:
        rows = self.changes[key].groupby("seed", as_index=False)["difference"].mean()
        return compare.signed(compare.mean_over_seeds(rows["difference"]))

    def chosen_said(self) -> str:
        """What it does to the one-hot students when validation images choose the classes."""
        rows = self.summary[self.summary["method"] == "one-hot"]
        gap = (rows[BY_VALIDATION] - rows[BY_TEACHER]).groupby(rows["seed"]).mean()
        return (
            "When validation instead of test images choose the teacher's worst classes, the "
            "one-hot "
            f"students' accuracy there {compare.change(compare.mean_over_seeds(gap))}."
        )

    def lines(self) -> pd.DataFrame:
        """The explorer's lines: accuracy by pair, method and class."""
        by = ["method", *CELL, "label"]
        rows = compare.with_intervals(self.study.class_table, "accuracy", by)
        return rows.assign(class_name=rows["label"].map(self.study.class_tags))

    def pairs(self) -> pd.DataFrame:
        """The explorer's cells, with a sentence each."""
        rows = self.tested[BY_VALIDATION]
        said = [
            f"{row['teacher']} teaches {row['student']}: there the student {compare.change(row)}"
            for _, row in rows.iterrows()
        ]
        return rows.assign(said=said)

    def recorded_table(self) -> Any:
        """What is recorded on the paper's data, or how to record it."""
        found = self.study.recorded(show=overview)
        if isinstance(found, pd.DataFrame):  # a measure per row: five of them are too wide
            names = [*found.index.names, "measure"]
            tall = pd.DataFrame({"change": found.stack()})
            return recorded_shown(tall.rename_axis(names), _RECORDED)
        return recorded_shown(found, _RECORDED)


def _channels(model: AnyModel) -> str:
    """Of the first stage, which only a CIFAR ResNet is free to choose."""
    return str(model.width) if isinstance(model, ModelSpec) else "–"
