"""The grid of trade-offs: its runs, what it shares with the other studies, what may select."""

import numpy as np
import pytest

from kdbook.chapters import teacher_and_student
from kdbook.chapters import trade_offs as study
from kdbook.chapters.trade_offs import frontier as tables
from kdlib.data import load
from kdlib.errors import SettingError
from kdlib.runs import Store, execute


def test_a_seed_has_six_teachers_a_reference_and_25_students():
    members = study.TradeOffs(study.Settings(seeds=2)).members()
    assert len(members) == 2 * 32 and len({m.spec.id for m in members}) == 2 * 32
    names = [m.method for m in members if m.seed == 0]
    assert names[:2] == ["teacher std", "teacher 0"] and "0.25 / 0.75" in names
    assert names.count(study.STANDARD) == 1


def test_the_corners_are_those_of_the_grid_of_objectives():
    other = {
        m.spec.id
        for m in teacher_and_student.TeacherAndStudent(
            teacher_and_student.Settings(seeds=1)
        ).members()
    }
    shared = [
        m.method for m in study.TradeOffs(study.Settings(seeds=1)).members() if m.spec.id in other
    ]
    teachers = ["teacher std", "teacher 0", "teacher 1"]
    assert shared == [*teachers, study.STANDARD, "0 / 0", "0 / 1", "1 / 0", "1 / 1"]


def test_quick_takes_two_seeds_unless_told():
    assert {m.seed for m in study.TradeOffs(study.Settings()).members()} == {0, 1}
    assert {m.seed for m in study.TradeOffs(study.Settings(seeds=4)).members()} == {0, 1, 2, 3}


def test_equal_settings_are_trained_once():
    settings = study.Settings.parse(seeds=1, alphas="[0, 1, 1]", temperatures=[1.0, 3.0, 1.0])
    cells = [m for m in study.TradeOffs(settings).members() if "/" in m.method]
    assert len(cells) == 2 * (1 + 4)


@pytest.mark.parametrize(
    "wrong",
    [{"alphas": [0.5]}, {"alphas": [0, 1.5]}, {"temperatures": []}, {"validation_labels": "own"}],
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError):
        study.Settings.parse(**wrong)


def trained(folder, **settings):
    wanted = study.Settings.parse(seeds=1, epochs=4, alphas=[0.0, 1.0], **settings)
    return wanted, execute(
        study.TradeOffs(wanted).runs(), store=Store(folder), jobs=1, progress=False
    )


def test_all_validation_images_select_where_all_move_the_multipliers(tmp_path):
    table = study.TradeOffs(trained(tmp_path)[0]).per_seed(*trained(tmp_path)[1:])
    np.testing.assert_allclose(table["select_mean"], table["validation"])
    assert set(table["alpha_t"]) == {"std", "0", "1"} and (table["alpha_s"] == "none").sum() == 3
    cells = tables.grid(table)
    assert len(cells) == 4 and cells["alpha_t"].tolist() == [0, 0, 1, 1]


def test_only_the_half_that_no_multiplier_saw_selects(tmp_path):
    settings, results = trained(tmp_path, validation_part="first_half")
    found = study.TradeOffs(settings).per_seed(results).iloc[-1]
    labels, guesses = results[-1].labels("validation"), results[-1].logits("validation").argmax(1)
    assert labels.tolist() == load("digits", imbalance=20.0).validation.labels.tolist()
    by_class = []
    for label in range(10):
        rows = np.flatnonzero(labels == label)[1::2]  # every second of the class, from its second
        by_class.append(100 * np.mean(guesses[rows] == label))
    assert found["select_mean"] == pytest.approx(np.mean(by_class))
    assert found["select_worst"] == pytest.approx(min(by_class))
