"""What the chapters on robust distillation share: their settings, scales and multiplier rules."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import Field

from kdbook.studies.profiles import PROFILES, Profile, profile_of
from kdbook.studies.settings import FromText, Imbalance, ProfileName, Settings, Temperature
from kdlib.models import ModelSpec
from kdlib.training import PRESETS, MultiplierRule
from kdlib.validated import Frozen

AnySettings = TypeVar("AnySettings", bound="RobustSettings")
Dataset = Literal["digits", "cifar10", "cifar100"]


class RobustSettings(Settings):
    """Base of the settings of every study of "Robust distillation".

    Attributes:
        dataset: ``digits``, ``cifar10`` or ``cifar100``; by default digits at ``quick`` and
            CIFAR-10 elsewhere.
        imbalance: long-tail ratio, 1 to 1000; by default 20 on digits and 100 elsewhere.
        depth: of the CIFAR ResNet that teacher and student are, 6n + 2; None takes the profile's.
        step: of exponentiated gradient.
        update_every: training steps between two moves of the multipliers; the paper does not say.
            By default 4 at ``quick``, where a training has 200 steps, and 32 elsewhere, as in the
            public code of Narasimhan and Menon (2021).
        validation_part: the multipliers see ``all`` validation images, as in the paper, or the
            ``first_half``, so that the other half can select.
    """

    dataset: Annotated[Dataset | None, FromText] = None
    imbalance: Annotated[Imbalance | None, FromText] = None
    depth: Annotated[Annotated[int, Field(ge=8, le=1202)] | None, FromText] = None
    step: Annotated[float, Field(ge=0, le=100), FromText] = 0.1
    update_every: Annotated[Annotated[int, Field(ge=1, le=100_000)] | None, FromText] = None
    validation_part: Literal["all", "first_half"] = "all"


class Teaching(Frozen):
    """How the students of a scale are taught.

    Attributes:
        fixed_teacher: whether the students of all seeds learn from the teacher of seed 0 (main
            Table 1), or each seed has its own (supplementary Table 3).
        more_teachers: whether teachers that teach nobody are trained for the other seeds, so that
            the rows of teachers have a spread.
        temperatures: of the teacher's probabilities in training, among which each cell's is chosen.
        validation_temperatures: of those on validation images, chosen along with it; only students
            whose multipliers move by the teacher's labels there have one.
    """

    fixed_teacher: bool
    more_teachers: bool
    temperatures: tuple[float, ...]
    validation_temperatures: tuple[float, ...]


SMALLER = Teaching(
    fixed_teacher=False, more_teachers=False, temperatures=(1.0,), validation_temperatures=(1.0,)
)
PAPER = Teaching(
    fixed_teacher=True,
    more_teachers=True,
    temperatures=(1.0, 3.0, 5.0),
    validation_temperatures=(0.1, 1.0, 3.0, 5.0),
)
"""Section E.2: ten students of one teacher; networks without a teacher are trained ten times."""

PAPER_SEEDS = 10
Temperatures = Annotated[tuple[Temperature, ...], Field(min_length=1)]


class TaughtSettings(RobustSettings):
    """Base of the settings of studies that choose a temperature for each cell.

    Attributes:
        temperatures: of the teacher's probabilities in training, each 0.05 to 100; by default 1, 3
            and 5 at ``paper``, and 1 elsewhere.
        validation_temperatures: of those on validation images; by default 0.1, 1, 3 and 5 at
            ``paper``, and 1 elsewhere.
        fixed_teacher: whether all students learn from one teacher, as in main Table 1; by default
            at ``paper`` only.
    """

    temperatures: Annotated[Temperatures | None, FromText] = None
    validation_temperatures: Annotated[Temperatures | None, FromText] = None
    fixed_teacher: Annotated[bool | None, FromText] = None


def teaching_at(profile: ProfileName, dataset: str | None) -> Teaching:
    """How students are taught at a profile, where the settings do not say otherwise."""
    return PAPER if profile == "paper" and dataset != "digits" else SMALLER


def teaching(settings: TaughtSettings) -> Teaching:
    """How the students of these settings are taught; each temperature once."""
    named = {
        key: value
        for key, value in settings.model_dump(include=set(Teaching.model_fields)).items()
        if value is not None
    }
    for key in {"temperatures", "validation_temperatures"} & named.keys():
        named[key] = tuple(dict.fromkeys(named[key]))
    return teaching_at(settings.profile, settings.dataset).model_copy(update=named)


def with_seeds(settings: AnySettings, seeds: int | None, *, at_quick: int) -> AnySettings:
    """The settings with so many seeds; None stands for ``at_quick`` or the profile's own."""
    count = seeds or (at_quick if settings.profile == "quick" else None)
    return settings.model_copy(update={"seeds": count})


def robust_profile(settings: RobustSettings) -> Profile:
    """The scale: data, network, recipe and number of seeds.

    At ``paper`` recipe and number of seeds are those of "Robust distillation" for the data set and
    its tail.
    """
    dataset = settings.dataset or ("digits" if settings.profile == "quick" else "cifar10")
    imbalance = settings.imbalance or (20.0 if dataset == "digits" else 100.0)
    base = PROFILES["quick" if dataset == "digits" else settings.profile].at(imbalance)
    papers = settings.profile == "paper" and dataset != "digits"
    plain = _as_in_the_paper(base, dataset, imbalance) if papers else base
    changes: dict[str, object] = {"dataset": dataset, "imbalance": imbalance}
    if settings.depth is not None:
        changes["model"] = ModelSpec.parse(depth=settings.depth)
    return profile_of(settings, plain).model_copy(update=changes)


def multiplier_rule(settings: RobustSettings, alpha: float = 1.0) -> MultiplierRule:
    """How the multipliers move at the settings' scale.

    The held-out examples of a move are a random part of the validation images, so that a robust
    training costs at most 1.15 times a standard one: measuring an image costs a third of training
    on it.
    """
    quick = settings.profile == "quick"
    return MultiplierRule(
        alpha=alpha,
        step=settings.step,
        update_every=settings.update_every or (4 if quick else 32),
        batch_size=100 if quick else 1024,
    )


def _as_in_the_paper(base: Profile, dataset: Dataset, imbalance: float) -> Profile:
    preset = f"{dataset}{'' if imbalance == 1 else '_lt'}_robust_paper"
    seeds = {"seeds": PAPER_SEEDS, "sweep_seeds": PAPER_SEEDS}
    return base.model_copy(update={"recipe": PRESETS[preset], "teacher_recipe": None, **seeds})
