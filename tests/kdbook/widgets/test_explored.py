"""What each chapter's panel can move, and that its runs are those of the chapter."""

import pytest

from kdbook.chapters import FROM_RECORD, STUDIES, study
from kdbook.widgets.explored import explored
from kdbook.widgets.ladders import LADDERS, baseline, field_of
from kdlib.errors import SettingError

FIRST = {page: name for name, page in reversed(STUDIES.items())}.values()
TRAINING = sorted(n for n in FIRST if study(n).trains and n not in FROM_RECORD)
each = pytest.mark.parametrize("name", TRAINING)


def panel_of(name, **settings):
    return explored(study(name).parse(**settings))


def choices(control):
    return getattr(control, "values", None) or list(control.options.values())


@each
def test_a_panel_starts_with_runs_of_its_chapter(name):
    """So that it answers at once from the store of a chapter that has run."""
    panel = panel_of(name)
    shown = {member.spec.id for member in panel.members_at(panel.start)}
    assert shown <= {spec.id for spec in panel.study.runs()}


@each
def test_every_setting_of_a_ladder_can_be_moved(name):
    panel = panel_of(name)
    movable = {step for step in LADDERS if field_of(panel.study, step)} - set(panel.without)
    assert movable <= panel.start.keys()


@each
def test_every_step_has_runs_with_a_baseline_for_each_seed(name):
    panel = panel_of(name)
    for control in panel.controls:
        for value in choices(control):
            values = panel.start | {control.name: value}
            members = try_members(panel, values)
            seeds = [m.seed for m in members if m.method == baseline(members)]
            assert sorted(seeds) == list(range(int(values["seeds"])))
            assert len({m.method for m in members}) >= 2


def try_members(panel, values):
    """Where a student is not trained at a length, the panel says so."""
    try:
        return panel.members_at(values)
    except SettingError as error:
        assert "choose another" in str(error)
        return panel.members_at(values | {"student": "0"})


@each
def test_one_row_a_method_seed_and_class(name):
    """Else an interval would count a seed twice."""
    panel = panel_of(name)
    keys = [(m.method, m.seed) for m in panel.members_at(panel.start)]
    assert len(keys) == len(set(keys))


def test_steps_are_those_that_the_settings_allow():
    controls = {control.name: control for control in panel_of("ablations").controls}
    assert 0 not in controls["alpha"].values  # the study refuses an alpha of 0
    assert 1 not in controls["share"].values


def test_a_setting_off_the_ladder_is_among_the_steps():
    steps = {c.name: c for c in panel_of("rare_classes", temperature=2.7).controls}["temperature"]
    assert steps.value == 2.7 and 2.7 in steps.values


def test_a_move_changes_its_setting_and_no_other():
    panel = panel_of("gains_are_not_uniform", alpha=0.4)
    moved = panel.at(panel.start | {"temperature": 5.0, "seeds": 2}).settings
    assert (moved.temperature, moved.alpha, moved.seeds) == (5.0, 0.4, 2)
    assert moved.stop_share == panel.study.settings.stop_share


def test_of_a_list_one_value_is_given():
    panel = panel_of("results")
    assert panel.at(panel.start | {"temperature": 4.0}).settings.temperatures == (4.0,)


def test_a_cell_between_those_of_the_grid_can_be_chosen():
    panel = panel_of("trade_offs")
    members = panel.members_at(panel.start | {"alpha_t": 0.35, "alpha_s": 0.9})
    assert {member.method for member in members} == {"std / std-d", "0.35 / 0.9"}


def test_a_chosen_student_keeps_its_place_where_its_name_holds_a_value():
    panel = panel_of("margins")
    student = next(c for c in panel.controls if c.name == "student")
    values = panel.start | {"student": student.options["AdaMargin"], "offset": 0.1}
    assert "AdaMargin 0.1" in {member.method for member in panel.members_at(values)}
