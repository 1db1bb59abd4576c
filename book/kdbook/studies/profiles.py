"""At what scale a study runs: data, network, recipe and number of seeds, under three names."""

from __future__ import annotations

from pydantic import Field

from kdbook.studies.settings import ProfileName, Settings
from kdlib.models import AnyModel, ImageNetResNet, ModelSpec
from kdlib.runs.spec import DatasetName
from kdlib.training import PRESETS, Recipe
from kdlib.validated import Frozen


class Profile(Frozen):
    """One scale.

    Attributes:
        dataset: what is trained on.
        imbalance: long-tail ratio between the most and the least frequent class.
        imbalances: the ratios of the skew sweep, ascending, ``imbalance`` among them.
        model: teacher and student (self-distillation, as in section 5 of Teacher's pet).
        recipe: how each student is trained.
        teacher_recipe: how each teacher is trained; ``None``: as the students.
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
    seeds: int = Field(ge=1)
    sweep_seeds: int = Field(ge=1)
    new_subset_each_seed: bool

    @property
    def teachers_recipe(self) -> Recipe:
        """How the teachers are trained."""
        return self.teacher_recipe or self.recipe


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
    """
    profile = profile or PROFILES[settings.profile]
    teachers = _recipe(profile.teachers_recipe, settings, _teacher_epochs(profile, settings))
    students = _recipe(profile.recipe, settings, settings.epochs)
    changes: dict[str, object] = {
        "recipe": students,
        "teacher_recipe": None if teachers == students else teachers,
    }
    if settings.seeds is not None:
        changes |= {"seeds": settings.seeds, "sweep_seeds": settings.seeds}
    return profile.model_copy(update=changes)


def _teacher_epochs(profile: Profile, settings: Settings) -> int | None:
    if settings.teacher_epochs is not None or settings.epochs is None:
        return settings.teacher_epochs
    return round(settings.epochs * profile.teachers_recipe.epochs / profile.recipe.epochs)


def _recipe(recipe: Recipe, settings: Settings, epochs: int | None) -> Recipe:
    if epochs is not None:
        recipe = recipe.with_epochs(epochs)
    if settings.precision is not None:
        recipe = recipe.model_copy(update={"precision": settings.precision})
    return recipe
