"""Who pays for distillation when the groups are not classes? Section 3.5 of Teacher's pet: Adult.

A random forest teaches a single tree (Appendix C.3). Groups are made of label, sex and race. The
paper names neither the encoding of the data nor the threshold of a decision, so both are settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from kdbook.chapters.groups_that_are_not_classes import changes
from kdbook.chapters.groups_that_are_not_classes.changes import Scored
from kdbook.settings import Alpha, FromText, ProfileName
from kdbook.settings import Settings as BaseSettings
from kdbook.study import Computed
from kdlib.data.adult_features import Encoding, Missing, adult_features
from kdlib.metrics import PERCENT
from kdlib.runs.forests import Forest, StudentTree, TeacherForest, fit_forests
from kdlib.runs.store import Store
from kdlib.validated import Frozen

ClassWeight = Literal["none", "teacher", "both"]
Depth = Annotated[int, Field(ge=1, le=64), FromText]
Threshold = Annotated[float, Field(gt=0, lt=1)]
GRID_ALPHAS, GRID_DEPTHS = (0.25, 0.5, 0.75, 0.9, 1.0), (4, 8, 12, 16, 20)
GRID_THRESHOLDS = tuple(round(0.1 + 0.05 * step, 2) for step in range(17))


class Scale(Frozen):
    """How much of it: all profiles use the whole of Adult.

    Attributes:
        seeds: teachers, each with its students.
        compared_seeds: the same for each other recipe that ``recipes`` compares.
        trees: of a teacher; the paper has 500.
    """

    seeds: int
    compared_seeds: int
    trees: int


SCALES: dict[ProfileName, Scale] = {
    "quick": Scale(seeds=10, compared_seeds=3, trees=50),
    "standard": Scale(seeds=10, compared_seeds=5, trees=500),
    "paper": Scale(seeds=20, compared_seeds=5, trees=500),
}


class Settings(BaseSettings):
    """What the chapter lets a reader set.

    Attributes:
        alpha: the teacher's share of the student's target, 0 to 1.
        depth: largest depth of the student's tree, 1 to 64.
        teacher_depth: the same of the teacher's trees.
        trees: of the teacher, 1 to 5,000; ``None``: the profile's.
        encoding: ``ordinal`` or ``one-hot``.
        missing: ``keep`` or ``drop`` the people with an unknown attribute.
        class_weight: whether both labels weigh the same in the fit of no forest, of the teacher,
            or of teacher and students.
        thresholds: a score from here on is a 1; each between 0 and 1. The first is the one nearest
            the paper's printed accuracies of those that we tried, the second the usual one.
    """

    alpha: Alpha = 0.9
    depth: Depth = 20
    teacher_depth: Depth = 20
    trees: Annotated[Annotated[int, Field(ge=1, le=5000)] | None, FromText] = None
    encoding: Encoding = "ordinal"
    missing: Missing = "keep"
    class_weight: ClassWeight = "none"
    thresholds: Annotated[tuple[Threshold, ...], Field(min_length=1), FromText] = (0.3, 0.5)


def _choices() -> list[dict[str, str]]:
    weights: Sequence[ClassWeight] = ("none", "teacher", "both")
    kept = [
        {"encoding": encoding, "missing": "keep", "class_weight": weight}
        for encoding in ("ordinal", "one-hot")
        for weight in weights
    ]
    return [*kept, {"encoding": "ordinal", "missing": "drop", "class_weight": "none"}]


class GroupsThatAreNotClasses(Computed[Settings]):
    """Its table, and what the chapter makes of it."""

    question = "Who pays for distillation when the groups are not classes?"
    scale = PERCENT
    Settings = Settings

    def scale_of(self) -> Scale:
        """The profile's scale, with the seeds and trees of the settings where they give them."""
        scale = SCALES[self.settings.profile]
        seeds = scale.seeds if self.settings.seeds is None else self.settings.seeds
        compared = scale.compared_seeds if self.settings.seeds is None else self.settings.seeds
        trees = scale.trees if self.settings.trees is None else self.settings.trees
        return Scale(seeds=seeds, compared_seeds=compared, trees=trees)

    def teacher(self, seed: int) -> TeacherForest:
        """The teacher of a seed."""
        weight = "none" if self.settings.class_weight == "none" else "balanced"
        return TeacherForest.parse(
            encoding=self.settings.encoding, missing=self.settings.missing, class_weight=weight,
            depth=self.settings.teacher_depth, trees=self.scale_of().trees, seed=seed,
        )  # fmt: skip

    def student(self, seed: int, *, alpha: float) -> StudentTree:
        """The student of a seed: the seed decides its bootstrap sample, whatever alpha is."""
        weight = "balanced" if self.settings.class_weight == "both" else "none"
        return StudentTree.parse(
            encoding=self.settings.encoding, missing=self.settings.missing, class_weight=weight,
            depth=self.settings.depth, seed=seed, alpha=alpha,
            teacher=self.teacher(seed) if alpha else None,
        )  # fmt: skip

    def scored(self, store: Store | None = None, *, seeds: int | None = None) -> Scored:
        """Scores of the test people by teacher, one-hot and distilled student of every seed.

        Fits what the store lacks. ``seeds`` overrides the number of seeds.
        """
        numbers = range(seeds or self.scale_of().seeds)
        methods: dict[str, list[Forest]] = {
            "teacher": [self.teacher(s) for s in numbers],
            "one-hot": [self.student(s, alpha=0.0) for s in numbers],
            "distilled": [self.student(s, alpha=self.settings.alpha) for s in numbers],
        }
        found = fit_forests([spec for specs in methods.values() for spec in specs], store)
        tests = np.stack([scores["test"] for scores in found]).reshape(
            len(methods), len(numbers), -1
        )
        people = adult_features(self.settings.encoding, self.settings.missing).people.test.groups
        return Scored(people, dict(zip(methods, tests, strict=True)))

    def provenance(self) -> dict[str, Any]:
        """What a record says of the data and the forests: dataset, model, recipe."""
        trees, depths = self.scale_of().trees, (self.settings.teacher_depth, self.settings.depth)
        depth = f"all of depth {depths[0]}" if depths[0] == depths[1] else f"of depths {depths}"
        chosen = self.settings.model_dump(
            mode="json", include={"alpha", "encoding", "class_weight"}
        )
        return {
            "dataset": "adult",
            "model": f"a tree taught by {trees} trees, {depth}",
            "recipe": {
                "trees": trees,
                "depths": list(depths),
                "missing": self.settings.missing,
                **chosen,
            },
        }

    def compute(self, store: Store | None = None) -> pd.DataFrame:
        """One number per row: method, threshold, group, seed and ``value``, an accuracy in percent.

        The groups are those of ``group_changes.accuracies``.
        """
        found = self.scored(store)
        tables = [
            changes.accuracies(found.judged(threshold)).assign(threshold=threshold)
            for threshold in self.settings.thresholds
        ]
        return pd.concat(tables, ignore_index=True)[
            ["method", "threshold", "group", "seed", "value"]
        ]

    def recipes(self, store: Store | None = None) -> pd.DataFrame:
        """What the unstated choices do, seed by seed, at every threshold of the settings.

        Columns: encoding, missing, class_weight, threshold, seed, then balanced accuracies of
        ``teacher``, ``one-hot``, ``distilled`` in percent and the changes ``label 0`` and
        ``label 1`` in percentage points.
        """
        seeds = self.scale_of().compared_seeds
        pieces = [
            type(self)(self.settings.model_copy(update=choice))
            ._recipe_rows(seeds, store)
            .assign(**choice)
            for choice in _choices()
        ]
        rows = pd.concat(pieces, ignore_index=True)
        names = ["encoding", "missing", "class_weight", "threshold", "seed"]
        return rows[[*names, *(name for name in rows.columns if name not in names)]]

    def grid(self, store: Store | None = None) -> pd.DataFrame:
        """The change by label and sex for every depth, alpha and threshold that a reader may pick.

        Columns: depth, alpha, threshold, label, sex, group, people, mean, low, high (percentage
        points, the interval over people and seeds), seeds.
        """
        depths = sorted({*GRID_DEPTHS, self.settings.depth})
        alphas = sorted({*GRID_ALPHAS, self.settings.alpha} - {0.0})
        self._fit_grid(depths, alphas, store)
        pieces = [
            type(self)(
                self.settings.model_copy(update={"depth": depth, "alpha": alpha})
            )._grid_rows(store)
            for depth in depths
            for alpha in alphas
        ]
        return pd.concat(pieces, ignore_index=True)

    def changes_at(
        self, depth: int, alpha: float, threshold: float, store: Store | None = None
    ) -> pd.DataFrame:
        """The change by label and sex at one depth, alpha and threshold; fits what is missing."""
        chosen = self.settings.model_copy(update={"depth": depth, "alpha": round(alpha, 3)})
        return changes.changes(type(self)(chosen).scored(store).judged(threshold), changes.SEXES)

    def _recipe_rows(self, seeds: int, store: Store | None) -> pd.DataFrame:
        found = self.scored(store, seeds=seeds)
        pieces = []
        for threshold in self.settings.thresholds:
            judged = found.judged(threshold)
            balanced = {name: judged.balanced(name) for name in judged.right}
            change = 100 * (judged.by_label("distilled") - judged.by_label("one-hot"))
            columns = {**balanced, "label 0": change[:, 0], "label 1": change[:, 1]}
            pieces.append(pd.DataFrame({"threshold": threshold, "seed": range(seeds), **columns}))
        return pd.concat(pieces)

    def _fit_grid(
        self, depths: Sequence[int], alphas: Sequence[float], store: Store | None
    ) -> None:
        """All trees of the grid at once, so that every core is busy."""
        each_depth = [self.settings.model_copy(update={"depth": depth}) for depth in depths]
        fit_forests(
            [
                type(self)(one).student(seed, alpha=alpha)
                for one in each_depth
                for alpha in (0.0, *alphas)
                for seed in range(self.scale_of().seeds)
            ],
            store,
        )

    def _grid_rows(self, store: Store | None) -> pd.DataFrame:
        found = self.scored(store)
        rows = [
            changes.changes(found.judged(t), ("label", "sex")).assign(threshold=t)
            for t in GRID_THRESHOLDS
        ]
        named = pd.concat(rows).assign(depth=self.settings.depth, alpha=self.settings.alpha)
        wanted = ["label", "sex", "group", "people", "mean", "low", "high", "seeds"]
        return named[["depth", "alpha", "threshold", *wanted]]
