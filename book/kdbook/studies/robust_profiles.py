"""What the chapters on robust distillation share: their settings, scales and multiplier rules."""

from __future__ import annotations

from typing import Annotated, Literal, TypeVar

from pydantic import Field

from kdbook.studies.profiles import PROFILES, Profile, profile_of
from kdbook.studies.settings import FromText, Imbalance, Settings
from kdlib.models import ModelSpec
from kdlib.training import PRESETS, MultiplierRule, Recipe

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


def with_seeds(settings: AnySettings, seeds: int | None, *, at_quick: int) -> AnySettings:
    """The settings with so many seeds; None stands for ``at_quick`` or the profile's own."""
    count = seeds or (at_quick if settings.profile == "quick" else None)
    return settings.model_copy(update={"seeds": count})


def robust_profile(settings: RobustSettings) -> Profile:
    """The scale: data, network, recipe and number of seeds.

    At ``paper`` the recipe is that of "Robust distillation" for the data set and its tail.
    """
    dataset = settings.dataset or ("digits" if settings.profile == "quick" else "cifar10")
    imbalance = settings.imbalance or (20.0 if dataset == "digits" else 100.0)
    base = PROFILES["quick" if dataset == "digits" else settings.profile]
    recipe = _recipe(base, settings, dataset, imbalance)
    teachers = base.teacher_recipe if recipe == base.recipe else None
    plain = base.model_copy(update={"recipe": recipe, "teacher_recipe": teachers})
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


def _recipe(base: Profile, settings: RobustSettings, dataset: Dataset, imbalance: float) -> Recipe:
    if settings.profile != "paper" or dataset == "digits":
        return base.recipe
    return PRESETS[f"{dataset}{'' if imbalance == 1 else '_lt'}_robust_paper"]
