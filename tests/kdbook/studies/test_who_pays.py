"""Every class at every setting of the front page's figure."""

import pandas as pd
import pytest

from kdbook.studies import teacher_length, who_pays
from kdbook.studies.records import book_record
from kdbook.studies.who_pays import CLASS, Settings
from kdlib.errors import SettingError

SMALL = Settings(
    imbalances=(20,), temperatures=(3,), alphas=(0.5, 1), teacher_lengths=(80,), seeds=1
)


def test_a_seed_has_a_student_for_each_setting():
    names = [
        (m.method, m.temperature, m.place[0][1], m.place[1][1]) for m in who_pays.members(SMALL)
    ]
    told = [name for name in names if name[0] in ("distilled", "AdaAlpha")]
    assert [name[0] for name in names] == [
        "one-hot", "teacher", "distilled", "distilled", "AdaAlpha",
    ]  # fmt: skip
    assert told[:2] == [("distilled", 3.0, 0.5, 80.0), ("distilled", 3.0, 1.0, 80.0)]


def test_a_teachers_length_changes_no_one_hot_student():
    long = SMALL.model_copy(update={"teacher_lengths": (160,)})
    plain, teacher, *_ = who_pays.runs(SMALL)
    again, longer, *_ = who_pays.runs(long)
    assert plain == again
    assert (teacher.recipe.epochs, longer.recipe.epochs) == (80, 160)


def test_it_shares_its_runs_with_the_study_of_lengths():
    lengths = teacher_length.Settings(teacher_lengths=(80,), student_lengths=(40,), seeds=1)
    shared = set(who_pays.runs(SMALL)) & set(teacher_length.runs(lengths))
    assert len(shared) == 4  # one-hot, teacher, distilled, AdaAlpha


def test_other_teachers_are_trusted_fully_and_teach_at_the_main_ratio_alone():
    asked = SMALL.model_copy(update={"imbalances": (5.0, 20.0), "teacher_lengths": (40, 80)})
    told = {
        (m.imbalance, *(value for _, value in m.place))
        for m in who_pays.members(asked)
        if m.method == "distilled"
    }
    assert told == {(5, 0.5, 80), (5, 1, 80), (20, 1, 40), (20, 0.5, 80), (20, 1, 80)}


@pytest.mark.parametrize("wrong", [{"alphas": ()}, {"alphas": (1.5,)}, {"teacher_lengths": (1,)}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError):
        Settings.parse(**wrong)


@pytest.fixture(scope="module")
def recorded():
    return book_record("who_pays", "quick").table


def test_the_classes_average_to_the_recorded_measures(recorded):
    classes = recorded[[f"{CLASS}{k}" for k in range(10)]]
    assert classes.mean(axis=1).to_numpy() == pytest.approx(recorded["mean"].to_numpy(), abs=1e-3)
    assert classes.min(axis=1).to_numpy() == pytest.approx(recorded["worst_1"].to_numpy(), abs=1e-3)


def test_one_experiment_has_one_number(recorded):
    """Runs that the study of lengths recorded too are recorded alike."""
    other = book_record("teacher_length", "quick").table
    both = pd.merge(recorded, other, on="run", suffixes=("", "_other"))
    assert len(both) >= 90
    assert both["rarest"].to_numpy() == pytest.approx(both["rarest_other"].to_numpy())
