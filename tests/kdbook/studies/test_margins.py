"""AdaMargin's study: which runs, and the search for divergence."""

import numpy as np
import pytest

from kdbook.chapters import adamargin
from kdbook.profiles import profile_of
from kdlib.errors import SettingError
from kdlib.runs import MarginCost, PriorCost, Store, execute


def test_one_student_an_offset_and_the_relatives():
    settings = adamargin.Settings(seeds=2, offsets=(0.1, 0.5), temperature=2.0)
    members = adamargin.Margins(settings).members()
    assert len(members) == 2 * (3 + 2 + 2)
    offsets = {
        m.method: m.spec.objective.log_cost.offset
        for m in members
        if isinstance(m.spec.objective.log_cost, MarginCost)
    }
    assert offsets == {"AdaMargin 0.1": 0.1, "AdaMargin 0.5": 0.5}
    priors = [m for m in members if isinstance(m.spec.objective.log_cost, PriorCost)]
    assert [m.spec.teacher is None for m in priors] == [True, False] * 2


def test_the_relatives_can_be_left_out():
    settings = adamargin.Settings(seeds=1, offsets=(0.01,), logit_adjustment=False)
    assert [m.method for m in adamargin.Margins(settings).members()] == [
        "teacher", "one-hot", "distilled", "AdaMargin 0.01",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "wrong", [{"offsets": (0.0,)}, {"offsets": (2.0,)}, {"offsets": ()}, {"rates": (0.0,)}]
)
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError, match="is not allowed"):
        adamargin.Settings.parse(**wrong)


def test_only_the_students_rate_is_raised():
    settings = adamargin.Settings(seeds=5, rates=(0.8,))
    hot = adamargin.Margins(settings).hot_members()
    assert len(hot) == 3 * 3 and {rate for rate, _ in hot} == {0.8}
    for _, member in hot:
        teacher = member.spec.teacher
        assert teacher is not None
        assert member.spec.recipe.peak_rate == 0.8 != teacher.recipe.peak_rate
        assert teacher.recipe == profile_of(settings).teachers_recipe


def test_how_a_hot_training_ended(tmp_path):
    settings = adamargin.Settings(seeds=1, epochs=2, rates=(0.1, 100.0), offsets=(0.01,))
    hot = [
        pair for pair in adamargin.Margins(settings).hot_members() if pair[1].method == "distilled"
    ]
    results = execute([m.spec for _, m in hot], store=Store(tmp_path), jobs=1, progress=False)
    table = adamargin.hot_table(hot, results).set_index("rate")
    assert table.loc[0.1, "status"] == "completed" and np.isnan(table.loc[0.1, "diverged_step"])
    assert table.loc[0.1, "loss"] == pytest.approx(results[0].history["loss"].iloc[-1])
    if results[1].status == "diverged":
        assert table.loc[100.0, "diverged_step"] == results[1].diverged_step
        assert np.isnan(table.loc[100.0, "mean"])
