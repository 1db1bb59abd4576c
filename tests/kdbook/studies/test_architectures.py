"""The grid of teachers and students: which runs, which pairs, which worst classes."""

import pandas as pd
import pytest

from kdbook import profiles
from kdbook.chapters import architectures
from kdbook.chapters.architectures import (
    NETWORKS,
    Settings,
    strength_effects,
    stronger_minus_weaker,
)
from kdbook.families import Family
from kdbook.published import published
from kdlib.errors import SettingError
from kdlib.runs import Store, execute


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Two sizes and one seed, trained for two epochs."""
    settings = Settings(seeds=1, epochs=2, sizes=("medium", "small"))
    store = Store(tmp_path_factory.mktemp("store"))
    return settings, execute(
        architectures.Architectures(settings).runs(), store=store, jobs=1, progress=False
    )


def test_every_cell_is_complete(tiny):
    settings, results = tiny
    table = architectures.Architectures(settings).per_seed(results)
    cells = table.groupby(["teacher", "student", "seed"])["method"].apply(list)
    assert len(cells) == 2 * 2
    assert all(methods == ["teacher", "one-hot", "distilled"] for methods in cells)


def test_the_teachers_worst_class_is_measured_on_the_student(tiny):
    settings, results = tiny
    table = architectures.Architectures(settings).per_seed(results)
    for place in range(0, len(results), 3):
        teacher, _, student = results[place : place + 3]
        row = table.iloc[place + 2]
        assert row["run"] == student.spec.id
        # Ties share a place, so compare with the mean over the tied classes.
        for split, column in (("test", "worst_by_teacher"), ("validation", "worst_by_validation")):
            lowest = teacher.accuracy(split) == teacher.accuracy(split).min()
            assert row[column] == pytest.approx(100 * student.accuracy("test")[lowest].mean())
        assert row["worst_1"] == pytest.approx(100 * student.accuracy("test").min())


def test_a_teachers_own_worst_are_the_worst_by_teacher(tiny):
    table = architectures.Architectures(tiny[0]).per_seed(*tiny[1:])
    teachers = table[table["method"] == "teacher"]
    assert (teachers["worst_1"] == teachers["worst_by_teacher"]).all()


def test_students_of_a_size_share_their_one_hot_student(tiny):
    table = architectures.Architectures(tiny[0]).per_seed(*tiny[1:])
    one_hot = table[(table["method"] == "one-hot") & (table["student"] == "small")]
    assert len(one_hot) == 2 and one_hot["run"].nunique() == 1


def test_one_row_a_cell_method_seed_and_class(tiny):
    table = architectures.Architectures(tiny[0]).per_class(*tiny[1:])
    assert len(table) == 4 * 3 * 10
    assert {"teacher", "student", "label", "accuracy"} <= set(table.columns)


@pytest.mark.parametrize(("name", "own"), [("quick", "medium"), ("standard", "medium"),
                                           ("paper", "large")])  # fmt: skip
def test_the_profiles_own_network_teaches_itself_as_in_other_studies(name, own):
    profile = profiles.PROFILES[name]
    settings = Settings(profile=name)
    shared = architectures.Architectures(settings).family(own, own, 0)
    assert shared.distilled(2.0) == Family(profile, profile.imbalance, 0).distilled(2.0)


def test_networks_grow():
    from kdlib.models import build, parameter_count

    for networks in NETWORKS.values():
        counts = [
            parameter_count(build(m, num_classes=10, channels=1, image_size=8, seed=0))
            for m in networks.values()
        ]
        assert counts == sorted(counts) and len(set(counts)) == 3


def test_as_many_runs_as_the_grid_has():
    for name, seeds in (("quick", 4), ("standard", 3), ("paper", 3)):
        runs = architectures.Architectures(Settings(profile=name)).runs()
        assert len({run.id for run in runs}) == seeds * (3 + 3 + 9)


def test_early_stopped_teachers():
    runs = architectures.Architectures(
        Settings(seeds=1, sizes=("small",), teacher_stops_after=10)
    ).runs()
    assert [run.recipe.stop_after for run in runs] == [10, None, None]


@pytest.mark.parametrize(
    "wrong",
    [{"sizes": ("huge",)}, {"sizes": ()}, {"alpha": 2}, {"temperature": 0}, {"imbalance": 0},
     {"teacher_stops_after": 0}, {"teachers": 3}],
)  # fmt: skip
def test_wrong_settings_are_one_line(wrong):
    with pytest.raises(SettingError) as complaint:
        Settings.parse(**wrong)
    assert "\n" not in str(complaint.value)


def test_the_stronger_teacher_minus_the_weaker():
    cells = pd.DataFrame(
        {"teacher": ["s", "m", "l", "m", "l"], "student": ["a", "a", "a", "b", "b"],
         "difference": [-1.0, -3.0, -4.0, 2.0, 5.0]}
    )  # fmt: skip
    rows = stronger_minus_weaker(cells, ["s", "m", "l"]).set_index(
        ["student", "weaker", "stronger"]
    )
    assert rows["difference"].to_dict() == {
        ("a", "s", "m"): -2.0, ("a", "s", "l"): -3.0, ("a", "m", "l"): -1.0, ("b", "m", "l"): 3.0,
    }  # fmt: skip


def test_pairs_of_teachers_are_within_a_seed():
    cells = pd.DataFrame({"teacher": ["s", "l"] * 2, "student": "a", "seed": [0, 0, 1, 1],
                          "difference": [1.0, 2.0, 3.0, 0.0]})  # fmt: skip
    rows = stronger_minus_weaker(cells, ["s", "l"])
    assert rows.set_index("seed")["difference"].to_dict() == {0: 1.0, 1: -3.0}


def test_students_of_a_seed_are_one_repeat():
    cells = pd.DataFrame(
        {
            "teacher": ["s", "l"] * 6,
            "student": list("aabb") * 3,
            "seed": [0] * 4 + [1] * 4 + [2] * 4,
            "difference": [0.0, 1.0, 0.0, 3.0, 0.0, 5.0, 0.0, 7.0, 0.0, 2.0, 0.0, 6.0],
        }
    )
    (row,) = strength_effects(cells, ["s", "l"]).to_dict("records")
    # Seeds 2, 6 and 4: mean 4, s = 2, t of two degrees of freedom 4.302653.
    assert (row["mean"], row["seeds"]) == (4.0, 3)
    assert row["high"] == pytest.approx(4 + 4.302653 * 2 / 3**0.5, abs=1e-3)


def test_a_single_teacher_leaves_nothing_to_compare():
    cells = pd.DataFrame({"teacher": ["s"], "student": ["a"], "difference": [1.0]})
    assert stronger_minus_weaker(cells, ["s", "l"]).empty


def test_in_table_2_the_stronger_teacher_mostly_harms_less():
    table = published(paper="teachers_pet", table="Table 2", metric="delta_worst_10")
    printed = table.rename(columns={"value": "difference"})
    order = ["resnet18", "resnet34", "resnet50", "efficientnet"]
    rows = stronger_minus_weaker(printed[["teacher", "student", "difference"]], order)
    # Worked out by hand from the print: 1 + 3 + 6 pairs of teachers that share a student.
    assert len(rows) == 10 and (rows["difference"] < 0).sum() == 2


def test_the_overview_has_a_row_a_cell(tiny):
    shown = architectures.overview(architectures.Architectures(tiny[0]).per_seed(*tiny[1:]))
    assert list(shown.index) == [(t, s) for t in ("small", "medium") for s in ("small", "medium")]
    table = (
        architectures.Architectures(tiny[0])
        .per_seed(*tiny[1:])
        .set_index(["teacher", "student", "method"])["mean"]
    )
    gap = table["medium", "small", "distilled"] - table["medium", "small", "one-hot"]
    assert shown.loc[("medium", "small"), "mean"] == f"{gap:+.1f}"
