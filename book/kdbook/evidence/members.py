"""The members of the plan's blocks: what each has for one seed."""

from __future__ import annotations

from kdbook.families import Family
from kdbook.profiles import PROFILES, Profile
from kdbook.robust_families import RobustFamily, objective_name
from kdbook.settings import RobustSettings
from kdbook.tables import Member
from kdlib.models import ModelSpec
from kdlib.runs import RunSpec
from kdlib.training import Recipe, StepDecay

TEMPERATURE = 1.0
"""T* at 60 epochs, chosen by the pilot on dev images (block a)."""

LONG_TEMPERATURE = 2.0
"""T* at 200 epochs, chosen by the pilot on dev images (block a2)."""

HOT = 3.0
"""The hottest temperature of the pilot, beside T*."""

LONG = 200
"""Epochs of a training that is no longer cut short."""

SHORT = 20
"""Epochs of a teacher that is."""

NONE = float("nan")
LONG_TAIL = PROFILES["standard"]
EPOCHS = LONG_TAIL.recipe.epochs
ROBUST = RobustSettings(profile="standard", dataset="cifar10", imbalance=100.0)


def pilot(seed: int) -> list[Member]:
    """Teacher, one-hot and three distilled students that have not seen dev, at two lengths.

    And a teacher of 200 epochs, whose share off the label is compared with theirs.
    """
    students = [m for epochs in (30, 60) for m in _pilot_of(_at(LONG_TAIL, epochs), seed)]
    return [*students, _pilot_of(_at(LONG_TAIL, LONG), seed)[0]]


def long_pilot(seed: int) -> list[Member]:
    """The same at 200 epochs alone."""
    return _pilot_of(_at(LONG_TAIL, LONG), seed)


def _pilot_of(profile: Profile, seed: int) -> list[Member]:
    family = Family(profile, profile.imbalance, seed, sees_dev=False)
    place = (("epochs", float(profile.recipe.epochs)),)
    named = [("teacher", NONE, family.teacher()), ("one-hot", NONE, family.one_hot())]
    named += [("distilled", t, family.distilled(t)) for t in (1.0, 2.0, 3.0)]
    return [Member(name, family.imbalance, t, seed, spec, place) for name, t, spec in named]


def methods_of(seed: int, profile: Profile = LONG_TAIL, t: float = TEMPERATURE) -> list[Member]:
    """Both teachers, and one student for each method of *Teacher's pet*."""
    family = Family(profile, profile.imbalance, seed)
    return _named(
        family,
        ("teacher", NONE, family.teacher()),
        ("initial teacher", NONE, family.initial_teacher()),
        ("one-hot", NONE, family.one_hot()),
        ("distilled", t, family.distilled(t)),
        ("AdaAlpha", t, family.ada_alpha(t)),
        ("AdaMargin", t, family.ada_margin(t)),
    )


def long_methods(seed: int) -> list[Member]:
    """The methods that answer the question, without AdaMargin."""
    methods = methods_of(seed, _at(LONG_TAIL, LONG), LONG_TEMPERATURE)
    return [m for m in methods if m.method != "AdaMargin"]


def teacher_lengths(seed: int) -> list[Member]:
    """Students of 60 epochs whose teachers trained for less, and for more, than they do."""
    return [m for epochs in (SHORT, LONG) for m in _under_teacher_of(epochs, seed)]


def _under_teacher_of(epochs: int, seed: int) -> list[Member]:
    recipe = LONG_TAIL.recipe.model_copy(update={"epochs": epochs})
    profile = LONG_TAIL.model_copy(update={"teacher_recipe": recipe})
    family, place = Family(profile, profile.imbalance, seed), (("teacher_epochs", float(epochs)),)
    named = [("teacher", NONE, family.teacher())]
    named += [("initial teacher", NONE, family.initial_teacher())]
    named += [("distilled", t, family.distilled(t)) for t in (TEMPERATURE, HOT)]
    named += [("AdaAlpha", HOT, family.ada_alpha(HOT))]
    return [Member(name, family.imbalance, t, seed, spec, place) for name, t, spec in named]


