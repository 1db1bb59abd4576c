"""What the chapter says of its draws: sentences and tables for its page."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import pandas as pd
from pandas.io.formats.style import Styler

from kdbook import compare
from kdbook.chapters.number_of_classes import NumberOfClasses, differences, overview
from kdbook.chapters.number_of_classes.class_draws import over_draws, variance_components
from kdbook.chapters.number_of_classes.steps import sizes
from kdbook.compare import Row
from kdbook.study import StudyFindings
from kdbook.tables import shown, unbroken
from kdbook.worst_by_chance import expected_worst

PLACE = ["imbalance", "classes"]
WAYS = ("picked", "masked", "retrained")
_SETS = {"cifar100": "CIFAR-100", "imagenet": "ImageNet", "imagenet100": "ImageNet-100"}
_PRINTED = {
    "delta_mean_accuracy": "mean", "delta_worst_1": "worst class", "delta_worst_10": "worst 10",
}  # fmt: skip
_HEADS = {"imbalance": "imbalance ratio", "classes": "classes"}


def number_classes(text: str) -> str:
    """The sentence with its repeats, which are draws or seeds, called so."""
    return text.replace("seeds)", "repeats)")


class Findings(StudyFindings[NumberOfClasses]):
    """The study's draws, compared."""

    @cached_property
    def worst(self) -> pd.DataFrame:
        """Change of the worst class by ratio and number of classes, over draws."""
        return over_draws(differences(self.study.table, "worst_1"), "difference")

    def intervals(self) -> pd.DataFrame:
        """The same as a chart takes it."""
        pairs = zip(self.worst["imbalance"], self.worst["classes"], strict=True)
        names = [f"ratio {ratio:g}, {classes:g} classes" for ratio, classes in pairs]
        return self.worst.assign(comparison=names)

    def headline(self) -> str:
        """A chart's title: at how many numbers of classes the worst class clearly loses."""
        clear = self.worst["high"] < 0
        if not clear.any():
            return "At no number of classes does the worst class clearly lose"
        groups = clear.groupby(self.worst["imbalance"])
        parts = [f"{rows.sum()} of {len(rows)} at ratio {ratio:g}" for ratio, rows in groups]
        return f"Numbers of classes at which the worst class clearly loses: {', '.join(parts)}"

    def in_short(self) -> str:
        """The chapter's answer: what these repeats cannot tell, and what they can."""
        ratio = self.worst["imbalance"]
        tail, even = (self.worst[ratio == end] for end in (ratio.max(), ratio.min()))
        return number_classes(f"**In short.** {_in_the_tail(tail)} {_at_most(even)}")

    def sizes_table(self) -> Styler:
        """What each number of classes means in images and steps."""
        first = [m for m in self.study.members() if m.method == "one-hot" and m.seed == 0]
        rows = [sizes(m) for m in first if dict(m.place)["draw"] == 0]
        return shown(pd.DataFrame(rows), "What the students of one draw and seed are trained on.")

    def changes_table(self) -> Styler:
        """Change of every measure."""
        rows = overview(self.study.table).rename_axis(list(_HEADS.values()))
        caption = "Distilled minus one-hot, percentage points, with 95 % intervals over draws."
        return shown(unbroken(_plain(rows)), caption)

    def corrected_table(self) -> Styler:
        """The worst class's p-values, with Holm's correction over all numbers of classes."""
        rows = differences(self.study.table, "worst_1")
        whole = rows.groupby(PLACE)["draw"].transform("nunique") == 1
        by_draw = rows[~whole].groupby([*PLACE, "draw"], as_index=False)["difference"].mean()
        table = compare.with_holm(pd.concat([by_draw, rows[whole]]), PLACE)
        table = table.set_index(PLACE)[["p", "p_holm"]].sort_index().map("{:.3f}".format)
        heads = {"p": "p-value", "p_holm": "p-value (Holm)"}
        table = table.rename(columns=heads).rename_axis(list(_HEADS.values()))
        return shown(_plain(table), "Change of the worst class: paired t-test on the draws' means.")

    @cached_property
    def parts(self) -> pd.DataFrame:
        """Variance components of two changes."""
        named = {"mean": "mean", "worst_1": "worst class"}
        return pd.concat(
            {
                words: variance_components(differences(self.study.table, key), "difference")
                for key, words in named.items()
            },
            names=["change of the"],
        )

    def parts_table(self) -> Styler:
        """The same in words."""
        rows = self.parts.reset_index(level=0)
        span = list(map(_explained, *(100 * rows[name] for name in ("share", "low", "high"))))
        table = rows[["change of the", *PLACE]].assign(
            draws=rows["draw_sd"].map("{:.2f}".format),
            seeds=rows["seed_sd"].map("{:.2f}".format),
            share=span,
        )
        heads = {"draws": "SD of draws", "seeds": "SD of seeds", "share": "draws' share (%)"}
        caption = (
            "Standard deviations in points, and the part of the variance that the draws explain, "
            "with its exact 95 % interval for normal data."
        )
        table["imbalance"] = table["imbalance"].map("{:g}".format)
        return shown(unbroken(table.rename(columns=heads | _HEADS)), caption)

    def luck_said(self) -> str:
        """Which luck is larger, counted."""
        low, high = self.parts["low"], self.parts["high"]
        draw, seed = int((low > 0.5).sum()), int((high < 0.5).sum())
        return (
            f"Of {len(self.parts)} comparisons, the draw's luck is clearly larger in {draw}, the "
            f"seed's in {seed}, and {len(self.parts) - draw - seed} cannot say."
        )

    @cached_property
    def by_way(self) -> pd.DataFrame:
        """Worst-class accuracy by the way of judging, student, ratio and number of classes."""
        ways = self.study.without_retraining(self.study.results())
        keys = [*PLACE, "draw", "seed", "method"]
        long = ways.melt(keys, list(WAYS), "way", "accuracy")
        groups = long.groupby(["way", "method"], sort=False)
        pieces: list[pd.DataFrame] = [
            over_draws(rows, "accuracy").assign(method=str(way), student=str(student))
            for (way, student), rows in groups
        ]
        return pd.concat(pieces)

    def ways_table(self) -> Styler:
        """The same as a page shows it."""
        table = self.by_way.pivot(index=[*PLACE, "student"], columns="method", values="mean")
        table = table[list(WAYS)].rename_axis(index=[*_HEADS.values(), "student"], columns=None)
        caption = "Accuracy of the worst class in percent, means over draws."
        return shown(_plain(table), caption)

    def curves(self) -> pd.DataFrame:
        """``by_way``, with all classes and with luck alone, as the explorer takes it."""
        table = self.study.table
        students = table[table["method"] != "teacher"]
        whole = students[students["classes"] == students["classes"].max()]
        ends = [
            over_draws(rows, "worst_1").assign(student=student, method=way)
            for student, rows in whole.groupby("method")
            for way in WAYS
        ]
        curves = pd.concat([self.by_way, *ends, self._luck(students)]).sort_values("classes")
        kept = ["method", "student", *PLACE, "mean", "low", "high"]
        return curves[kept].reset_index(drop=True)

    def _luck(self, students: pd.DataFrame) -> pd.DataFrame:
        """How low the worst would look if all classes had the mean's accuracy."""
        images = int(self.study.data.test.class_counts.float().mean().round().int())
        means = students.groupby([*PLACE, "method"])["mean"].mean().reset_index()
        worst = [_worst_by_luck(row, images) for _, row in means.iterrows()]
        renamed = means.rename(columns={"method": "student"})
        return renamed.assign(mean=worst, low=np.nan, high=np.nan, method="luck alone")

    def balanced_table(self) -> Styler:
        """Our balanced classes beside ImageNet-100's line."""
        rows = self.worst[self.worst["imbalance"] == 1]
        table = pd.DataFrame(
            {
                "classes": rows["classes"].astype(int),
                "ours, worst class": [compare.signed(row) for _, row in rows.iterrows()],
                "beside +0.06": self.study.beside_paper(rows, [0.06] * len(rows)),
            }
        )
        caption = (
            "Distilled minus one-hot in points at ratio 1, and the sign beside ImageNet-100's "
            "+0.06."
        )
        return shown(unbroken(table), caption)

    def printed_table(self) -> Styler:
        """The changes of the paper's Table 1 on its balanced sets."""
        rows = self.study.published(table="Table 1")
        rows = rows[rows["section"].isin(["3.1", "3.3"])]
        wide = rows.pivot(index="dataset", columns="metric", values="value")
        wide = wide.rename(index=_SETS, columns=_PRINTED)
        wide = wide.rename_axis("data set").map(lambda v: "–" if v != v else f"{v:+.2f}")
        return shown(wide, "Table 1 of the paper: distilled minus one-hot, percentage points.")


