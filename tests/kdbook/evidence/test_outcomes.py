"""What the plan asked, from records of blocks that are made by hand."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from kdbook.evidence import outcomes
from kdbook.evidence.blocks import BLOCKS
from kdbook.evidence.records import TWO_CORES

SEEDS = range(5)
NOISE = np.array((0.3, -0.2, 0.1, -0.4, 0.2))


def write(folder, block, shifts, seeds=SEEDS):
    """A block whose methods lie these points above one-hot, with noise of their own per seed."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = [_row(name, place, shift, s) for place, (name, shift) in enumerate(shifts.items())
            for s in seeds]  # fmt: skip
    table = pd.DataFrame(rows)
    classes = [
        {"run": row["run"], "label": label, "train_count": 500 - label, "accuracy": _of(row, label)}
        for row in rows
        for label in range(100)
    ]
    table.to_csv(folder / f"block-{block}.csv", index=False)
    pd.DataFrame(classes).to_csv(folder / f"block-{block}-classes.csv", index=False)
    (folder / f"block-{block}.json").write_text(json.dumps({"missing_runs": 0}))


def _row(name, place, shift, seed):
    value = 40 + shift + (0.0 if name == "one-hot" else NOISE[(seed + place) % 5])
    named = ("mean", "worst_1", "worst_2", "worst_10", "worst_20", "rarest")
    measures = dict.fromkeys(named, value)
    other = {"log_loss_rarest": value / 10, "margin_rarest": value / 100}
    share = np.nan if name == "one-hot" else value
    return {"method": name, "imbalance": 100.0, "temperature": np.nan, "seed": seed, **measures,
            **other, "off_label": share, "run": f"{name}-{seed}"}  # fmt: skip


def _of(row, label):
    """The rarest tenth loses ten points under a teacher."""
    return row["mean"] - 10 * (label >= 90 and row["method"] != "one-hot")


def test_the_outcomes_are_members_of_their_blocks():
    def methods(*blocks):
        return {member.method for name in blocks for member in BLOCKS[name].members}

    for outcome in (*outcomes.PRIMARY, *outcomes.LONGER):
        assert {outcome.method, outcome.baseline} <= methods(outcome.block)
    assert all({one.method, one.baseline} <= methods("c", "d2") for one in outcomes.LATER)
    assert [outcome.number for outcome in outcomes.PRIMARY] == [1, 2, 3, 4, 5, 6]


def test_nothing_recorded_is_said_as_such(tmp_path):
    found = outcomes.primary(tmp_path)
    assert len(found) == 6 and (found["seeds"] == 0).all()
    assert found[["mean", "low", "high", "p", "p_corrected"]].isna().all(axis=None)
    assert outcomes.secondary(tmp_path).empty and outcomes.by_frequency(tmp_path).empty
    assert outcomes.cells(tmp_path).empty


def test_a_half_finished_family_is_corrected_for_all_six(tmp_path):
    write(tmp_path / TWO_CORES, "b", {"one-hot": 0.0, "distilled": -2.0})
    found = outcomes.primary(tmp_path).set_index("number")
    differences = -2.0 + np.roll(NOISE, -1)
    assert found.loc[1, "mean"] == pytest.approx(differences.mean())
    alone = stats.ttest_1samp(differences, 0.0).pvalue
    assert found.loc[1, "p"] == pytest.approx(alone, rel=0.2)  # rounding of test images counts too
    assert found.loc[1, "p_corrected"] == pytest.approx(6 * found.loc[1, "p"])
    assert np.isnan(found.loc[3, "p_corrected"])


def test_the_whole_family_is_corrected_by_holm(tmp_path):
    pet = {"one-hot": 0.0, "distilled": -2.0, "AdaAlpha": 1.0, "AdaMargin": -2.1}
    write(tmp_path / TWO_CORES, "b", pet)
    write(tmp_path, "c", {"std/std-d": 0.0, "std/rob-d": 5.0, "rob/rob-d": 4.0}, range(3))
    found = outcomes.primary(tmp_path)
    order = np.argsort(found["p"].to_numpy())
    steps = (6 - np.arange(6)) * found["p"].to_numpy()[order]
    assert found["p_corrected"].to_numpy()[order] == pytest.approx(
        np.minimum(1, np.maximum.accumulate(steps))
    )


def test_the_longer_training_is_a_family_of_its_own(tmp_path):
    write(tmp_path, "b2", {"one-hot": 0.0, "distilled": -2.0})
    found = outcomes.longer(tmp_path).set_index("number")
    assert list(found.index) == [1, 2, 3] and set(found["block"]) == {"b2"}
    assert found.loc[2, "p_corrected"] == pytest.approx(3 * found.loc[2, "p"])
    assert np.isnan(found.loc[3, "mean"]) and np.isnan(outcomes.primary(tmp_path)["mean"]).all()
    write(tmp_path / TWO_CORES, "b2", {"one-hot": 0.0}, range(1))  # begun there, and whole here
    assert outcomes.longer(tmp_path)["seeds"].tolist() == [5, 5, 0]
    assert set(outcomes.secondary(tmp_path, "b2")["comparison"]) == {"distilled − one-hot"}
    assert set(outcomes.by_frequency(tmp_path, block="b2")["method"]) == {"distilled"}


