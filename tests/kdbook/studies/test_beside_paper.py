"""What a page says of a printed difference, line by line of the rule."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdbook.compare import LEVEL, over_seeds
from kdbook.published import (
    Beside,
    beside_paper,
    printed_difference,
    published,
    runs_behind,
    standard_error,
)
from kdlib.errors import SettingError
from kdlib.metrics import POINTS, holm

CLEAR, UNCLEAR = [4.0, 5.1, 4.6, 5.9], [4.0, -5.1, 4.6, -3.9]


def ours(*values):
    return pd.DataFrame([over_seeds(one, POINTS) for one in values])


@pytest.mark.parametrize(
    ("values", "printed", "said"),
    [
        (CLEAR, 2.17, Beside.AS),
        (CLEAR, -1.46, Beside.UNLIKE),
        (UNCLEAR, 2.17, Beside.UNDECIDED),
        (CLEAR, 0.0, Beside.NO_CHANGE),
        (CLEAR, {"mean": 2.0, "low": -0.5, "high": 4.5}, Beside.UNDECIDED_THERE),
        (CLEAR, {"mean": 2.0, "low": 0.5, "high": 3.5}, Beside.AS),
        (CLEAR, {"mean": 2.0, "low": np.nan, "high": np.nan}, Beside.AS),
        ([4.0, 5.0], 2.17, Beside.UNDECIDED),  # two seeds
        ([4.0] * 5, 2.17, Beside.UNDECIDED),  # equal seeds
        ([4.0] * 40, 2.17, Beside.UNDECIDED),
        ([4.0, np.nan, 5.0], 2.17, Beside.UNDECIDED),
    ],
)
def test_each_line_of_the_rule(values, printed, said):
    assert beside_paper(ours(values), [printed]) == [said]


def test_what_stands_together_is_corrected_together():
    weak = [1.0, 2.1, 3.3, 1.6]
    p = ours(weak)["p"].item()
    assert p < LEVEL < 2 * p
    assert beside_paper(ours(weak), [1.0]) == [Beside.AS]
    assert beside_paper(ours(weak, UNCLEAR), [1.0, 1.0]) == [Beside.UNDECIDED] * 2
    both = beside_paper(ours(weak, CLEAR), [1.0, 1.0])
    assert both == [Beside.AS, Beside.AS]  # Holm: the second is not doubled any more


def test_a_wider_correction_is_kept():
    rows = ours(CLEAR).assign(p_holm=0.2)
    assert beside_paper(rows, [1.0]) == [Beside.UNDECIDED]
    assert beside_paper(rows.rename(columns={"p_holm": "holm"}), [1.0]) == [Beside.UNDECIDED]
    assert beside_paper(rows.to_dict("records"), [1.0]) == [Beside.UNDECIDED]


def test_rows_without_p_values_are_refused():
    with pytest.raises(SettingError, match="no p-value"):
        beside_paper([{"mean": 1.0, "low": 0.5, "high": 1.5}], [1.0])


differences = st.lists(st.floats(-50, 50), min_size=1, max_size=8)


@given(st.lists(differences, min_size=1, max_size=5), st.floats(-9, 9))
def test_a_direction_is_said_where_the_correction_leaves_one(values, printed):
    rows = ours(*values)
    for said, p, mean in zip(
        beside_paper(rows, [printed] * len(rows)), holm(rows["p"]), rows["mean"], strict=True
    ):
        if not p <= LEVEL:
            assert said is Beside.UNDECIDED
        elif said in (Beside.AS, Beside.UNLIKE):
            assert (said is Beside.AS) == (mean * printed > 0)


@given(st.lists(differences, min_size=1, max_size=5), st.floats(0.1, 9))
def test_turning_all_signs_round_changes_nothing(values, printed):
    there = beside_paper(ours(*values), [printed] * len(values))
    turned = ours(*[[-v for v in one] for one in values])
    assert beside_paper(turned, [-printed] * len(values)) == there


# --- the papers' own spread ---


def row(**wanted):
    return published(**wanted).iloc[0]


def test_errors_and_runs_are_those_of_the_papers():
    cifar = row(paper="robust_distillation", table="Supp Table 1", dataset="cifar10")
    assert (standard_error(cifar), runs_behind(cifar)) == (cifar["uncertainty"], 10)
    tiny = row(paper="robust_distillation", table="Supp Table 1", dataset="tinyimagenet")
    other = row(paper="robust_distillation", table="Supp Table 4", dataset="cifar10")
    assert runs_behind(tiny) == runs_behind(other) == 5
    ablation = row(paper="teachers_pet", table="Table 4", metric="worst_1")
    assert runs_behind(ablation) == 3
    assert standard_error(ablation) == pytest.approx(ablation["uncertainty"] / 2**0.5)
    single = row(paper="teachers_pet", table="Table 9")
    assert runs_behind(single) == 1 and np.isnan(standard_error(single))


def test_worst_classes_in_thirds_are_means_of_three_runs():
    """With 100 test images per class a single run's worst class is a whole number of percent."""
    worst = published(paper="teachers_pet", table="Table 3", metric="worst_1")
    worst = worst[worst["dataset"].isin(["cifar100", "cifar100_lt"])].dropna(subset="value")
    assert (worst["value"] % 1 > 0).any()
    assert np.abs(3 * worst["value"] - np.rint(3 * worst["value"])).max() < 0.015 + 1e-9
    assert {runs_behind(one) for _, one in worst.iterrows()} == {3}


def test_a_printed_difference_has_the_interval_of_welch():
    from scipy import stats

    one, other = np.array([45.0, 51.0, 52.0]), np.array([46.0, 48.0, 51.0])
    base = row(paper="teachers_pet", table="Table 4", metric="worst_1").to_dict()
    rows = [base | {"value": runs.mean(), "uncertainty": runs.std()} for runs in (one, other)]
    found = printed_difference(*rows)
    interval = stats.ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    assert (found["low"], found["high"]) == pytest.approx((interval.low, interval.high))
    assert found["mean"] == pytest.approx(one.mean() - other.mean())


def test_without_an_error_a_printed_difference_has_no_interval():
    rows = published(paper="teachers_pet", table="Table 9", metric="worst_10")
    found = printed_difference(rows.iloc[1], rows.iloc[0])
    assert found["mean"] == pytest.approx(-2.1) and np.isnan(found["low"])
