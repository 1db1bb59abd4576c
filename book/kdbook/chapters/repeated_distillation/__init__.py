"""What happens when the student becomes the teacher? Appendix C.5 of Teacher's pet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import pandas as pd
import torch
from pydantic import Field
from torch import Tensor

from kdbook import compare, tables
from kdbook.compare import a_tenth, signed
from kdbook.families import Family, families_at
from kdbook.settings import FromText, Imbalance, ProfileName, Temperature
from kdbook.tables import Member
from kdbook.tuning import Results, TunedSettings, TunedStudy
from kdlib.losses import teacher_probabilities
from kdlib.runs import RunResult

Trust = Annotated[float, Field(gt=0, le=1), FromText]
Rounds = Annotated[int, Field(ge=1, le=20), FromText]
_SEEDS = 5
ROUNDS: dict[ProfileName, int] = {"quick": 6, "standard": 3, "paper": 3}
"""Rounds where the settings name none: the paper's 3, and on to 6 where they cost seconds."""


class Settings(TunedSettings):
    """What the chapter lets a reader set; ``seeds`` is 5, or the profile's fewer, if not given.

    Attributes:
        imbalance: long-tail ratio, 1 to 1000; ``None``: the profile's.
        temperatures: of the teacher's probabilities in every round, each 0.05 to 100.
        alpha: trust in the teacher in every round, above 0 and at most 1 (equation 1).
        rounds: how often it is distilled, 1 to 20; ``None``: 6 at ``quick``, else 3.
        mixed_alpha: a second trust of the same range, trained at the last of the temperatures,
            so that labels come in again each round; ``None``: no such contrast.
    """

    imbalance: Annotated[Imbalance | None, FromText] = None
    temperatures: Annotated[tuple[Temperature, ...], Field(min_length=1), FromText] = (1.0, 3.0)
    alpha: Trust = 1.0
    rounds: Annotated[Rounds | None, FromText] = None
    mixed_alpha: Annotated[Trust | None, FromText] = None


def measures(num_classes: int) -> dict[str, str]:
    """The columns of Table 9 and their names here."""
    k = a_tenth(num_classes)
    worst = "worst class" if k == 1 else f"worst {k} classes"
    ends = {"best_tenth": "best tenth", "delta": "mean − worst"}
    return {"mean": "mean", f"worst_{k}": worst} | ends


def against(table: pd.DataFrame, value: str, base: int = 0) -> pd.DataFrame:
    """Each later round minus round ``base`` of its chain, within a seed.

    Args:
        table: as ``per_seed`` gives it.
        value: the column to subtract.
        base: 0 is the one-hot student, which all chains share.

    Returns:
        Columns: chain, round, seed, difference.
    """
    taught = table[table["round"] > base].assign(chain=lambda rows: chain_names(rows))
    if base:
        first, keys = table[table["round"] == base], ["chain", "seed"]
        first = first.assign(chain=chain_names(first))
    else:
        first, keys = table[table["method"] == "one-hot"], ["seed"]
    both = taught.merge(first[[*keys, value]], on=keys, validate="many_to_one")
    difference = both[f"{value}_x"] - both[f"{value}_y"]
    numbered = both[["chain", "round", "seed"]].astype({"round": int})  # a record has floats
    return numbered.assign(difference=difference)


def overview(table: pd.DataFrame) -> pd.DataFrame:
    """Each round of each chain minus the one-hot student, as text, by the measures of Table 9.

    Args:
        table: as ``per_seed`` gives it, or a record of it.
    """
    count = 100 if "worst_10" in table else 10
    columns = {
        words: compare.with_intervals(against(table, key), "difference", ["chain", "round"])
        .set_index(["chain", "round"])
        .apply(signed, axis=1)
        for key, words in measures(count).items()
    }
    return pd.DataFrame(columns)


def chain_names(table: pd.DataFrame) -> list[str]:
    """The chain of each row, e.g. ``T = 3`` or ``T = 3, α = 0.5``; empty for round 0."""
    pairs = zip(table["temperature"], table["alpha"], strict=True)
    return [_chain_name(temperature, alpha) for temperature, alpha in pairs]


def _chain_name(temperature: float, alpha: float) -> str:
    if pd.isna(temperature):
        return ""
    mixed = "" if alpha == 1 else f", α = {alpha:g}"
    return f"T = {temperature:g}{mixed}"


def round_name(number: int) -> str:
    """The method of a round, e.g. ``distilled 2×``; ``one-hot`` for round 0."""
    return f"distilled {number}×" if number else "one-hot"


