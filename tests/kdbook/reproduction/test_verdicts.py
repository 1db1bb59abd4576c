"""The rule, on numbers made up for each of its lines."""

from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kdbook.compare import LEVEL
from kdbook.published import published
from kdbook.reproduction import Level, Measured, Printed, Verdict, judge
from kdbook.reproduction.printed import as_value, less
from kdlib.metrics import prediction_interval


def ours(mean, half, *, p=None, **changes):
    """Over five seeds; the prediction reaches twice as far, and p fits the interval."""
    values = {
        "level": Level.SAME_DATA,
        "mean": mean,
        "low": mean - half,
        "high": mean + half,
        "predicted_low": mean - 2 * half,
        "predicted_high": mean + 2 * half,
        "seeds": 5,
        "p": (0.01 if abs(mean) > half else 0.5) if p is None else p,
    }
    return Measured(**(values | changes))


PAPERS = {"level": Level.SAME_SETTING, "sizes": True}
VALUE = {"is_difference": False}


@pytest.mark.parametrize(
    ("printed", "measured", "verdict"),
    [
        # Other data: no verdict, whatever the numbers are.
        (Printed(2.0), ours(2.0, 0.5, level=Level.MECHANISM), Verdict.NO_VERDICT),
        (Printed(nan), ours(nan, nan, diverged=5, level=Level.MECHANISM), Verdict.NO_VERDICT),
        # A difference, in the paper's setting.
        (Printed(2.0), ours(2.2, 0.5, **PAPERS), Verdict.AGREES),
        (Printed(2.0), ours(4.0, 0.5, **PAPERS), Verdict.SAME_SIGN),
        (Printed(2.0), ours(-4.0, 0.5, **PAPERS), Verdict.DIFFERS),
        (Printed(2.0), ours(2.0, 2.5, **PAPERS), Verdict.CONSISTENT),
        (Printed(9.0), ours(2.0, 2.5, **PAPERS), Verdict.DIFFERS),  # 7 from ours, which reaches 5
        # A difference, in another setting: sizes are not compared.
        (Printed(2.0), ours(2.0, 0.5), Verdict.SAME_SIGN),
        (Printed(-2.0), ours(-9.0, 0.5), Verdict.SAME_SIGN),
        (Printed(-2.0), ours(9.0, 0.5), Verdict.DIFFERS),
        (Printed(-2.0), ours(9.0, 9.5), Verdict.UNDECIDED),
        # Leaves out zero alone, but not after the correction.
        (Printed(2.0), ours(2.0, 0.5, p=0.06), Verdict.UNDECIDED),
        # The paper's own interval holds zero, or it prints exactly zero.
        (Printed(2.0, low=-1.0, high=5.0), ours(2.0, 0.5), Verdict.UNDECIDED),
        (Printed(2.0, low=1.0, high=3.0), ours(2.0, 0.5), Verdict.SAME_SIGN),
        (Printed(0.0), ours(1.0, 0.5), Verdict.UNDECIDED),
        # Between zeros there is nothing to see.
        (Printed(0.0, on_floor=True), ours(1.0, 0.5, **PAPERS), Verdict.ON_THE_FLOOR),
        (Printed(-1.5), ours(0.0, nan, p=1.0, on_floor=True), Verdict.ON_THE_FLOOR),
        (Printed(0.0, on_floor=True, **VALUE), ours(0.0, nan, on_floor=True), Verdict.ON_THE_FLOOR),
        (Printed(2.3, **VALUE), ours(0.0, nan, on_floor=True, **PAPERS), Verdict.UNDECIDED),
        # A plain accuracy.
        (Printed(73.3, **VALUE), ours(73.0, 0.5, **PAPERS), Verdict.AGREES),
        (Printed(73.3, **VALUE), ours(70.0, 0.5, **PAPERS), Verdict.DIFFERS),
        (Printed(73.3, **VALUE), ours(73.3, 0.5), Verdict.NO_VERDICT),
        # Divergence.
        (Printed(nan), ours(nan, nan, diverged=5), Verdict.BOTH_DIVERGE),
        (Printed(nan), ours(nan, nan, diverged=3), Verdict.BOTH_DIVERGE),
        (Printed(nan), ours(nan, nan, diverged=2, **PAPERS), Verdict.DIFFERS),
        (Printed(nan), ours(1.0, 0.5, **PAPERS), Verdict.DIFFERS),
        (Printed(nan), ours(1.0, 0.5), Verdict.UNDECIDED),
        (Printed(2.0), ours(nan, nan, diverged=3, **PAPERS), Verdict.DIFFERS),
        (Printed(2.0), ours(nan, nan, diverged=3), Verdict.UNDECIDED),
        (Printed(2.0), ours(nan, nan, diverged=1, **PAPERS), Verdict.UNDECIDED),
        # Fewer than three seeds, or seeds that are all equal.
        (Printed(2.0), Measured(Level.SAME_SETTING, True, 5.0, seeds=2), Verdict.UNDECIDED),
        (Printed(2.0), ours(5.0, nan, p=0.001, **PAPERS), Verdict.UNDECIDED),
    ],
)
def test_each_line_of_the_rule(printed, measured, verdict):
    found, because = judge(printed, measured)
    assert found is verdict
    assert because


