"""Pairs, measures and recorded tables against numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest
import torch
from hand_records import record, rows
from scipy import stats

from kdbook import compare, records, tables
from kdbook.records import write_record
from kdlib.errors import SettingError
from kdlib.metrics import PERCENT, t_interval

PER_SEED = pd.DataFrame(
    {
        "method": ["one-hot"] * 3 + ["distilled"] * 6,
        "temperature": [np.nan] * 3 + [1.0] * 3 + [3.0] * 3,
        "imbalance": 100.0,
        "seed": [0, 1, 2] * 3,
        "mean": [90.0, 80.0, 70.0, 92.0, 86.0, 74.0, 70.0, 64.0, 52.0],
        "rarest": [50.0, 40.0, 30.0, 50.0, 40.0, 30.0, 10.0, 0.0, 0.0],
        "worst_10": 5.0,
    }
)


@pytest.mark.parametrize(
    ("classes", "column", "words"),
    [(10, "worst_1", "worst class"), (100, "worst_10", "worst 10 classes")],
)
def test_the_worst_are_a_tenth_of_the_classes(classes, column, words):
    assert compare.measures(classes)[column] == words


def test_pairs_are_subtracted_within_a_seed():
    pairs = [("distilled, T = 1", "one-hot"), ("distilled, T = 3", "distilled, T = 1")]
    table = compare.compare(PER_SEED, pairs, {"mean": "mean"})
    # Differences 2, 6 and 4: mean 4, s = 2, t of two degrees of freedom 4.302653.
    assert list(table["mean"]) == [4.0, -22.0]
    assert table.loc[0, "cell"] == "+4.0 (-1.0 to +9.0)"
    assert table.loc[0, "comparison"] == "distilled, T = 1 − one-hot"
    said = "From distilled, T = 1 to distilled, T = 3 it moves by -22.0 points in all 3 seeds"
    assert table.loc[1, "said"].startswith(said)


def test_an_unknown_method_or_row_is_refused_with_a_likely_one():
    with pytest.raises(SettingError, match="no method 'onehot' to compare: did you mean one-hot"):
        compare.compare(PER_SEED, [("distilled, T = 1", "onehot")], {"mean": "mean"})
    assert compare.row_of(PER_SEED, method="distilled", seed=2)["mean"] == 74.0
    with pytest.raises(SettingError, match="no row with seed = 3: allowed are 0, 1, 2"):
        compare.row_of(PER_SEED, method="distilled", seed=3)


def test_a_shared_temperature_is_named_once():
    table = PER_SEED.replace({"temperature": {3.0: 1.0}})
    table.loc[6:, "method"] = "AdaAlpha"
    pair = ("AdaAlpha, T = 1", "distilled, T = 1")
    found = compare.compare(table, [pair], {"mean": "m"})
    assert found["comparison"].item() == "AdaAlpha − distilled, T = 1"


def test_one_row_a_measure_and_pair():
    pairs = [("distilled, T = 1", "one-hot"), ("distilled, T = 3", "one-hot")]
    table = compare.compare(PER_SEED, pairs, {"mean": "m", "rarest": "r"})
    assert list(table["measure"]) == ["m", "m", "r", "r"]


def test_values_over_seeds():
    row = compare.mean_over_seeds([2.0, 6.0, 4.0])
    assert (row["mean"], row["seeds"]) == (4.0, 3)
    assert row["high"] == pytest.approx(4 + 4.302653 * 2 / np.sqrt(3))
    assert row["p"] == pytest.approx(stats.ttest_1samp([2, 6, 4], 0).pvalue)


def test_averages_of_classes():
    averages = tables.class_averages(
        torch.tensor([1.0, 3.0, 5.0]), torch.tensor([1, 1, 0]), num_classes=2
    )
    assert averages == [5.0, 2.0]


def test_a_study_that_was_not_recorded_says_how(tmp_path):
    line = records.recorded("rare_classes", tmp_path)
    assert line.startswith("Not run yet") and "--profile paper" in line


def test_a_recorded_study_is_shown(tmp_path):
    write_record(tmp_path, hand_made(study="rare_classes"))
    shown = records.recorded("rare_classes", tmp_path)
    assert list(shown.columns) == ["mean of the classes", "rarest fifth", "worst 10 classes"]
    assert list(shown.index) == [("paper, a GPU", "one-hot"), ("paper, a GPU", "distilled, T = 3")]
    ours = t_interval([40, 42, 44], scale=PERCENT)
    assert shown.iloc[0, 0] == f"42.0 ({ours.low:.1f} to {ours.high:.1f})"


def test_quick_records_and_other_studies_are_not_on_the_papers_data(tmp_path):
    write_record(tmp_path, hand_made(study="rare_classes", profile="quick"))
    write_record(tmp_path, hand_made(study="measuring"))
    assert isinstance(records.recorded("rare_classes", tmp_path), str)


def test_the_papers_own_scale_comes_before_the_standard_one(tmp_path):
    write_record(tmp_path, hand_made(study="rare_classes", profile="standard"))
    write_record(tmp_path, hand_made(study="rare_classes"))
    shown = records.recorded("rare_classes", tmp_path)
    assert list(dict.fromkeys(shown.index.get_level_values(0))) == [
        "paper, a GPU", "standard, a GPU",
    ]  # fmt: skip


def test_what_a_record_lacks_or_changes_is_said(tmp_path):
    write_record(tmp_path, hand_made(study="measuring", missing_runs=3, settings={"epochs": 60}))
    shown = records.recorded("measuring", tmp_path)
    assert shown.index[0][0] == "paper, a GPU, epochs = 60, 3 runs missing"


def hand_made(**changes):
    table = rows("one-hot", np.nan, [40.0, 42.0, 44.0]) + rows("distilled", 3.0, [30.0, 31.0, 32.0])
    return record(table, **changes)


def per_class(differences):
    """A baseline at 50 percent, and a method that differs by ``differences[label][seed]``."""
    rows = [
        {"method": method, "temperature": t, "seed": seed, "label": label, "accuracy": accuracy}
        for label, by_seed in enumerate(differences)
        for seed, difference in enumerate(by_seed)
        for method, t, accuracy in (("one-hot", np.nan, 50), ("distilled", 3.0, 50 + difference))
    ]
    return pd.DataFrame(rows).sample(frac=1, random_state=0)


PAIR = ("distilled, T = 3", "one-hot")
CLEAR, NOISY = [-10.0, -11.1, -12.3, -10.6], [3.0, -2.0, 2.0, -3.0]
WEAK = [1.0, 2.1, 3.3, 1.6]


def test_each_class_is_tested_and_corrected_for_all_of_them():
    found = compare.holm_by_class(per_class([NOISY, CLEAR, WEAK]), PAIR)
    assert list(found["label"]) == [0, 1, 2]
    np.testing.assert_allclose(found["mean"], [0.0, -11.0, 2.0])
    expected = [stats.ttest_1samp(d, 0).pvalue for d in (NOISY, CLEAR, WEAK)]
    np.testing.assert_allclose(found["p"], expected, rtol=1e-6)
    # Sorted: class 1, class 2, class 0; times 3, 2, 1.
    np.testing.assert_allclose(found["p_holm"], np.array(expected) * [1, 3, 2], rtol=1e-6)


def test_a_difference_that_holds_alone_may_not_hold_among_many():
    weak = [-3.0, -1.0, -4.0, -2.5]
    alone = compare.holm_by_class(per_class([weak]), PAIR)
    among = compare.holm_by_class(per_class([weak] + [NOISY] * 9), PAIR)
    assert alone["p_holm"].min() <= 0.05 < among["p_holm"].min()


def test_one_seed_tests_no_class():
    found = compare.holm_by_class(per_class([[1.0], [2.0]]), PAIR)
    assert found["p_holm"].isna().all() and len(found) == 2


def test_a_study_may_show_its_records_in_its_own_way(tmp_path):
    write_record(tmp_path, hand_made(study="rare_classes"))
    shown = records.recorded("rare_classes", tmp_path, lambda table: table[["method", "mean"]])
    assert list(shown.columns) == ["method", "mean"]
    assert shown["mean"].tolist() == hand_made(study="rare_classes").table["mean"].tolist()
