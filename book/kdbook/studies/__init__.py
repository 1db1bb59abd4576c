"""Studies: one module a question, named after it. Each lists its runs and makes its tables.

``STUDIES`` maps names to modules that hold ``QUESTION``, ``Settings``, ``runs(settings)`` and
``per_seed(settings, results)``; the command line and the chapters use them alike. A study that
trains no networks holds ``table(settings)`` in the place of the last two: one number a row in the
column ``value``, a column ``seed``, and columns that name what was measured. Its ``SCALE`` says
what the values can be.
"""

from __future__ import annotations

from importlib import import_module
from types import ModuleType

from kdlib.errors import SettingError
from kdlib.names import choices

CHAPTERS = {
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
"""Each study, and the page that shows it."""

STUDIES = tuple(CHAPTERS)


def study(name: str) -> ModuleType:
    """The study's module.

    Raises:
        SettingError: no study has that name.
    """
    if name not in STUDIES:
        raise SettingError(f"study {name!r} is not known: {choices(name, STUDIES)}")
    room = CHAPTERS[name].rpartition("/")[2]
    own = f".{name}" if name in ("teacher_length", "batch_size", "who_pays") else ""
    return import_module(f"kdbook.chapters.{room}{own}")


def trains_networks(name: str) -> bool:
    """Whether the study has runs; otherwise it makes its ``table`` without any."""
    return hasattr(study(name), "runs")
