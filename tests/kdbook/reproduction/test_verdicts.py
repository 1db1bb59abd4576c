"""The rule, on numbers made up for each of its lines."""

from math import nan

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kdbook.reproduction import Measured, Printed, Verdict, judge


def ours(mean, half, **changes):
    return Measured(mean, mean - half, mean + half, **({"seeds": 3} | changes))


PAPERS = {"papers_setting": True}


@pytest.mark.parametrize(
    ("printed", "measured", "verdict"),
    [
        # A difference, in the paper's setting.
        (Printed(2.0), ours(2.2, 0.5, **PAPERS), Verdict.OVERLAP),
        (Printed(2.0), ours(4.0, 0.5, **PAPERS), Verdict.SAME_SIGN),
        (Printed(2.0, spread=1.5), ours(4.0, 0.5, **PAPERS), Verdict.OVERLAP),
        (Printed(2.0), ours(-4.0, 0.5, **PAPERS), Verdict.DIFFERS),
        (Printed(2.0), ours(2.0, 2.5, **PAPERS), Verdict.UNDECIDED),
        # A difference, in another setting: sizes are not compared.
        (Printed(2.0), ours(2.0, 0.5), Verdict.SAME_SIGN),
        (Printed(-2.0), ours(-9.0, 0.5), Verdict.SAME_SIGN),
        (Printed(-2.0), ours(9.0, 0.5), Verdict.DIFFERS),
        (Printed(-2.0), ours(9.0, 9.0), Verdict.UNDECIDED),
        (Printed(2.0), ours(0.0, 0.0), Verdict.UNDECIDED),
        # Printed as exactly zero.
        (Printed(0.0), ours(1.0, 0.5, **PAPERS), Verdict.DIFFERS),
        (Printed(0.0), ours(-1.0, 0.5), Verdict.DIFFERS),
        (Printed(0.0), ours(0.1, 0.5), Verdict.UNDECIDED),
        # A plain accuracy.
        (Printed(73.3, is_difference=False), ours(73.0, 0.5, **PAPERS), Verdict.OVERLAP),
        (Printed(73.3, is_difference=False), ours(70.0, 0.5, **PAPERS), Verdict.DIFFERS),
        (Printed(73.3, is_difference=False), ours(73.3, 0.5), Verdict.NO_VERDICT),
        # Divergence.
        (Printed(nan), ours(nan, nan, diverged=3), Verdict.BOTH_DIVERGE),
        (Printed(nan), ours(nan, nan, diverged=2), Verdict.BOTH_DIVERGE),
        (Printed(nan), ours(nan, nan, diverged=1), Verdict.DIFFERS),
        (Printed(nan), ours(1.0, 0.5), Verdict.DIFFERS),
        (Printed(2.0), ours(nan, nan, diverged=2), Verdict.DIFFERS),
        (Printed(2.0), ours(nan, nan, diverged=1), Verdict.UNDECIDED),
        # One seed.
        (Printed(2.0), Measured(5.0, seeds=1, papers_setting=True), Verdict.UNDECIDED),
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


@given(points, points, st.floats(0, 50), st.booleans())
def test_a_decided_sign_is_never_called_the_other_one(printed, mean, half, papers):
    assume(printed != 0)
    verdict, _ = judge(Printed(printed), ours(mean, half, papers_setting=papers))
    decided = mean - half > 0 or mean + half < 0
    agrees = (printed > 0) == (mean > 0)
    if not decided:
        assert verdict is Verdict.UNDECIDED
    elif agrees:
        assert verdict in (Verdict.SAME_SIGN, Verdict.OVERLAP)
    else:
        assert verdict is Verdict.DIFFERS


@given(points, points, st.floats(0, 50), st.booleans())
def test_turning_all_signs_round_changes_no_verdict(printed, mean, half, papers):
    there, _ = judge(Printed(printed), ours(mean, half, papers_setting=papers))
    back, _ = judge(Printed(-printed), ours(-mean, half, papers_setting=papers))
    assert there is back


@given(points, points, st.floats(0, 50))
def test_sizes_are_compared_in_the_papers_setting_only(printed, mean, half):
    assert judge(Printed(printed), ours(mean, half))[0] is not Verdict.OVERLAP
