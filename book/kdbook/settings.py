"""What a reader, papermill or the command line may set in a study: parsed once, then frozen."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field

from kdlib.errors import SettingError
from kdlib.names import choices
from kdlib.validated import Frozen, holds_boolean

ProfileName = Literal["quick", "standard", "paper"]
_INJECTED_BY_PAPERMILL = "# Parameters"


def _from_text(value: Any) -> Any:
    """Papermill hands ``null`` and lists over as text: read those two as JSON.

    A list that holds true or false stays text, which no list of numbers accepts.
    """
    if isinstance(value, str) and (value in ("null", "None") or value.startswith("[")):
        try:
            found = json.loads(value.replace("None", "null"))
        except json.JSONDecodeError:
            return value
        return value if holds_boolean(found) else found
    return value


FromText = BeforeValidator(_from_text)
Seeds = Annotated[Annotated[int, Field(ge=1, le=1000)] | None, FromText]
Temperature = Annotated[float, Field(ge=0.05, le=100.0), FromText]
Alpha = Annotated[float, Field(ge=0.0, le=1.0), FromText]
Imbalance = Annotated[float, Field(ge=1.0, le=1000.0), FromText]
TEMPERATURE = 3.0
"""Of the chapters that ask who pays, where none is set: one of the paper's five on CIFAR (Appendix
B), and that of its Figure 5. At 1 the teachers of ``quick``, which are trained to the end, tell
their students next to nothing but the labels."""
Epochs = Annotated[Annotated[int, Field(ge=2, le=10_000)] | None, FromText]
Precision = Annotated[Literal["fp32", "bf16"] | None, FromText]


class Settings(Frozen):
    """Base of every study's settings.

    Attributes:
        profile: the scale, ``quick``, ``standard`` or ``paper`` (see ``kdbook.profiles.PROFILES``).
        seeds: how many seeds, from 1 to 1000; ``None`` takes the profile's own number.
        epochs: length of each student's training, from 2 to 10,000, where the profile's is too long
            for the machine at hand (``Recipe.with_epochs``); ``None`` takes the profile's own.
        teacher_epochs: length of each teacher's training, from 2 to 10,000; ``None`` takes the
            profile's own, in proportion to ``epochs``.
        precision: number format of the trainings, ``fp32`` or ``bf16``; ``None`` takes the
            profile's own.
    """

    profile: ProfileName = "quick"
    seeds: Seeds = None
    epochs: Epochs = None
    teacher_epochs: Epochs = None
    precision: Precision = None

    @classmethod
    def from_chapter(cls, /, **values: Any) -> Self:
        """Parse a chapter's parameters; refuse any injected name that the chapter does not know.

        Papermill only warns of an unknown parameter and runs on. Its injected cell is in the
        kernel's input history, so a misspelt name is found here, before anything trains.

        Raises:
            SettingError: an unknown name, a wrong type or a value out of range (one line).
        """
        unknown = injected_names() - values.keys()
        if unknown:
            first, *_ = sorted(unknown)
            raise SettingError(f"unknown parameter {first!r}: {choices(first, values)}")
        return cls.parse(**values)


def injected_names() -> set[str]:
    """The names that papermill's injected cells assign in this kernel; empty elsewhere."""
    return names_assigned(_cells_run_so_far())


def names_assigned(cells: Iterable[str]) -> set[str]:
    """The names assigned at the top level of those ``cells`` that papermill injected."""
    injected = (cell for cell in cells if cell.startswith(_INJECTED_BY_PAPERMILL))
    statements = (statement for cell in injected for statement in ast.parse(cell).body)
    return {
        target.id
        for statement in statements
        if isinstance(statement, ast.Assign)
        for target in statement.targets
        if isinstance(target, ast.Name)
    }


def _cells_run_so_far() -> list[str]:
    try:
        from IPython import get_ipython
    except ImportError:
        return []
    shell = get_ipython()
    return list(shell.user_ns.get("In", [])) if shell else []


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
