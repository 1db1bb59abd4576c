"""Whether robust twice is best, asked of recorded grids with few seeds and with all."""

import numpy as np
import pytest
from hand_records import record, rows

from kdbook.chapters import teacher_and_student as study
from kdbook.chapters.teacher_and_student import recorded_grids as grids
from kdbook.records import write_record

WORST = {"worst_1": "worst class"}
NAMES = [
    m.method
    for m in study.TeacherAndStudent(study.Settings(seeds=1)).members()
    if m.method[:7] != "teacher"
]
STANDARD, TWICE = "std / std-d", "rob / rob-d ({} labels)"


def table(seeds=4, heat=1.0, ratio=20.0, late=0.0):
    """All cells near 50. Standard students lie 10 below; ``late`` is added to them from seed 3."""
    made = []
    for place, name in enumerate(NAMES):
        low = 10.0 if name == STANDARD else 0.0
        noise = [0.1 * np.sin(place + 2.0 * seed) for seed in range(seeds)]
        values = [50 - low + n + (late if low and s >= 3 else 0) for s, n in enumerate(noise)]
        made += rows(name, heat, values, imbalance=ratio)
    return made


def grid(made, **changes):
    own = {"study": "teacher_and_student", "profile": "quick", "dataset": "digits"}
    return record(made, **(own | {"imbalance": 20.0} | changes))


def test_the_largest_record_of_each_data_set_is_taken(tmp_path):
    balanced = table(3, ratio=1.0)
    for made in (
        grid(table(3)),
        grid(table(6), settings={"seeds": 6}),
        grid(balanced, imbalance=1.0, settings={"imbalance": 1.0, "seeds": 3}),
        grid(table(2), dataset="cifar10", settings={"dataset": "cifar10", "seeds": 2}),
        grid(table(8), settings={"seeds": 8, "fixed_teacher": True}),
        grid(table(9), profile="standard", settings={"seeds": 9}),
    ):
        write_record(tmp_path, made)
    found = grids.recorded_grids("quick", tmp_path)
    seeds = {name: rows["seed"].nunique() for name, rows in found.items()}
    assert seeds == {"ratio 20": 6, "balanced": 3, "cifar10, ratio 20": 2}
    assert grids.recorded_grids("paper", tmp_path) == {}


def test_one_temperature_of_several_is_kept(tmp_path):
    both = [*table(2, heat=3.0), *table(2, heat=1.0), *rows("teacher std", np.nan, (50.0, 51.0))]
    write_record(tmp_path, grid(both))
    (found,) = grids.recorded_grids("quick", tmp_path).values()
    assert set(found["temperature"].dropna()) == {1.0}
    assert "teacher std" in set(found["method"])


def test_the_counts_are_those_of_the_eight_cells():
    whole = grid(table(4)).table
    found = grids.answers_by_seeds(whole, (2, 4, 10, 20), WORST)
    assert found["seeds"].tolist() == [2, 4, 2, 4]
    assert found["labels"].tolist() == ["teacher", "teacher", "one-hot", "one-hot"]
    assert (found[["better", "worse", "unclear"]].sum(axis=1) == 8).all()
    four = found[found["seeds"] == 4]
    assert (four["worse"] >= 1).all()  # the standard student: 10 points below, with little noise
    for labels in ("teacher", "one-hot"):
        cells = whole[
            ~whole["method"].str.contains("labels") | whole["method"].str.contains(labels)
        ]
        means = cells.groupby("method")["worst_1"].mean()
        twice = means.pop(TWICE.format(labels))
        row = four[four["labels"] == labels].iloc[0]
        assert len(means) == 8 and row["higher"] == int((means > twice + 1e-9).sum())


def test_cells_that_some_seed_lacks_are_left_out():
    whole = grid(table(4)).table
    cut = whole[~((whole["method"] == "bal / std-d") & (whole["seed"] == 3))]
    found = grids.answers_by_seeds(cut, (3, 4), WORST).set_index(["labels", "seeds"])
    assert found["cells"].tolist() == [8, 7, 8, 7]  # the three first seeds have them all
    assert (found[["better", "worse", "unclear"]].sum(axis=1) == found["cells"]).all()
    assert "bal / std-d" not in grids.against_each(cut, "worst_1").index


def test_what_falls_with_more_seeds_is_told():
    fallen = grid(table(6, late=25.0)).table
    for line in grids.still_standing(fallen, 3, WORST):
        stood = int(line.partition("with 3 seeds ")[2].partition(",")[0])
        assert stood >= 1 and "still so with 6 seeds 0," in line
    firm = grids.still_standing(grid(table(6)).table, 3, WORST)
    assert [line.partition(":")[0] for line in firm] == [
        "worst class, teacher labels",
        "worst class, one-hot labels",
    ]
    assert not any("still so with 6 seeds 0," in line for line in firm)


def test_each_cell_has_its_difference_for_both_labels():
    found = grids.against_each(grid(table(4)).table, "worst_1")
    assert len(found) == 8
    first = found.loc["std / std-d"]
    assert float(first["teacher labels", "points"].split()[0]) == pytest.approx(10, abs=0.5)
    assert float(first["one-hot labels", "p"].removeprefix("<")) < 0.05
