"""At what scale a study runs: data, network, recipe and number of seeds, under three names."""

from __future__ import annotations

from pydantic import Field

from kdbook.settings import Dataset, ProfileName, RobustSettings, Settings
from kdlib.models import AnyModel, ImageNetResNet, ModelSpec
from kdlib.runs.spec import DatasetName
from kdlib.training import PRESETS, MultiplierRule, Recipe
from kdlib.validated import Frozen

PAPER_SEEDS = 10


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


class Profile(Frozen):
    """One scale.

    Attributes:
        dataset: what is trained on.
        imbalance: long-tail ratio between the most and the least frequent class.
        imbalances: the ratios of the skew sweep, ascending, ``imbalance`` among them.
        model: teacher and student (self-distillation, as in section 5 of Teacher's pet).
        recipe: how each student is trained.
        teacher_recipe: how each teacher is trained; ``None``: as the students.
        balanced_recipe: how each student is trained at ratio 1; ``None``: as at other ratios.
        balanced_teacher_recipe: how each teacher is trained there; ``None``: as the students there.
        seeds: how many families of runs at ``imbalance``.
        sweep_seeds: how many at each other ratio.
        new_subset_each_seed: whether each seed draws its own long-tailed subset, so that intervals
            also cover which examples the tail happens to hold.
    """

    dataset: DatasetName
    imbalance: float
    imbalances: tuple[float, ...]
    model: AnyModel
    recipe: Recipe
    teacher_recipe: Recipe | None = None
    balanced_recipe: Recipe | None = None
    balanced_teacher_recipe: Recipe | None = None
    seeds: int = Field(ge=1)
    sweep_seeds: int = Field(ge=1)
    new_subset_each_seed: bool

    @property
    def teachers_recipe(self) -> Recipe:
        """How the teachers are trained."""
        return self.teacher_recipe or self.recipe

    def at(self, imbalance: float) -> Profile:
        """The profile with the recipes that families of this ratio have."""
        changes: dict[str, object] = {"balanced_recipe": None, "balanced_teacher_recipe": None}
        if imbalance == 1 and self.balanced_recipe is not None:
            changes["recipe"] = self.balanced_recipe
            changes["teacher_recipe"] = self.balanced_teacher_recipe
        return self.model_copy(update=changes)


PROFILES: dict[ProfileName, Profile] = {
    "quick": Profile(
        dataset="digits",
        imbalance=20.0,
        imbalances=(1.0, 5.0, 20.0, 50.0, 100.0),
        model=ModelSpec(depth=8),
        recipe=PRESETS["digits"],
        teacher_recipe=PRESETS["digits_teacher"],
        seeds=10,
        sweep_seeds=4,
        new_subset_each_seed=True,
    ),
    "standard": Profile(
        dataset="cifar100",
        imbalance=100.0,
        imbalances=(1.0, 5.0, 20.0, 50.0, 100.0),
        model=ModelSpec(depth=20),
        recipe=PRESETS["cifar_scaled"],
        seeds=3,
        sweep_seeds=3,
        new_subset_each_seed=False,
    ),
    "paper": Profile(
        dataset="cifar100",
        imbalance=100.0,
        imbalances=(1.0, 5.0, 20.0, 50.0, 100.0),
        model=ModelSpec(depth=56),
        recipe=PRESETS["cifar100_lt_paper"],
        balanced_recipe=PRESETS["cifar100_paper"],
        seeds=3,
        sweep_seeds=3,
        new_subset_each_seed=False,
    ),
}


def _large(dataset: DatasetName, recipe: Recipe) -> Profile:
    """A set of photographs at the paper's scale; its tail, if any, is its own."""
    return Profile(
        dataset=dataset,
        imbalance=1.0,
        imbalances=(1.0,),
        model=ImageNetResNet(depth=50),
        recipe=recipe,
        seeds=3,
        sweep_seeds=3,
        new_subset_each_seed=False,
    )


LARGE_PROFILES: dict[str, Profile] = {
    "imagenet": _large("imagenet", PRESETS["imagenet_paper"]),
    "imagenet_lt": _large("imagenet_lt", PRESETS["imagenet_lt_paper"]),
    "inaturalist2018": _large("inaturalist2018", PRESETS["imagenet_lt_paper"]),
}
"""The paper's other data sets at its scale, by name: ResNet-50, Appendix B of Teacher's pet.

Of iNaturalist the paper says no more than "long-tail datasets: the same with a cosine schedule".
"""


def profile_of(settings: Settings, profile: Profile | None = None) -> Profile:
    """The profile that the settings name, with their seeds, epochs and precision if given.

    At other ``epochs`` the teachers' trainings keep their length beside the students', unless
    ``teacher_epochs`` are given too.

    Args:
        settings: of a study.
        profile: what they change; by default the profile of the name that they give.

    Raises:
        SettingError: a recipe's warm-up and drops do not fit into so few epochs.
    """
    profile = profile or PROFILES[settings.profile]
    students, teachers = _recipes(settings, profile.recipe, profile.teacher_recipe)
    changes: dict[str, object] = {"recipe": students, "teacher_recipe": teachers}
    if profile.balanced_recipe is not None:
        balanced = _recipes(settings, profile.balanced_recipe, profile.balanced_teacher_recipe)
        changes["balanced_recipe"], changes["balanced_teacher_recipe"] = balanced
    if settings.seeds is not None:
        changes |= {"seeds": settings.seeds, "sweep_seeds": settings.seeds}
    return profile.model_copy(update=changes)


def _recipes(
    settings: Settings, students: Recipe, teachers: Recipe | None
) -> tuple[Recipe, Recipe | None]:
    """Those of students and teachers as the settings change them; ``None`` where both are equal."""
    teachers = teachers or students
    length = settings.teacher_epochs
    if length is None and settings.epochs is not None:
        length = round(settings.epochs * teachers.epochs / students.epochs)
    changed = _recipe(students, settings, settings.epochs)
    of_teachers = _recipe(teachers, settings, length)
    return changed, None if of_teachers == changed else of_teachers


def _recipe(recipe: Recipe, settings: Settings, epochs: int | None) -> Recipe:
    if epochs is not None:
        recipe = recipe.with_epochs(epochs)
    if settings.precision is not None:
        recipe = recipe.model_copy(update={"precision": settings.precision})
    return recipe