def entropies(probs: Tensor) -> Tensor:
    """Entropy in nats of each row of ``probs [N, L]``; ``[N]``, from 0 to ln L."""
    return torch.special.entr(probs).sum(dim=1)


def ideal_targets(logits: Tensor, temperature: float, rounds: int) -> list[Tensor]:
    """Targets of each round if every student fitted its targets exactly.

    A student has no temperature, so a perfect one has logits f / T up to a constant, and the next
    round divides by T again: in round r the target is softmax(f / T^r).

    Args:
        logits: of the first teacher, ``[N, L]``.
        temperature: of every round, above 0.
        rounds: how many, at least 1.

    Returns:
        ``rounds`` tensors ``[N, L]``.
    """
    return [(logits / temperature**number).softmax(dim=1) for number in range(1, rounds + 1)]


def _target_rows(member: Member, logits: Tensor, labels: Tensor) -> pd.DataFrame:
    probs = teacher_probabilities(logits, member.temperature)
    own, num_classes = probs[torch.arange(len(labels)), labels], probs.shape[1]
    return pd.DataFrame(
        {
            "seed": member.seed,
            "temperature": member.temperature,
            **dict(member.place),
            "label": range(num_classes),
            "entropy": tables.class_averages(entropies(probs), labels, num_classes),
            "own": tables.class_averages(own, labels, num_classes),
        }
    )


class RepeatedDistillation(TunedStudy[Settings]):
    """Its runs and their tables."""

    question = "What happens when the student becomes the teacher?"
    Settings = Settings

    def number_of_rounds(self) -> int:
        """The settings' rounds, or the profile's."""
        return self.settings.rounds or ROUNDS[self.settings.profile]

    def study_families(self) -> Sequence[Family]:
        """One family per seed at the settings' ratio.

        Students train as long as teachers, since each is the next one's teacher.
        """
        profile = self.profile
        ratio = profile.imbalance if self.settings.imbalance is None else self.settings.imbalance
        seeds = self.settings.seeds or min(_SEEDS, profile.seeds)
        changes = {"seeds": seeds, "recipe": profile.at(ratio).teachers_recipe}
        return families_at(profile.at(ratio).model_copy(update=changes), ratio)

    def chains(self) -> list[tuple[float, float]]:
        """Temperature and alpha of each chain of rounds, each once."""
        named = [(t, self.settings.alpha) for t in self.settings.temperatures]
        if self.settings.mixed_alpha is not None:
            named.append((self.settings.temperatures[-1], self.settings.mixed_alpha))
        return list(dict.fromkeys(named))

    def reported(self, results: Results) -> pd.DataFrame:
        """One row per run of ``members``; see ``kdbook.tables.per_seed``.

        One more column is Table 9's: ``delta`` is the mean minus the worst tenth, in points.
        """
        table = super().reported(results)
        count = next(len(r.accuracy()) for r in results if r is not None)
        return table.assign(delta=table["mean"] - table[f"worst_{a_tenth(count)}"])

    def target_entropies(self, results: Sequence[RunResult]) -> pd.DataFrame:
        """What the teacher of each round says of the training images, by class.

        Columns: seed, temperature, alpha, round, label, entropy (of its probabilities at the
        temperature, mean over the class, in nats), own (its mean probability of the label, 0 to
        1). The images are as they are, without the crops of the training.
        """
        named = self.members()
        placed = list(zip(named, results[: len(named)], strict=True))
        found = {member.spec.id: result for member, result in placed}
        logits = {i: tables.training_logits(r) for i, r in found.items() if r.status != "diverged"}
        pieces = [
            _target_rows(member, *logits[member.spec.teacher.id])
            for member, _ in placed
            if member.spec.teacher is not None and member.spec.teacher.id in logits
        ]
        return pd.concat(pieces, ignore_index=True)

    def family_members(self, family: Family) -> list[Member]:
        """Teacher and one-hot student, then the student of every round of every chain.

        The column ``round`` is 0 for the first two and ``alpha`` is the chain's, 0 for the first
        two.
        """
        first: tuple[tuple[str, str | float], ...] = (("round", 0), ("alpha", 0.0))
        nan, ratio, seed = float("nan"), family.imbalance, family.seed
        blind = [
            Member("teacher", ratio, nan, seed, family.teacher(), first),
            Member("one-hot", ratio, nan, seed, family.one_hot(), first),
        ]
        return blind + [
            Member(
                round_name(number), ratio, temperature, seed,
                family.distilled_again(number, temperature, alpha),
                (("round", number), ("alpha", alpha)),
            )
            for temperature, alpha in self.chains()
            for number in range(1, self.number_of_rounds() + 1)
        ]  # fmt: skip
