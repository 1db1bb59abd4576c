"""The blocks of the plan: which runs each has, in which order, and which split tests them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kdbook.families import Family
from kdbook.profiles import PROFILES, Profile
from kdbook.robust_families import RobustFamily, objective_name
from kdbook.settings import RobustSettings
from kdbook.tables import Member
from kdbook.tuning import TUNING_SEED
from kdlib.errors import SettingError
from kdlib.models import ModelSpec
from kdlib.names import choices
from kdlib.runs import RunSpec
from kdlib.training import Recipe, StepDecay

PILOT_SEED = TUNING_SEED
"""Of the runs that choose recipe and temperature; never reported."""

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
ROBUST = RobustSettings(profile="standard", dataset="cifar10", imbalance=100.0)


@dataclass(frozen=True)
class Block:
    """Trainings that are complete together.

    Attributes:
        name: as in the plan.
        what: in words.
        seeds: of its students.
        of_seed: the members of one seed.
        test: the split that tests them: ``dev`` for a pilot; ``official_test``, all test images;
            or ``test``, the half of them that has moved no multipliers.
    """

    name: str
    what: str
    seeds: tuple[int, ...]
    of_seed: Callable[[int], list[Member]]
    test: str = "official_test"

    @property
    def members(self) -> list[Member]:
        """Of all seeds, seed by seed."""
        return [member for seed in self.seeds for member in self.of_seed(seed)]

    @property
    def runs(self) -> list[RunSpec]:
        """Each training of the block once, teachers and initial teachers among them."""
        return list(dict.fromkeys(member.spec for member in self.members))


def _pilot(seed: int) -> list[Member]:
    """Teacher, one-hot and three distilled students that have not seen dev, at two lengths.

    And a teacher of 200 epochs, whose share off the label is compared with theirs.
    """
    students = [m for epochs in (30, 60) for m in _pilot_of(_at(LONG_TAIL, epochs), seed)]
    return [*students, _pilot_of(_at(LONG_TAIL, LONG), seed)[0]]


def _long_pilot(seed: int) -> list[Member]:
    return _pilot_of(_at(LONG_TAIL, LONG), seed)


def _pilot_of(profile: Profile, seed: int) -> list[Member]:
    family = Family(profile, profile.imbalance, seed, sees_dev=False)
    place = (("epochs", float(profile.recipe.epochs)),)
    named = [("teacher", NONE, family.teacher()), ("one-hot", NONE, family.one_hot())]
    named += [("distilled", t, family.distilled(t)) for t in (1.0, 2.0, 3.0)]
    return [Member(name, family.imbalance, t, seed, spec, place) for name, t, spec in named]


def _methods(profile: Profile, seed: int, t: float = TEMPERATURE) -> list[Member]:
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


def _long_methods(seed: int) -> list[Member]:
    """The methods that answer the question, without AdaMargin."""
    methods = _methods(_at(LONG_TAIL, LONG), seed, LONG_TEMPERATURE)
    return [m for m in methods if m.method != "AdaMargin"]


def _teacher_lengths(seed: int) -> list[Member]:
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


def _more_methods(seed: int) -> list[Member]:
    """Twins at T = 3, and logit adjustment."""
    family = Family(LONG_TAIL, LONG_TAIL.imbalance, seed)
    return _named(
        family,
        ("distilled", HOT, family.distilled(HOT)),
        ("AdaAlpha", HOT, family.ada_alpha(HOT)),
        ("logit-adjusted", NONE, family.logit_adjusted()),
    )


def _more_seeds(seed: int) -> list[Member]:
    family = Family(LONG_TAIL, LONG_TAIL.imbalance, seed)
    return _named(
        family,
        ("teacher", NONE, family.teacher()),
        ("one-hot", NONE, family.one_hot()),
        ("distilled", TEMPERATURE, family.distilled(TEMPERATURE)),
    )


def _named(family: Family, *named: tuple[str, float, RunSpec]) -> list[Member]:
    return [Member(name, family.imbalance, t, family.seed, spec) for name, t, spec in named]


def _robust(seed: int) -> list[Member]:
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


def _more_cells(seed: int) -> list[Member]:
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


def _baseline(seed: int) -> list[Member]:
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


def _deep(seed: int) -> list[Member]:
    return _methods(LONG_TAIL.model_copy(update={"model": ModelSpec(depth=56)}), seed)


BLOCKS: dict[str, Block] = {
    block.name: block
    for block in (
        Block(
            "a",
            "pilot: CIFAR-100-LT, ResNet-20, 30 and 60 epochs, T = 1, 2, 3",
            (PILOT_SEED,),
            _pilot,
            test="dev",
        ),
        Block("a2", "pilot at 200 epochs", (PILOT_SEED,), _long_pilot, test="dev"),
        Block(
            "b",
            "CIFAR-100-LT, ResNet-20: the methods of Teacher's pet at T*",
            tuple(range(5)),
            lambda seed: _methods(LONG_TAIL, seed),
        ),
        Block(
            "c",
            "CIFAR-10-LT, ResNet-20: robust teachers and students",
            tuple(range(3)),
            _robust,
            test="test",
        ),
        Block("d", "T = 3 and logit adjustment beside b", tuple(range(5)), _more_methods),
        Block("d2", "further cells beside c", tuple(range(3)), _more_cells, test="test"),
        Block("e", "five more seeds of one-hot and distilled", tuple(range(5, 10)), _more_seeds),
        Block("b2", "as b without AdaMargin, 200 epochs", tuple(range(5)), _long_methods),
        Block("i", "teachers of 20 and 200 epochs for students of 60", (0, 1, 2), _teacher_lengths),
        Block("f", "as b with ResNet-56", tuple(range(3)), _deep),
        Block("g", "the cross-entropy baseline of the literature, ResNet-32", (0,), _baseline),
    )
}


def chosen(names: Sequence[str]) -> list[Block]:
    """The blocks of these names, in the plan's order; all of them where none is named.

    Raises:
        SettingError: no block has that name.
    """
    for name in names:
        if name not in BLOCKS:
            raise SettingError(f"block {name!r} is not known: {choices(name, BLOCKS)}")
    return [block for block in BLOCKS.values() if not names or block.name in names]