def more_methods(seed: int) -> list[Member]:
    """Twins at T = 3, and logit adjustment."""
    family = Family(LONG_TAIL, LONG_TAIL.imbalance, seed)
    return _named(
        family,
        ("distilled", HOT, family.distilled(HOT)),
        ("AdaAlpha", HOT, family.ada_alpha(HOT)),
        ("logit-adjusted", NONE, family.logit_adjusted()),
    )


def more_seeds(seed: int) -> list[Member]:
    """What the first question needs."""
    family = Family(LONG_TAIL, LONG_TAIL.imbalance, seed)
    return _named(
        family,
        ("teacher", NONE, family.teacher()),
        ("one-hot", NONE, family.one_hot()),
        ("distilled", TEMPERATURE, family.distilled(TEMPERATURE)),
    )


def _named(family: Family, *named: tuple[str, float, RunSpec]) -> list[Member]:
    return [Member(name, family.imbalance, t, family.seed, spec) for name, t, spec in named]


def robust(seed: int) -> list[Member]:
    """Three teachers, four cells of the grid at T = 1 with teacher labels, and three references."""
    family = RobustFamily(ROBUST, seed)
    cells = ((None, None), (None, 0.0), (None, 1.0), (1.0, 1.0))
    named = [
        *((f"teacher {objective_name(a)}", NONE, family.teacher(a)) for a in (None, 0.0, 1.0)),
        *((_cell(t, s), 1.0, family.student(t, s)) for t, s in cells),
        ("one-hot", NONE, family.one_hot()),
        ("initial teacher", NONE, family.initial_teacher()),
        ("AdaAlpha", 1.0, family.ada_alpha(None)),
    ]
    return [Member(name, 100.0, t, seed, spec) for name, t, spec in named]


def more_cells(seed: int) -> list[Member]:
    """Cells with one-hot validation labels, and two more with teacher labels."""
    family = RobustFamily(ROBUST, seed)
    named = [
        (f"{_cell(t, 1.0)}, one-hot labels", family.student(t, 1.0, validation_labels="one_hot"))
        for t in (None, 1.0)
    ]
    named += [(_cell(t, s), family.student(t, s)) for t, s in ((0.0, 1.0), (1.0, None))]
    return [Member(name, 100.0, 1.0, seed, spec) for name, spec in named]


def _cell(teacher: float | None, student: float | None) -> str:
    return f"{objective_name(teacher)}/{objective_name(student, distilled=True)}"


def baseline(seed: int) -> list[Member]:
    """One-hot ResNet-32 by the recipe of Cao et al. (2019): what the trainer is checked against."""
    recipe = Recipe.parse(
        **LONG_TAIL.recipe.model_dump()
        | {
            "epochs": 200,
            "peak_rate": 0.1,
            "warmup_epochs": 5,
            "schedule": StepDecay(epochs=(160, 180), factor=0.01),
            "weight_decay": 2e-4,
            "nesterov": False,
        }
    )
    changes: dict[str, object] = {"recipe": recipe, "model": ModelSpec(depth=32)}
    profiles = (
        LONG_TAIL.model_copy(update={**changes, "dataset": name})
        for name in ("cifar100", "cifar10")
    )
    return [
        Member(f"one-hot, {p.dataset}", 100.0, NONE, seed, Family(p, 100.0, seed).one_hot())
        for p in profiles
    ]


def _at(profile: Profile, epochs: int) -> Profile:
    recipe = profile.recipe.model_copy(update={"epochs": epochs})
    return profile.model_copy(update={"recipe": recipe})


def deep(seed: int) -> list[Member]:
    """The methods of *Teacher's pet* for a ResNet-56."""
    return methods_of(seed, LONG_TAIL.model_copy(update={"model": ModelSpec(depth=56)}))