def _in_the_tail(rows: pd.DataFrame) -> str:
    """What the fewest and all classes of the longest tail say, and whether that is an answer."""
    fewest, whole = rows.iloc[0], rows.iloc[-1]
    ratio, clear = f"imbalance ratio {whole['imbalance']:g}", int((rows["high"] < 0).sum())
    said = (
        f"the worst of {fewest['classes']:g} classes {compare.change(fewest)}, and the worst of "
        f"all {whole['classes']:g} {compare.change(whole)}"
    )
    if clear:
        return f"At {ratio} the worst class clearly loses at {clear} of {len(rows)} sizes: {said}."
    return (
        f"These repeats cannot tell whether few classes of a long tail are safe: at {ratio} {said}."
    )


def _at_most(rows: pd.DataFrame) -> str:
    """The largest loss that the intervals of the most balanced classes leave open."""
    least, ratio = rows["low"].min(), f"ratio {rows['imbalance'].iloc[0]:g}"
    if np.isnan(least):
        return f"At {ratio} they cannot tell it either."
    if least > 0:
        return f"At {ratio} every interval lies above zero: there the worst class gains."
    return (
        f"They tell more of equal classes: at {ratio} no interval of any number of classes "
        f"reaches below {least:+.1f} points, so a larger loss is unlikely there."
    )


def _plain(table: pd.DataFrame) -> pd.DataFrame:
    """Ratios and numbers of classes without decimals."""
    rows = table.reset_index()
    heads = [head for head in _HEADS.values() if head in rows]
    return rows.assign(**{head: [f"{value:g}" for value in rows[head]] for head in heads})


def _explained(share: float, low: float, high: float) -> str:
    return "all equal" if np.isnan(share) else f"{share:.0f} ({low:.0f} to {high:.0f})"


def _worst_by_luck(row: Row, images: int) -> float:
    count = int(row["classes"])
    return expected_worst([row["mean"]] * count, [images] * count)
