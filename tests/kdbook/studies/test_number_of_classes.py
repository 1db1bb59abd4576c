"""Fewer classes: nested draws, paired seeds, and three ways to judge a part."""

from itertools import pairwise

import numpy as np
import pytest

from kdbook.chapters import number_of_classes
from kdbook.chapters.number_of_classes import Settings
from kdbook.chapters.rare_classes import RareClasses
from kdbook.chapters.where_the_teacher_errs import WhereTheTeacherErrs
from kdlib.data import load
from kdlib.errors import SettingError
from kdlib.runs import Store, execute


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Half and all of the classes, two draws, one seed, trained for two epochs."""
    settings = Settings(seeds=1, epochs=2, draws=2, shares=(1, 0.5), imbalances=(20,))
    store = Store(tmp_path_factory.mktemp("store"))
    results = execute(
        number_of_classes.NumberOfClasses(settings).runs(), store=store, jobs=1, progress=False
    )
    return settings, results


def test_one_row_a_run(tiny):
    table = number_of_classes.NumberOfClasses(tiny[0]).per_seed(*tiny[1:])
    assert len(table) == 3 * (2 + 2)  # two draws of a half; as many seeds of the whole
    half = table[table["classes"] == 5]
    np.testing.assert_allclose(half["worst_10"], half["mean"])  # ten of five classes are all five
    np.testing.assert_allclose(table["worst_1"], table["worst_tenth"])


def test_runs_that_are_not_finished_have_no_row(tiny):
    settings, results = tiny
    table = number_of_classes.NumberOfClasses(settings).per_seed([None, *results[1:]])
    assert len(table) == len(results) - 1


def test_differences_pair_draw_and_seed(tiny):
    table = number_of_classes.NumberOfClasses(tiny[0]).per_seed(*tiny[1:])
    rows = number_of_classes.differences(table, "mean")
    wide = table.set_index(["classes", "draw", "seed", "method"])["mean"].unstack()
    expected = (wide["distilled"] - wide["one-hot"]).sort_index()
    found = rows.set_index(["classes", "draw", "seed"])["difference"].sort_index()
    np.testing.assert_allclose(found, expected)


def test_a_part_of_the_whole_students_classes(tiny):
    settings, results = tiny
    rows = number_of_classes.NumberOfClasses(settings).without_retraining(results)
    assert len(rows) == 2 * 2
    whole = next(
        r for m, r in zip(number_of_classes.NumberOfClasses(settings).members(), results,
        strict=True) if m.method == "one-hot" and dict(m.place)["share"] == 1 and m.seed == 0
    )  # fmt: skip
    names = load("digits", class_share=0.5, class_seed=0).class_names
    kept = [load("digits").class_names.index(name) for name in names]
    row = rows[(rows["method"] == "one-hot") & (rows["draw"] == 0)].iloc[0]
    assert row["picked"] == pytest.approx(100 * whole.accuracy("test")[kept].min())
    # Fewer answers to choose from cannot make a right one wrong.
    assert (rows["masked"] >= rows["picked"]).all()


def test_draws_are_nested_and_shared_between_shares():
    settings = Settings(profile="standard", seeds=1, draws=1)
    names = [
        set(load("digits", class_share=share, class_seed=3).class_names)
        for share in (0.2, 0.3, 0.5, 1.0)
    ]
    assert all(small < large for small, large in pairwise(names))
    assert number_of_classes.NumberOfClasses(settings).shares() == (0.1, 0.25, 0.5, 1.0)


def test_all_classes_are_those_of_other_studies():
    whole = {
        m.spec
        for m in number_of_classes.NumberOfClasses(Settings()).members()
        if dict(m.place)["share"] == 1
    }
    for kind in (RareClasses, WhereTheTeacherErrs):  # one temperature for all of them
        others = set(kind.parse(seeds=3).runs())
        assert {spec for spec in whole if spec.data.imbalance == 20} <= others


def test_the_number_of_runs_at_quick():
    # Two ratios; three shares of three draws and two seeds, and three seeds of the whole.
    assert len(
        {run.id for run in number_of_classes.NumberOfClasses(Settings()).runs()}
    ) == 2 * 3 * (3 * 3 * 2 + 3)


@pytest.mark.parametrize(
    "wrong", [{"shares": ()}, {"shares": (0,)}, {"shares": (1.5,)}, {"draws": 0},
              {"imbalances": ()}, {"share": 1}],
)  # fmt: skip
def test_wrong_settings_are_one_line(wrong):
    with pytest.raises(SettingError) as complaint:
        Settings.parse(**wrong)
    assert "\n" not in str(complaint.value)


def test_the_overview_has_a_row_a_ratio_and_number_of_classes(tiny):
    shown = number_of_classes.overview(
        number_of_classes.NumberOfClasses(tiny[0]).per_seed(*tiny[1:])
    )
    assert list(shown.index) == [(20, 5), (20, 10)]
    assert list(shown.columns) == ["mean", "worst class", "worst 10"]
