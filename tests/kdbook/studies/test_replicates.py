import numpy as np
import pandas as pd
import pytest

from kdbook.chapters.measuring import replicates
from kdbook.records import Record
from kdlib.errors import SettingError


def record(shift=0.0, runs="abcd"):
    values = np.array([50.0, 54.0, 60.0, 62.0])[: len(runs)] + shift
    return Record(
        None,
        pd.DataFrame(
            {
                "run": list(runs),
                "method": ["one-hot", "one-hot", "distilled", "distilled"][: len(runs)],
                "imbalance": 20.0,
                "temperature": [np.nan, np.nan, 3.0, 3.0][: len(runs)],
                "seed": [0, 1, 0, 1][: len(runs)],
                "mean": values,
                "rarest": values,
                "worst_1": values,
            }
        ),
    )


def test_pairs_are_found_by_their_id_and_counted_once():
    pairs = replicates.paired_runs([record(), record()], [record(2.0, "abc")])
    assert len(pairs) == 3 * 3
    assert ((pairs["second"] - pairs["first"]) == 2.0).all()


def test_a_common_shift_is_no_noise():
    found = replicates.noise(replicates.paired_runs([record()], [record(2.0)]))
    assert found["shift"].tolist() == [2.0] * 3
    assert found["rounding"].tolist() == pytest.approx([0.0] * 3)
    # one-hot: 50, 54 (squares 8), distilled: 60, 62 (squares 2), 4 runs in 2 groups
    assert found["seeds"].tolist() == pytest.approx([np.sqrt(10 / 2)] * 3)


def test_noise_is_that_of_one_training():
    rng = np.random.default_rng(0)
    n = 20_000
    first, second = 50 + 3 * rng.standard_normal((2, n))
    table = pd.DataFrame(
        {"run": np.arange(n), "method": "a", "imbalance": 1.0, "temperature": 1.0, "seed": 0,
         "measure": "mean", "first": first, "second": second}
    )  # fmt: skip
    found = replicates.noise(table).iloc[0]
    assert found["rounding"] == pytest.approx(3, rel=0.03)
    assert found["seeds"] == pytest.approx(3, rel=0.03)


def test_records_without_a_common_run_are_refused():
    with pytest.raises(SettingError, match="no run in common"):
        replicates.paired_runs([record(runs="ab")], [record(runs="cd")])
