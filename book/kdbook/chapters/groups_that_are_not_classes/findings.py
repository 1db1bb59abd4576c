"""What the study found, for its page: sentences that follow by rule, and frames of its charts."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import pandas as pd

from kdbook import compare
from kdbook.chapters.groups_that_are_not_classes import GroupsThatAreNotClasses, printed_groups
from kdbook.chapters.groups_that_are_not_classes.changes import (
    LABELS,
    RACES,
    SEXES,
    Judged,
    Scored,
    changes,
)
from kdbook.compare import Row
from kdbook.study import StudyFindings

EQUAL = "equal rates"


class Findings(StudyFindings[GroupsThatAreNotClasses]):
    """The forests of a study at its settings, and what follows."""

    @cached_property
    def scored(self) -> Scored:
        """The scores of the test people."""
        return self.study.scored()

    @property
    def thresholds(self) -> tuple[float, ...]:
        """Those of the settings, the paper's likely one first."""
        return self.study.settings.thresholds

    @cached_property
    def judged(self) -> Judged:
        """Who is right at the first threshold."""
        return self.scored.judged(self.thresholds[0])

    @cached_property
    def equal(self) -> Judged:
        """Who is right where every student predicts as many 1s as its one-hot twin at 0.5."""
        return self.scored.judged_at_equal_rates(0.5)

    @cached_property
    def by_label(self) -> pd.DataFrame:
        """The change of each label at every threshold and at equal rates, named by ``setting``."""
        pieces = [
            changes(self.scored.judged(t), LABELS).assign(setting=f"threshold {t:g}")
            for t in self.thresholds
        ]
        pieces.append(changes(self.equal, LABELS).assign(setting=EQUAL))
        return pd.concat(pieces, ignore_index=True)

    def drawn(self) -> pd.DataFrame:
        """The first figure: a row per label and setting."""
        rows = self.by_label.sort_values("group", kind="stable")
        return rows.assign(comparison=rows["group"] + ", " + rows["setting"])

    def headline(self) -> str:
        """The title of the first figure: does the threshold decide who pays, and who at equal?"""
        verdicts = self.by_label.apply(compare.verdict, axis=1)
        at_equal = self.by_label["setting"] == EQUAL
        ways = verdicts[~at_equal].groupby(self.by_label["group"]).agg(set)
        turns = any({"up", "down"} <= way for way in ways)
        first = (
            "The threshold decides which label pays"
            if turns
            else "No label changes sides with the threshold"
        )
        payers = self.by_label[at_equal & (verdicts == "down")]["group"]
        return f"{first}; at equal rates {' and '.join(payers) or 'neither'} does"

    def in_short(self) -> str:
        """The answer in two sentences."""
        settings = self.by_label["setting"].unique()[:-1]
        told = "; ".join(f"at {one} {self._said_at(one, compare.moved)}" for one in settings)
        hurt = self.lost_at_equal_rates()
        return (
            "**In short.** Who pays depends on the threshold, because the distilled tree hands out "
            f"1s at another rate: {told}. Where both students predict equally many 1s, "
            f"{self._said_at(EQUAL, compare.change)}, and of the twenty groups by label, sex and "
            f"race {'; '.join(hurt) or 'none'} loses after correction."
        )

    def _said_at(self, setting: str, said: Callable[[Row], str]) -> str:
        rows = self.by_label[self.by_label["setting"] == setting]
        words = [f"of people with {row['group']} {said(row)}" for _, row in rows.iterrows()]
        return f"the accuracy {' and that '.join(words)}"

    def lost_at_equal_rates(self) -> list[str]:
        """The groups of Table 8 that lose after Holm's correction when rates are equal."""
        rows = changes(self.equal, RACES)
        return list(rows[(rows["mean"] < 0) & (rows["holm"] <= compare.LEVEL)]["group"])

    def beside(self, table: str, threshold: float) -> pd.DataFrame:
        """The groups of a printed table with the paper's numbers and ours."""
        by = printed_groups.TABLES[table]
        ours = changes(self.scored.judged(threshold), by)
        ours["cell"] = ours.apply(compare.signed, axis=1)
        paper = printed_groups.printed_changes(table)
        return paper.merge(ours, on=[*by, "group", "people"])

    @cached_property
    def eight(self) -> pd.DataFrame:
        """Table 8 beside ours at the first threshold, largest group first."""
        rows = self.beside("Table 8", self.thresholds[0])
        return rows.sort_values("people", ascending=False, ignore_index=True)

    def bound(self) -> str:
        """How many printed changes may be chance whoever moved: the second figure's title."""
        count = int((self.eight["least_p"] > compare.LEVEL).sum())
        return f"{count} of {len(self.eight)} printed changes may be chance, whoever moved"

    def people_said(self) -> str:
        """How many people stand behind the paper's loudest numbers."""
        worst = self.eight.iloc[self.eight["printed"].argmin()]
        women = self.eight[self.eight["group"].str.startswith("Black, Female")]
        pairs = women.sort_values("label", ascending=False)[["moved", "people"]].itertuples(
            index=False
        )
        corrected = int((self.eight["least_holm"] > compare.LEVEL).sum())
        return (
            f"The largest printed loss, {worst['printed']:.1f} points in {worst['group']}, is "
            f"{-worst['moved']} of {worst['people']} people. The paper's sentence on Black women "
            f"rests on {' and '.join(f'{-n} of {m}' for n, m in pairs)} people, with the labels "
            "1 and "
            f"0. With Holm's correction over the twenty groups, {corrected} changes cannot be told "
            "from chance. (Table 1 of the paper calls -5.94 the worst subgroup; the minimum of "
            "Table 8 is "
            f"{worst['printed']:.3f}.)"
        )

    def range_said(self) -> str:
        """In how many groups the paper's pair of students lies within the range of our seeds."""
        inside = self.eight["moved"].between(self.eight["fewest"], self.eight["most"])
        outside = "; ".join(self.eight["group"][~inside]) or "none"
        return (
            f"In {inside.sum()} of {len(inside)} groups the paper's net number of people lies "
            "within "
            f"the range of our {self.study.scale_of().seeds} seeds at threshold "
            f"{self.thresholds[0]:g}. Outside: {outside}."
        )

    def sure_said(self) -> list[str]:
        """The groups of Table 8 whose change outlives the correction, at every threshold."""
        return [self._sure(threshold) for threshold in self.thresholds]

    def _sure(self, threshold: float) -> str:
        rows = self.beside("Table 8", threshold)
        rows = rows[rows["holm"] <= compare.LEVEL]
        lost, won = (list(rows["group"][side]) for side in (rows["mean"] < 0, rows["mean"] > 0))
        return (
            f"At threshold {threshold:g}, lose: {'; '.join(lost) or 'none'}. "
            f"Gain: {'; '.join(won) or 'none'}."
        )

    def remember(self) -> str:
        """The result as the first line of what to remember."""
        hurt = self.lost_at_equal_rates()
        return (
            f"* {self.headline()}. Of the twenty groups, {'; '.join(hurt) or 'none'} loses there "
            "after correction. That a small group shows no significant loss does not show that it "
            "is safe."
        )

    def at_equal_rates(self) -> pd.DataFrame:
        """Labels and sexes at equal rates."""
        return pd.concat([changes(self.equal, by) for by in (LABELS, SEXES)])
