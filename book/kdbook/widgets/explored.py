"""Which runs of a study answer where a panel's controls stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar

from kdbook.study import Study
from kdbook.tables import Member
from kdbook.widgets.ladders import baseline, controls_of, given
from kdbook.widgets.shell import Choice, Control, Steps
from kdlib.errors import SettingError

Values = Mapping[str, Any]

FEW = 3
"""So many students a panel shows together; of more a reader chooses one."""


class Explored:
    """A study whose settings a panel moves.

    Args:
        study: as the chapter opened it; the panel starts at its settings.
    """

    fixed: ClassVar[Values] = {}
    """Settings that keep the trainings of a move few."""
    without: ClassVar[tuple[str, ...]] = ()
    """Settings that its panel does not move."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self._of_settings = controls_of(study, self.without)

    def own_controls(self) -> list[Control]:
        """What it moves beside single settings."""
        return []

    def own_settings(self, values: Values) -> dict[str, Any]:
        """The settings that ``own_controls`` stand for."""
        return {}

    def keeps(self, member: Member, values: Values) -> bool:
        """Whether the panel shows this member."""
        return True

    @cached_property
    def controls(self) -> list[Control]:
        """The sliders of its settings, and a list of its students where they are many."""
        found = [*self.own_controls(), *self._of_settings]
        students = _students(self._members({c.name: c.value for c in found}))
        return found if len(students) <= FEW else [*found, self._chooser(students)]

    @property
    def start(self) -> dict[str, Any]:
        """Where all controls start."""
        return {control.name: control.value for control in self.controls}

    def at(self, values: Values) -> Study:
        """The study where the controls stand at ``values``.

        Raises:
            SettingError: a value that the settings do not allow (one line).
        """
        settings = self.study.settings
        moved = settings.model_dump() | dict(self.fixed) | self._moved(values)
        return self.study.at(type(settings).parse(**moved | self.own_settings(values)))

    def members_at(self, values: Values) -> list[Member]:
        """The members of ``at`` that the panel shows: at the study's ratio, the chosen student.

        Raises:
            SettingError: a value that is not allowed, or nothing is trained there (one line).
        """
        members = self._members(values)
        shown, chosen = _students(members), values.get("student")
        if chosen is None:
            shown.append("teacher")
        elif int(chosen) < len(shown):
            shown = [shown[int(chosen)]]
        else:
            raise SettingError("this student is not trained at these settings: choose another")
        shown.append(baseline(members))
        return [member for member in members if member.method in shown]

    def _members(self, values: Values) -> list[Member]:
        asked = self.at(values)
        ratio = values.get("imbalance", asked.ratio)
        return [m for m in asked.members() if m.imbalance == ratio and self.keeps(m, values)]

    def _moved(self, values: Values) -> dict[str, Any]:
        """A slider that stands where it started leaves a single setting alone."""
        found: dict[str, Any] = {}
        for control in self._of_settings:
            value = values[control.name]
            if control.name == "seeds":
                found["seeds"] = int(value)
                continue
            setting = given(self.study, control.name, value)
            found |= setting if value != control.value or control.name not in setting else {}
        return found

    def _chooser(self, students: Sequence[str]) -> Choice:
        """By place, since a name may end in the value that a slider moves, as ``AdaMargin 0.1``."""
        moved = any(isinstance(getattr(self.study.settings, f, None), tuple) for f in _IN_NAMES)
        names = [re.sub(r" [\d.e-]+$", "", name) if moved else name for name in students]
        options = {name: str(place) for place, name in enumerate(names)}
        return Choice("student", "Student", options, "0")


_IN_NAMES = ("offsets", "alphas")


def _students(members: Sequence[Member]) -> list[str]:
    """The methods beside the baseline, without those that only teach."""
    base = baseline(members)
    rest = [m.method for m in members if not m.method.startswith(("teacher", "initial teacher"))]
    return list(dict.fromkeys(method for method in rest if method != base))


class OfSizes(Explored):
    """One cell of a grid of teachers and students, by size."""

    def own_controls(self) -> list[Control]:
        """Who teaches, and who learns; at the start the two largest that are asked for."""
        sizes = self.study.settings.sizes
        options = {size: size for size in ("small", "medium", "large")}
        return [
            Choice("teacher", "Teacher", options, sizes[-1]),
            Choice("learner", "Student", options, sizes[-1]),
        ]

    def own_settings(self, values: Values) -> dict[str, Any]:
        """The sizes of the grid that holds the cell."""
        return {"sizes": tuple({values["teacher"], values["learner"]})}

    def keeps(self, member: Member, values: Values) -> bool:
        """Whether it is of the cell."""
        place = dict(member.place)
        return (place["teacher"], place["student"]) == (values["teacher"], values["learner"])


class OfTradeOffs(Explored):
    """One cell of a grid of two trade-offs, beside standard distillation."""

    without = ("alpha",)

    def own_controls(self) -> list[Control]:
        """Both trade-offs, from 0 to 1."""
        steps = tuple(place / 20 for place in range(21))
        return [
            Steps("alpha_t", "Teacher's α", steps, 0.5),
            Steps("alpha_s", "Student's α", steps, 0.5),
        ]

    def own_settings(self, values: Values) -> dict[str, Any]:
        """A grid that holds the cell; it has at least two rows."""
        wanted = dict.fromkeys((values["alpha_t"], values["alpha_s"], 0.0, 1.0))
        return {"alphas": tuple(wanted)[:2]}

    def keeps(self, member: Member, values: Values) -> bool:
        """Whether it is the cell, or standard distillation."""
        cell = f"{values['alpha_t']:g} / {values['alpha_s']:g}"
        return member.method in ("std / std-d", cell)


class OfLengths(Explored):
    """Trainings of one length."""

    def own_settings(self, values: Values) -> dict[str, Any]:
        """As many seeds at this length as elsewhere."""
        return {"length_seeds": int(values["seeds"])}

    def keeps(self, member: Member, values: Values) -> bool:
        """Whether it is of this length."""
        return dict(member.place)["factor"] == values["length"]


class OfOneDraw(Explored):
    """One draw of the classes."""

    fixed: ClassVar[Values] = {"draws": 1}


class WithVariants(Explored):
    """Whose variants have other steps already."""

    without = ("step",)


KINDS: dict[str, type[Explored]] = {
    "architectures": OfSizes,
    "trade_offs": OfTradeOffs,
    "robust_objectives": OfLengths,
    "number_of_classes": OfOneDraw,
    "class_multipliers": WithVariants,
}
"""Studies whose grids have further sides."""


def explored(study: Study) -> Explored:
    """The study as a panel moves it."""
    return KINDS.get(study.name, Explored)(study)
