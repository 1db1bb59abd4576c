"""The settings that a panel can move, each over a few steps, since each step may be trained."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kdbook.settings import RobustSettings
from kdbook.study import Study
from kdbook.tables import Member
from kdbook.widgets.shell import Choice, Control, Steps
from kdlib.errors import SettingError

LADDERS: dict[str, tuple[str, tuple[float, ...]]] = {
    "imbalance": ("Imbalance ratio", (1, 2, 5, 10, 20, 30, 50, 100)),
    "temperature": ("Temperature T", (0.5, 1, 1.5, 2, 3, 4, 5, 8, 10)),
    "validation_temperature": ("T on validation images", (0.1, 0.5, 1, 2, 3, 5)),
    "alpha": ("Trust α", (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)),
    "offset": ("Offset of AdaMargin", (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)),
    "share": ("Share of the classes", (0.1, 0.2, 0.3, 0.5, 0.7, 1)),
    "stop_share": ("Teacher stops after (share)", (0.1, 0.25, 0.5, 0.75, 0.9)),
    "length": ("Length of the training (×)", (0.25, 0.5, 1, 2, 4)),
    "step": ("Step of the multipliers", (0.01, 0.03, 0.1, 0.3, 1, 3, 10)),
    "seeds": ("Seeds", (2, 3, 4, 5, 8, 10)),
}
"""Words and steps; of a setting that is a list, such as ``temperatures``, one value is given."""
LISTS = {
    "validation_labels": ("Validation labels", {"the teacher's": "teacher", "one-hot": "one_hot"})
}
USUAL = {"temperature": 3.0, "alpha": 1.0, "offset": 0.01}
"""Where a slider starts whose setting is a list that holds this value, or is left to the study."""
SEEDS = 4
"""Of a panel at its start: enough for an interval, few enough to wait for."""

BASELINES = ("one-hot", "standard", "std / std-d", "std-d", "distilled")
"""What others are compared with, the first that is there; else the first method of the study."""


def baseline(members: Sequence[Member]) -> str:
    """The method that all others are compared with."""
    methods = [member.method for member in members]
    return next((name for name in BASELINES if name in methods), methods[0])


def field_of(study: Study, name: str) -> str | None:
    """The setting that the control ``name`` moves: of that name, or the list of such values."""
    return next((f for f in (f"{name}s", name) if f in study.Settings.model_fields), None)


def given(study: Study, name: str, value: Any) -> dict[str, Any]:
    """The setting with the control's ``value``."""
    field = field_of(study, name)
    assert field is not None
    return {field: value if field == name else (value,)}


def controls_of(study: Study, without: tuple[str, ...] = ()) -> list[Control]:
    """A control for each setting that can be moved, where the study stands."""
    ladders = [_ladder(study, name) for name in LADDERS if name not in without]
    lists = [
        Choice(name, label, options, getattr(study.settings, name))
        for name, (label, options) in LISTS.items()
        if field_of(study, name)
    ]
    return [*filter(None, ladders), *lists]


def _ladder(study: Study, name: str) -> Steps | None:
    """The steps that the settings allow, the start among them; None without such a setting."""
    if field_of(study, name) is None:
        return None
    label, steps = LADDERS[name]
    start = _start(study, name)
    values = {start, *(step for step in steps if _allowed(study, name, step))}
    return Steps(name, label, tuple(sorted(values)), start)


def _allowed(study: Study, name: str, value: float) -> bool:
    try:
        study.Settings.parse(**given(study, name, value))
    except SettingError:
        return False
    return True


def _start(study: Study, name: str) -> float:
    if name == "seeds":
        there = [m for m in study.members() if m.imbalance == study.ratio]
        return min(SEEDS, len({m.seed for m in there if m.method == baseline(there)}))
    if name == "imbalance":
        return study.ratio
    value = getattr(study.settings, field_of(study, name) or name)
    usual = 1.0 if isinstance(study.settings, RobustSettings) else USUAL.get(name, 1.0)
    if isinstance(value, tuple):
        return usual if usual in value else value[0]
    return usual if value is None else value
