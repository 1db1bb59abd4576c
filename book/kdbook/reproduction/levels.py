"""How close a record comes to the setting of a published number: its level of evidence."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from kdbook.records import Provenance, Record
from kdbook.reproduction.mapping import Setting
from kdbook.reproduction.questions import Question
from kdbook.selection import VALIDATION_TEMPERATURE, criterion
from kdbook.settings import PAPER, teaching_at


class Level(StrEnum):
    """Of evidence, the strongest first. Only the first two allow a verdict."""

    SAME_SETTING = "same setting"
    SAME_DATA = "same data"
    MECHANISM = "mechanism only"


_RECIPE = {
    "epochs": "epochs",
    "batch_size": "batch",
    "peak_rate": "rate",
    "warmup_epochs": "warm-up",
    "schedule": "schedule",
    "weight_decay": "weight decay",
    "momentum": "momentum",
    "nesterov": "Nesterov momentum",
    "crop_padding": "padding of crops",
    "flip": "mirrored images",
    "input_scaling": "scaling of pixels",
    "stop_after": "early stop",
}
"""Fields of a recipe that must be the paper's. It names no number format."""


def level(question: Question, record: Record) -> Level:
    """How close the record comes to the question's setting."""
    if not same_data(question, record):
        return Level.MECHANISM
    return Level.SAME_DATA if apart(question, record) else Level.SAME_SETTING


def same_data(question: Question, record: Record) -> bool:
    """Whether data set and long-tail ratio are the paper's."""
    theirs = question.setting
    return (
        theirs is not None
        and record.about.dataset == theirs.dataset
        and ratio(question, record) == theirs.imbalance
    )


def ratio(question: Question, record: Record) -> float | None:
    """Balanced data are ratio 1; a long tail has the ratio that the record compares methods at."""
    balanced = question.setting is not None and question.setting.imbalance == 1
    return 1.0 if balanced else record.about.imbalance


def one_teacher(record: Record) -> bool:
    """Whether all its students learn from one teacher; else each seed has its own."""
    about = record.about
    named = about.settings.get("fixed_teacher")
    return teaching_at(about.profile, about.dataset).fixed_teacher if named is None else bool(named)


def apart(question: Question, record: Record) -> list[str]:
    """What besides the data is not as in the paper, each in a few words; empty if all is."""
    theirs, about = question.setting, record.about
    assert theirs is not None
    found = [f"{about.model}, not {question.network}"] if about.model != question.network else []
    found += _recipe_apart(theirs, about.recipe_at(ratio(question, record)))
    found += ["its teachers are trained otherwise"] if about.teacher_recipe else []
    if question.one_teacher not in (None, one_teacher(record)):
        found.append("one teacher for all seeds" if one_teacher(record) else "a teacher per seed")
    found += _choice_apart(question, record)
    if theirs.test_images is not None and _test_images(about) != theirs.test_images:
        found.append(f"{_test_images(about)} test images")
    return [*found, theirs.fitted] if theirs.fitted else found


def _test_images(about: Provenance) -> int:
    """Older records do not say it; of CIFAR it is all official test images, or half of them."""
    return about.test_images or (10_000 if about.tested_on == "official_test" else 5_000)


def _recipe_apart(theirs: Setting, recipe: dict[str, Any]) -> Iterator[str]:
    for field, words in _RECIPE.items() if theirs.preset else ():
        ours, wanted = recipe.get(field), theirs.recipe[field]
        if ours != wanted:
            yield f"{words} {_short(ours)}, not {_short(wanted)}"


def _short(value: Any) -> str:
    if isinstance(value, dict):
        drops = " ".join(str(epoch) for epoch in value.get("epochs", ()))
        return f"{value['kind']} {drops}".strip()
    return "none" if value is None else str(value)


def _choice_apart(question: Question, record: Record) -> Iterator[str]:
    """Whether the temperature was chosen as the paper does: among the same, by the same images."""
    theirs, table = question.setting, record.table
    assert theirs is not None
    if not theirs.temperatures:
        return
    rows = table[table["method"] == question.method]
    tried = sorted(set(rows["temperature"].dropna()))
    if not tried:  # it listens to no teacher
        return
    if tried != list(theirs.temperatures):
        yield f"temperatures {_listed(tried)}, not {_listed(theirs.temperatures)}"
    elif criterion(table) not in theirs.chosen_by:
        yield f"temperatures chosen by {criterion(table)}"
    elif VALIDATION_TEMPERATURE in table:
        known = sorted(set(rows[VALIDATION_TEMPERATURE].dropna()))
        if known and known != sorted(PAPER.validation_temperatures):
            yield f"validation temperatures {_listed(known)}"


def _listed(numbers: Any) -> str:
    return ", ".join(f"{number:g}" for number in numbers) or "none"
