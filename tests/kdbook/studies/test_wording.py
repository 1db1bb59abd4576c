"""What a page says of a difference follows from its interval, and from nothing else."""

import numpy as np
import pandas as pd
import pytest

from kdbook import compare
from kdlib.metrics import PERCENT, t_interval


def row(mean, low, high, seeds=10):
    return {"mean": mean, "low": low, "high": high, "seeds": seeds}


@pytest.mark.parametrize(
    ("interval", "verdict", "words"),
    [
        (row(8.3, 1.0, 15.6), "up", "rises by 8.3 points (+1.0 to +15.6, 10 seeds)"),
        (row(-9.5, -13.0, -6.0), "down", "falls by 9.5 points (-13.0 to -6.0, 10 seeds)"),
        (
            row(-1.5, -3.4, 0.4, 3),
            "undecided",
            "shows no clear change (-1.5 points, -3.4 to +0.4, 3 seeds)",
        ),
        (
            row(2.0, np.nan, np.nan, 1),
            "undecided",
            "moves by +2.0 points, with no interval from so few seeds (1)",
        ),
        (
            row(2.0, np.nan, np.nan, 3),
            "undecided",
            "moves by +2.0 points in all 3 seeds, which shows no spread to judge it by",
        ),
        (
            row(np.nan, np.nan, np.nan, 10),
            "undecided",
            "has no value: a training diverged in one of 10 seeds or more",
        ),
    ],
)
def test_a_difference_in_words(interval, verdict, words):
    assert compare.verdict(interval) == verdict
    assert compare.change(interval) == words


def test_a_difference_as_a_cell():
    assert compare.signed(row(8.3, 1.0, 15.6)) == "+8.3 (+1.0 to +15.6)"
    assert compare.signed(row(-2.0, np.nan, np.nan, 1)) == "-2.0"
    assert compare.signed(row(-2.0, np.nan, np.nan, 4)) == "-2.0 (in all 4 seeds)"
    assert compare.signed({"mean": -2.0, "low": np.nan, "high": np.nan}) == "-2.0"  # as printed


def test_overview_gives_means_with_intervals_inside_their_bounds():
    table = pd.DataFrame(
        {
            "method": ["one-hot"] * 3 + ["distilled"] * 3,
            "temperature": [np.nan] * 3 + [3.0] * 3,
            "mean": [95.0, 99.0, 97.0, 80.0, 80.0, 80.0],
        }
    )
    shown = compare.overview(table, {"mean": "mean of classes"})
    assert list(shown.index) == ["one-hot", "distilled, T = 3"]
    ends = t_interval([95, 99, 97], scale=PERCENT)
    cells = [f"97.0 ({ends.low:.1f} to {ends.high:.1f})", "80.0 (in all 3 seeds)"]
    assert list(shown["mean of classes"]) == cells
    assert ends.high < 100 < t_interval([95, 99, 97]).high


def test_one_seed_shows_no_interval():
    table = pd.DataFrame({"method": ["one-hot"], "temperature": [np.nan], "mean": [90.0]})
    assert compare.overview(table, {"mean": "m"}).loc["one-hot", "m"] == "90.0"


def test_a_list_in_markdown():
    assert compare.listed(["a", "b"]) == "* a\n* b"