def test_the_cases_reach_every_verdict_that_a_record_can_have():
    marks = test_each_line_of_the_rule.pytestmark
    reached = {case[2] for mark in marks for case in mark.args[1]}
    assert reached == set(Verdict) - {Verdict.NOT_RUN}


points = st.floats(-100, 100).map(lambda value: round(value, 2))
means = points.filter(bool)  # a mean of exactly 0 has no small p-value
settings = st.sampled_from([{}, PAPERS])


@given(points, means, st.floats(0.01, 50), st.floats(0, 1), settings)
def test_a_sign_is_said_where_the_correction_leaves_one(printed, mean, half, p, setting):
    verdict, _ = judge(Printed(printed), ours(mean, half, p=p, **setting))
    agrees = printed * mean > 0
    if verdict in (Verdict.AGREES, Verdict.SAME_SIGN):
        assert agrees and p <= LEVEL
    if p <= LEVEL and printed and not agrees:
        assert verdict is Verdict.DIFFERS
    if p > LEVEL and not setting:
        assert verdict is Verdict.UNDECIDED


@given(points, means, st.floats(0.01, 50), st.floats(0, 1), settings)
def test_turning_all_signs_round_changes_no_verdict(printed, mean, half, p, setting):
    there, _ = judge(Printed(printed), ours(mean, half, p=p, **setting))
    back, _ = judge(Printed(-printed), ours(-mean, half, p=p, **setting))
    assert there is back


@given(points, points, st.floats(0.01, 50))
def test_sizes_are_compared_in_the_papers_setting_only(printed, mean, half):
    found, _ = judge(Printed(printed), ours(mean, half))
    assert found not in (Verdict.AGREES, Verdict.CONSISTENT)
    value, _ = judge(Printed(printed, **VALUE), ours(mean, half))
    assert value is Verdict.NO_VERDICT


@given(points, points, st.floats(0.01, 50), st.floats(0, 1))
def test_other_data_never_have_a_verdict(printed, mean, half, p):
    found, _ = judge(Printed(printed), ours(mean, half, p=p, level=Level.MECHANISM))
    assert found is Verdict.NO_VERDICT


def test_a_printed_mean_brings_its_runs_and_its_error():
    rows = published(paper="robust_distillation", table="Supp Table 3", dataset="cifar10_lt")
    rows = rows[rows["metric"] == "worst_1"].set_index(["teacher_objective", "student_objective"])
    robust, standard = (rows.loc[pair].squeeze() for pair in (("rob", "std-d"), ("std", "std-d")))
    gap = less(robust, standard)
    assert (gap.value, gap.runs) == (9.63, 10)
    assert gap.error == pytest.approx((0.52**2 + 0.56**2) ** 0.5)
    assert gap.low < 9.63 - 1.96 * gap.error and gap.high > 9.63 + 1.96 * gap.error
    alone = as_value(standard)
    assert (alone.value, alone.error, alone.is_difference) == (60.12, 0.56, False)
    values = [9.0, 10.0, 9.4]
    narrow = prediction_interval(values, runs=10, error=gap.error)
    assert narrow.high < prediction_interval(values).high


def test_zero_less_zero_is_on_the_floor_in_print():
    rows = published(paper="teachers_pet", table="Table 3", dataset="cifar100_lt")
    worst = rows[rows["metric"] == "worst_1"].set_index("method")
    assert less(worst.loc["distillation"], worst.loc["one_hot"]).on_floor
    assert not less(worst.loc["ada_alpha"], worst.loc["one_hot"]).on_floor
    assert as_value(worst.loc["one_hot"]).on_floor