def test_a_block_that_two_cores_have_begun_is_read_there_alone(tmp_path):
    whole = {"std/std-d": 0.0, "std/rob-d": 5.0, "rob/rob-d": 4.0}
    write(tmp_path, "c", whole, range(3))
    write(tmp_path / TWO_CORES, "c", {"std/std-d": 0.0, "std/rob-d": 9.0}, range(3))
    found = outcomes.primary(tmp_path).set_index("number")
    assert found.loc[5, "mean"] == pytest.approx(9, abs=1) and np.isnan(found.loc[6, "mean"])
    once_more = outcomes.again(tmp_path).set_index("number")
    assert list(once_more.index) == [5, 6]
    assert once_more.loc[5, "mean"] == pytest.approx(5, abs=1)


def test_further_cells_are_compared_with_those_of_their_block(tmp_path):
    write(tmp_path / TWO_CORES, "c", {"std/std-d": 0.0, "rob/rob-d": 4.0}, range(3))
    assert outcomes.later(tmp_path)["seeds"].tolist() == [0]
    write(tmp_path, "d2", {"bal/rob-d": 9.0}, range(3))  # of another machine
    assert outcomes.later(tmp_path)["seeds"].tolist() == [0]
    write(tmp_path / TWO_CORES, "d2", {"bal/rob-d": 7.0}, range(3))
    found = outcomes.later(tmp_path).iloc[0]
    differences = 3.0 + (NOISE - np.roll(NOISE, -1))[:3]
    assert (found["seeds"], found["mean"]) == (3, pytest.approx(differences.mean()))
    assert found["p_corrected"] == found["p"]
    assert set(outcomes.secondary(tmp_path, "c")["comparison"]) == {"bal/rob-d − rob/rob-d"}
    classes = outcomes.by_frequency(tmp_path, block="c")
    assert set(classes["method"]) == {"rob/rob-d", "bal/rob-d"}
    assert list(outcomes.cells(tmp_path)["method"]) == 2 * ["std/std-d", "bal/rob-d", "rob/rob-d"]


def test_machines_are_not_mixed_and_unpaired_seeds_do_not_count(tmp_path):
    write(tmp_path, "b", {"one-hot": 0.0}, SEEDS)
    write(tmp_path / TWO_CORES, "b", {"one-hot": 0.0, "distilled": -2.0}, range(2))
    assert outcomes.rows_of(tmp_path, "b", ("one-hot", "distilled")) is None
    write(tmp_path / TWO_CORES, "b", {"one-hot": 0.0, "distilled": -2.0}, range(3))
    rows, _ = outcomes.rows_of(tmp_path, "b", ("one-hot", "distilled"))
    assert sorted(set(rows["seed"])) == [0, 1, 2] and len(rows) == 6


def test_the_share_off_the_label_is_compared_between_taught_students_only(tmp_path):
    write(tmp_path / TWO_CORES, "b", {"one-hot": 0.0, "distilled": -2.0, "AdaAlpha": 1.0})
    found = outcomes.secondary(tmp_path).groupby("comparison")["measure"].apply(list)
    share = outcomes.SECONDARY["b"]["off_label"]
    assert share not in found["distilled − one-hot"]
    assert share in found["AdaAlpha − distilled"]


def test_block_c_has_secondary_outcomes_of_its_own(tmp_path):
    write(tmp_path, "c", {"std/std-d": 0.0, "std/rob-d": 5.0, "rob/rob-d": 4.0}, range(3))
    found = outcomes.secondary(tmp_path, block="c").set_index(["comparison", "measure"])
    assert set(found.index.get_level_values(0)) == {
        "std/rob-d − std/std-d", "rob/rob-d − std/rob-d",
    }  # fmt: skip
    here = found.loc[("std/rob-d − std/std-d", "two worst classes")]
    assert here["mean"] == pytest.approx(5 + np.mean((NOISE - np.roll(NOISE, 1))[1:4]))
    assert set(found.index.get_level_values(1)) == set(outcomes.SECONDARY["c"].values())


def test_tenths_go_from_the_most_frequent_classes_to_the_rarest(tmp_path):
    write(tmp_path / TWO_CORES, "b", {"one-hot": 0.0, "distilled": 0.0, "AdaAlpha": 0.0})
    found = outcomes.by_frequency(tmp_path)
    taught = found[found["method"] == "distilled"].set_index("label")
    assert list(taught.index) == list(range(10))
    assert taught.loc[0, "class_name"] == "500–\n491"
    assert taught.loc[9, "mean"] == pytest.approx(taught.loc[0, "mean"] - 10)
    assert set(found["method"]) == {"distilled", "AdaAlpha"}


def test_robust_students_are_drawn_against_the_standard_one(tmp_path):
    write(tmp_path, "c", {"std/std-d": 0.0, "std/rob-d": 5.0}, range(3))
    found = outcomes.by_frequency(tmp_path, block="c")
    assert set(found["method"]) == {"std/rob-d"}
    assert found["mean"].mean() == pytest.approx(5 + np.mean((NOISE - np.roll(NOISE, 1))[1:4]))
    assert outcomes.by_frequency(tmp_path).empty
