"""What the chapter's folded sections show: temperatures, one teacher, stricter choice, collapse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from kdbook import compare, selection, tables
from kdbook.chapters.teacher_and_student import TeacherAndStudent
from kdbook.chapters.teacher_and_student import objective_protocols as protocols
from kdbook.chapters.teacher_and_student.findings import MEASURES, TEACHERS, label_pairs
from kdbook.chapters.teacher_and_student.objective_cells import LABELS, answer, robust_twice
from kdbook.collapse import collapses, paths
from kdlib.runs import RunResult

CORNERS = (
    "std / std-d",
    "rob / std-d",
    "std / rob-d (teacher labels)",
    "rob / rob-d (teacher labels)",
)
ROBUST = tuple(f"{t} / rob-d ({labels} labels)" for t in ("std", "rob") for labels in LABELS)
NOT_RECORDED = "Not recorded at these settings."
_SPLITS = {"first_half": "first half", "second_half": "second half", "worst_1": "test"}
_SWINGS = {
    "end": "at the end", "least": "least", "few": "moves with fewer than 2 (%)",
    "leaders": "classes that led",
}  # fmt: skip


class Further:
    """The chapter's study with its finished runs, and what further sections ask of them.

    Attributes:
        study: the chapter's.
        results: of its members.
        per_seed: its table.
        heats: the first temperature in training and on validation images.
        usual: the rows of ``per_seed`` at these.
    """

    def __init__(self, study: TeacherAndStudent) -> None:
        how = study.teaching
        self.study, self.results, self.per_seed = study, study.results(), study.table
        self.heats = how.temperatures[0], how.validation_temperatures[0]
        self.usual = protocols.at_temperatures(self.per_seed, *self.heats)
        self._named = list(zip(study.members(), self.results, strict=True))

    def at_chosen_temperatures(self) -> tuple[pd.DataFrame, str] | None:
        """Each cell's chosen temperature with its worst class, and the answer in words."""
        three = self.study.settings.model_copy(update={"temperatures": (1.0, 3.0, 5.0), "seeds": 5})
        rows = self.study.at(three).recorded_rows(["validation_worst"])
        if len(rows) != len(self.study.at(three).members()):
            return None
        best, picked = selection.at_best(rows)
        cold = rows[rows["temperature"] == 1]
        worst, at_one = (one.groupby("method")["worst_1"].mean() for one in (best, cold))
        table = picked.set_index("method")[["temperature"]].map("{:g}".format)
        pairs = robust_twice(best, float("nan"), MEASURES)
        said = " ".join(answer(pairs, labels) for labels in LABELS)
        table = table.assign(**{"worst class (%)": worst, "worst class at T = 1 (%)": at_one})
        return table.rename_axis(
            "teacher / student"
        ), f"{best['seed'].nunique()} recorded seeds. {said}"

    def spreads(self) -> tuple[pd.DataFrame, str]:
        """Worst class over students of one teacher and of a teacher each, and a sentence."""
        fixed = self.study.teaching.fixed_teacher
        turned = self._turned(fixed_teacher=not fixed, seeds=self.per_seed["seed"].nunique())
        both = {
            TEACHERS[fixed]: self.usual[self.usual["method"].isin(CORNERS)],
            TEACHERS[not fixed]: protocols.recorded_or_trained(turned, CORNERS),
        }
        found = {
            name: rows.groupby("method")["worst_1"].agg(["mean", "std"])
            for name, rows in both.items()
        }
        each, one = (found[TEACHERS[way]]["std"].mean() for way in (False, True))
        words = {"mean": "mean (%)", "std": "standard deviation"}
        table = pd.concat(found, axis=1).rename(columns=words).rename_axis("teacher / student")
        return table, (
            f"Averaged over these cells, the standard deviation is {each:.1f} points with a "
            f"teacher each and {one:.1f} with one."
        )

    def halves(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Rows of the stricter protocol, and the same cells of the paper's."""
        half = self._turned(validation_part="first_half", seeds=self.per_seed["seed"].nunique())
        wanted = {*ROBUST, "teacher rob"}
        strict = protocols.recorded_or_trained(half, wanted)
        return strict, self.usual[self.usual["method"].isin(wanted)]

    def swings(self) -> pd.DataFrame:
        """How the multipliers of the chapter's own runs moved; a row per run."""
        moved = self.study.multiplier_paths(self.results)
        return protocols.swings(protocols.at_temperatures(moved, *self.heats))

    def hurried(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Students of one seed with steps a hundred times as large: their swings, their paths."""
        members = [
            protocols.with_step(member, 100 * self.study.settings.step)
            for member in protocols.robust_members(self._turned(seeds=1))
        ]
        ended = self.study.train(members)
        moved = paths(members, ended)
        worst = tables.per_seed(members, ended, "robust_distillation")[["method", "worst_1"]]
        return protocols.swings(moved).merge(worst, on="method"), moved

    def floors(self) -> pd.DataFrame:
        """The largest and smallest floor of each kind of teacher, mean over seeds, in percent."""
        rows = [
            {"teacher": m.method.removeprefix("teacher "), **self._floors_of(r)}
            for m, r in self._named
            if m.method.startswith("teacher")
        ]
        return pd.DataFrame(rows).groupby("teacher", sort=False).mean()

    def agreement(self) -> pd.DataFrame:
        """One row per robust run: does its weight go where its teacher's floor is high?"""
        kept = set(self.usual["run"])
        robust = [
            (m, r) for m, r in self._named if m.method.endswith("labels)") and m.spec.id in kept
        ]
        teachers = {m.spec.id: r for m, r in self._named if m.method.startswith("teacher")}
        members, results = zip(*robust, strict=True)
        return protocols.floor_agreements(members, results, teachers)

    def _turned(self, **changes: Any) -> Any:
        heat, on_validation = self.heats
        first = {"temperatures": (heat,), "validation_temperatures": (on_validation,)}
        return self.study.settings.model_copy(update=first | changes)

    def _floors_of(self, teacher: RunResult) -> dict[str, float]:
        floors = 100 * protocols.label_floors(teacher, self.heats[1])
        return {"largest (%)": float(floors.max()), "smallest (%)": float(floors.min())}


def by_halves(strict: pd.DataFrame, whole: pd.DataFrame) -> pd.DataFrame:
    """Worst class on either half of validation and on test, in both protocols, in percent."""
    parts = {"multipliers from the first half": strict, "multipliers from all": whole}
    means = {
        name: rows.groupby("method")[list(_SPLITS)].mean().rename(columns=_SPLITS)
        for name, rows in parts.items()
    }
    return pd.concat(means, names=["protocol", "teacher / student"])


def seen_said(strict: pd.DataFrame, whole: pd.DataFrame) -> str:
    """What having been seen adds to a half, and the control, in sentences."""
    edge = protocols.advantage_of_the_seen_half(strict, whole).groupby("seed")
    means = edge[["gap", "easier", "advantage"]].mean()
    gap, easier, seen = (
        compare.change(compare.mean_over_seeds(means[name].tolist())) for name in means
    )
    return (
        f"In the stricter protocol, from the unseen half to the seen one, the worst class {gap}. "
        f"In the control, where both halves were seen, it {easier} from the second half to the "
        f"first. The first minus the second, which is what having been seen adds, {seen}."
    )


def excesses(strict: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """What each seed chooses by either half and what it keeps of the promise; and a sentence."""
    students = strict[strict["method"] != "teacher rob"]
    words = {"first": "seen half", "second": "unseen half"}
    found = {
        word: protocols.choices(students, f"{half}_half").set_index("seed")
        for half, word in words.items()
    }
    said = [
        f"chosen by the {word} the excess is "
        f"{compare.signed(compare.mean_over_seeds(rows['excess'].tolist()))} points"
        for word, rows in found.items()
    ]
    heads = {"method": "teacher / student", "promised": "promised (%)",
             "delivered": "on test (%)", "excess": "excess"}  # fmt: skip
    table = pd.concat(found, names=["chosen by the"]).rename(columns=heads)
    return table, f"On average {', '.join(said)}."


def swings_shown(swings: pd.DataFrame) -> pd.DataFrame:
    """Means over runs of ``objective_protocols.swings``, with headings in words."""
    shown = {name: words for name, words in _SWINGS.items() if name in swings}
    more = {"worst_1": "worst class on test (%)"} if "worst_1" in swings else {}
    means = swings.groupby("method", sort=False)[[*shown, *more]].mean()
    return means.rename(columns=shown | more).rename_axis("teacher / student")


def evenness(rows: pd.DataFrame, cell: str) -> pd.DataFrame:
    """How even the multipliers are at each move, in the trainings of one pair of objectives.

    Args:
        rows: as ``kdbook.collapse.paths`` gives them.
        cell: how their methods' names start, e.g. ``rob / rob-d``.
    """
    return collapses(rows[rows["method"].str.startswith(cell)])


def ended_few(runs: pd.DataFrame, step: float) -> str:
    """How many trainings end with one class or two."""
    few = int((runs["end"] < protocols.FEW).sum())
    return f"at step size {step:g}, {few} of {len(runs)} trainings end with fewer than 2 classes"


def followed(agreement: pd.DataFrame) -> pd.DataFrame:
    """Agreement by kind of labels under each teacher, and one-hot minus teacher labels."""
    rows = agreement.assign(temperature=float("nan"))
    found = compare.compare_corrected(rows, label_pairs(), {"agreement": "agreement"})
    levels = compare.with_intervals(rows, "agreement", ["method"])
    one_hot, teacher = zip(*label_pairs(), strict=True)
    return pd.DataFrame(
        {
            "teacher": ["standard", "balanced", "robust"],
            "one-hot labels": _levels(levels, one_hot),
            "teacher labels": _levels(levels, teacher),
            "difference": [compare.signed(row, digits=2) for _, row in found.iterrows()],
            "p, corrected": found["holm"].map("{:.3f}".format).tolist(),
        }
    )


def _levels(levels: pd.DataFrame, names: Sequence[str]) -> list[str]:
    return [compare.level(compare.row_of(levels, method=name), digits=2) for name in names]
