"""Does harm need many classes? Section 3.3 of Teacher's pet: the same data with fewer classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from kdbook.chapters.number_of_classes.class_draws import over_draws
from kdbook.compare import a_tenth, paired_rows, signed
from kdbook.families import Family
from kdbook.profiles import Profile
from kdbook.protocol import reported_split
from kdbook.settings import TEMPERATURE, Alpha, FromText, Imbalance, ProfileName, Temperature
from kdbook.settings import Settings as BaseSettings
from kdbook.study import Study
from kdbook.tables import Member, Place
from kdlib.data.class_subsets import kept_classes
from kdlib.metrics import worst_k
from kdlib.runs import RunResult
from kdlib.runs.shapes import SHAPES

Share = Annotated[float, Field(gt=0, le=1), FromText]
Shares = Annotated[tuple[Share, ...], Field(min_length=1), FromText]
Ratios = Annotated[tuple[Imbalance, ...], Field(min_length=1)]
SHARES: dict[ProfileName, tuple[float, ...]] = {
    "quick": (0.2, 0.3, 0.5, 1.0),
    "standard": (0.1, 0.25, 0.5, 1.0),
    "paper": (0.1, 0.25, 0.5, 1.0),
}
"""The paper keeps 10 % of ImageNet. Of ten digits that would be one class, so we start at two."""

_SEEDS = 2


class Settings(BaseSettings):
    """What the chapter lets a reader set; ``seeds`` are those of each draw, 2 if not given.

    Attributes:
        shares: of the classes that are kept, each above 0 and at most 1; ``None``: the profile's.
        draws: how many random choices of the classes at each share below 1, 1 to 100.
        imbalances: long-tail ratios, each 1 to 1000; ``None``: 1, as in the paper, and the
            profile's.
        temperature: of the teacher's probabilities, 0.05 to 100.
        alpha: trust in the teacher, 0 to 1 (equation 1).
    """

    shares: Annotated[Shares | None, FromText] = None
    draws: Annotated[int, Field(ge=1, le=100), FromText] = 3
    imbalances: Annotated[Ratios | None, FromText] = None
    temperature: Temperature = TEMPERATURE
    alpha: Alpha = 1.0


def differences(table: pd.DataFrame, value: str) -> pd.DataFrame:
    """Distilled minus one-hot within each draw and seed.

    Returns:
        Columns: imbalance, classes, draw, seed, difference (percentage points).
    """
    by = ["imbalance", "classes", "draw"]
    return paired_rows(table, value, ("distilled", "one-hot"), by)


def overview(table: pd.DataFrame) -> pd.DataFrame:
    """Distilled minus one-hot at each ratio and number of classes, as text.

    Args:
        table: as ``per_seed`` gives it, or a record of it.
    """
    wanted = {"mean": "mean", "worst_1": "worst class", "worst_10": "worst 10"}
    columns = {
        words: over_draws(differences(table, key), "difference")
        .set_index(["imbalance", "classes"])
        .apply(signed, axis=1)
        for key, words in wanted.items()
    }
    return pd.DataFrame(columns)


def _three_ways(member: Member, result: RunResult, full: RunResult) -> dict[str, object]:
    place, data = dict(member.place), member.spec.data
    split = reported_split(member.spec)
    logits, labels = full.logits(split), full.labels(split)
    kept = kept_classes(data.name, logits.shape[1], data.class_share, data.class_seed)
    rows = np.isin(labels, kept)
    masked = np.full_like(logits, -np.inf)
    masked[:, kept] = logits[:, kept]
    return {
        "imbalance": member.imbalance,
        "classes": place["classes"],
        "draw": place["draw"],
        "seed": member.seed,
        "method": member.method,
        "picked": _worst_of(logits[rows], labels[rows], kept),
        "masked": _worst_of(masked[rows], labels[rows], kept),
        "retrained": 100 * float(result.accuracy(split).min()),
    }


def _worst_of(logits: np.ndarray, labels: np.ndarray, kept: Sequence[int]) -> float:
    right = logits.argmax(axis=1) == labels
    return 100 * min(float(right[labels == label].mean()) for label in kept)


def _summary(result: RunResult) -> dict[str, object]:
    accuracy = 100 * result.accuracy(reported_split(result.spec))
    count = len(accuracy)
    status: dict[str, object] = {"status": result.status, "run": result.spec.id}
    if np.isnan(accuracy).all():
        return dict.fromkeys(("mean", "worst_1", "worst_10", "worst_tenth"), np.nan) | status
    ks = {"worst_1": 1, "worst_10": min(10, count), "worst_tenth": a_tenth(count)}
    worst = {name: float(worst_k(accuracy, k)) for name, k in ks.items()}
    return {"mean": float(accuracy.mean()), **worst, **status}


def _num_classes(profile: Profile, share: float) -> int:
    total = SHAPES[profile.dataset].num_classes
    return len(kept_classes(profile.dataset, total, share, 0))


class NumberOfClasses(Study[Settings]):
    """Its runs and their tables."""

    question = "Does harm need many classes?"
    Settings = Settings

    def shares(self) -> tuple[float, ...]:
        """The shares of the classes, ascending, each once."""
        return tuple(sorted(set(self.settings.shares or SHARES[self.settings.profile])))

    def ratios(self) -> tuple[float, ...]:
        """The imbalance ratios, ascending, each once."""
        return tuple(sorted(set(self.settings.imbalances or (1.0, self.profile.imbalance))))

    def draws_and_seeds(self, share: float) -> list[tuple[int, int]]:
        """Each draw of the classes with each seed: every share keeps the start of the same draws.

        All classes can be drawn in one way only. So that this point does not rest on a seed or
        two, it has as many seeds as there are draws, if these are more.
        """
        seeds = self.settings.seeds or _SEEDS
        if share == 1:
            return [(0, seed) for seed in range(max(seeds, self.settings.draws))]
        return [(draw, seed) for draw in range(self.settings.draws) for seed in range(seeds)]

    def study_families(self) -> Sequence[Family]:
        """A family per ratio, share, draw and seed; all classes are the same for every draw."""
        return [
            Family(self.profile, ratio, seed, class_share=share, class_seed=draw)
            for ratio in self.ratios()
            for share in self.shares()
            for draw, seed in self.draws_and_seeds(share)
        ]

    def place(self, family: Family) -> Place:
        """Columns that place its runs: ``share``, ``classes`` (how many), ``draw``."""
        share, count = family.class_share, _num_classes(family.profile, family.class_share)
        return ("share", share), ("classes", count), ("draw", family.class_seed)

    def per_seed(self, results: Sequence[RunResult | None]) -> pd.DataFrame:
        """One row per finished run: its key and accuracies in percent.

        These are ``mean``, ``worst_1``, ``worst_10`` and ``worst_tenth``. With fewer classes
        ``worst_10`` is the mean over all of them; ``worst_tenth`` is the same share of the classes
        at every number of them, at least one class.
        """
        placed = zip(self.members(), results, strict=True)
        return pd.DataFrame([m.key() | _summary(r) for m, r in placed if r is not None])

    def without_retraining(self, results: Sequence[RunResult]) -> pd.DataFrame:
        """The students of all classes, judged on the classes of each draw only.

        Separates three reasons why the worst of fewer classes is better. In ``picked`` the network
        of all classes answers freely, and only the draw's classes are looked at. In ``masked`` it
        may only answer with these. In ``retrained`` a network has learnt these classes only. The
        network of all classes has the same seed. Students that diverged are left out.

        Returns:
            One row per ratio, share below 1, draw, seed and student: imbalance, classes, draw,
            seed, method, and the worst-class accuracy in percent: picked, masked, retrained.
        """
        placed = [
            (member, result)
            for member, result in zip(self.members(), results, strict=True)
            if member.method != "teacher" and result.status != "diverged"
        ]
        whole = {
            (m.imbalance, m.seed, m.method): r for m, r in placed if m.spec.data.class_share == 1
        }
        rows = [
            _three_ways(member, result, full)
            for member, result in placed
            if member.spec.data.class_share < 1
            and (full := whole.get((member.imbalance, member.seed, member.method)))
        ]
        return pd.DataFrame(rows)
