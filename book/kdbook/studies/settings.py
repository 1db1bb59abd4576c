"""What a reader, papermill or the command line may set in a study: parsed once, then frozen."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable
from typing import Annotated, Any, Literal, Self

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
        profile: the scale, ``quick``, ``standard`` or ``paper`` (see ``kdbook.studies.PROFILES``).
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
