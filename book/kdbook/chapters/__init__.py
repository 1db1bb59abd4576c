"""The chapters' own rooms: one per chapter, named as its notebook, with all that it alone needs.

``chapter`` opens one. A room holds the studies of its chapter as classes whose names are those of
the studies: ``TeacherLength`` is ``teacher_length`` on the command line and in records.
"""

from __future__ import annotations

from functools import partial
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any

from kdlib.errors import SettingError
from kdlib.names import choices

if TYPE_CHECKING:
    from kdbook.study import Study

STUDIES = {
    "who_pays": "book/intro",
    "first_principles": "book/foundations/distillation",
    "measuring": "book/foundations/measuring",
    "gains_are_not_uniform": "book/teachers_pet/gains_are_not_uniform",
    "provable_harm": "book/teachers_pet/provable_harm",
    "rare_classes": "book/teachers_pet/rare_classes",
    "teacher_length": "book/teachers_pet/rare_classes",
    "batch_size": "book/teachers_pet/rare_classes",
    "what_decides_who_pays": "book/teachers_pet/what_decides_who_pays",
    "architectures": "book/teachers_pet/architectures",
    "groups_that_are_not_classes": "book/teachers_pet/groups_that_are_not_classes",
    "number_of_classes": "book/teachers_pet/number_of_classes",
    "repeated_distillation": "book/teachers_pet/repeated_distillation",
    "trusting_the_teacher_less": "book/teachers_pet/trusting_the_teacher_less",
    "natural_long_tails": "book/teachers_pet/natural_long_tails",
    "margins": "book/teachers_pet/adamargin",
    "results": "book/teachers_pet/results",
    "ablations": "book/teachers_pet/ablations",
    "where_the_teacher_errs": "book/teachers_pet/where_the_teacher_errs",
    "regularisation_samples": "book/teachers_pet/regularisation_samples",
    "robust_objectives": "book/robust_distillation/objectives",
    "class_multipliers": "book/robust_distillation/multipliers",
    "teacher_and_student": "book/robust_distillation/teacher_and_student",
    "trade_offs": "book/robust_distillation/trade_offs",
    "teacher_calibration": "book/robust_distillation/calibration",
    "robust_baselines": "book/robust_distillation/baselines_and_compression",
}
"""Each study, and the page that shows it. Of several studies a page trains the first."""

FROM_RECORD = ("who_pays", "what_decides_who_pays")
"""Studies whose pages show their records: nothing of them is trained for a page."""


def chapter(name: str, **values: Any) -> Any:
    """The study of the notebook of that name, at the values of its parameters, with its room.

    Raises:
        SettingError: an unknown name, an injected parameter that the chapter does not know, a wrong
            type or a value out of range (one line).
    """
    pages = {page.rpartition("/")[2]: found for found, page in reversed(STUDIES.items())}
    if name not in pages:
        raise SettingError(f"chapter {name!r} is not known: {choices(name, pages)}")
    from kdbook import widgets
    from kdbook.charts.of_study import StudyCharts

    kind = study(pages[name])
    found = kind(kind.Settings.from_chapter(**values))
    found.room = import_module(f"kdbook.chapters.{name}")
    for part in iter_modules(found.room.__path__):
        import_module(f"kdbook.chapters.{name}.{part.name}")
    found.chart, found.panel = StudyCharts(found, found.room.charts), widgets
    found.explore = partial(widgets.explore, found)
    return found


def study(name: str) -> type[Study]:
    """The study of that name.

    Raises:
        SettingError: no study has it.
    """
    if name not in STUDIES:
        raise SettingError(f"study {name!r} is not known: {choices(name, STUDIES)}")
    room = import_module(f"kdbook.chapters.{STUDIES[name].rpartition('/')[2]}")
    kind = "".join(map(str.title, name.split("_")))
    # A room with several studies has those that its notebook does not train in files of their own.
    own = room if hasattr(room, kind) else import_module(f"{room.__name__}.{name}")
    return getattr(own, kind)
