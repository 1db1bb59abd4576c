"""What a chapter on "Robust distillation" trains at ``quick`` from an empty store: a limit.

A digits run of 40 epochs of ResNet-8 takes half a second to a second of the clock where two
processes share two cores, by processor. So 115 of them are near the 90 s that a chapter may take:
time a chapter that comes near.
"""

import pytest

from kdbook import records
from kdbook.chapters import study
from kdbook.chapters import teacher_and_student as grid
from kdbook.chapters.teacher_and_student import objective_cells, objective_protocols
from kdlib.runs.spec import with_parents

LIMIT = 115
CHAPTERS = (
    "robust_objectives",
    "class_multipliers",
    "teacher_and_student",
    "trade_offs",
    "teacher_calibration",
    "robust_baselines",
)


def cost(spec):
    """In trainings of 40 epochs of ResNet-8: epochs and layers count in proportion."""
    return spec.recipe.epochs / 40 * (spec.model.depth - 2) / 6


def own_extras(name):
    """What the chapter trains beyond its study: the hurried students of one seed."""
    if name != "teacher_and_student":
        return []
    one = objective_protocols.robust_members(grid.Settings(seeds=1))
    return [objective_protocols.with_step(member, 10.0).spec for member in one]


@pytest.mark.parametrize("name", CHAPTERS)
def test_a_chapter_trains_no_more_than_fits_its_time(name):
    wanted = study(name).parse().runs() + own_extras(name)
    assert sum(cost(spec) for spec in with_parents(wanted)) <= LIMIT


def test_what_the_grid_takes_from_records_is_there():
    """The chapter would train these runs if the book did not hold them."""
    settings = grid.Settings()
    strict = settings.model_copy(update={"seeds": 5, "validation_part": "first_half"})
    fixed = settings.model_copy(update={"seeds": 5, "fixed_teacher": True})
    for wanted in (strict, fixed):
        asked = grid.TeacherAndStudent(wanted)
        found = records.recorded_rows(asked, objective_cells.HALVES)
        assert set(found["run"]) == {member.spec.id for member in asked.members()}
