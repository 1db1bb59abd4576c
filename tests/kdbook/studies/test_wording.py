"""What a page says of a difference follows from its interval, and from nothing else."""

import numpy as np
import pandas as pd
import pytest

from kdbook.studies import wording


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
            "cannot be told from no change (-1.5 points, -3.4 to +0.4, 3 seeds)",
        ),
        (
            row(2.0, np.nan, np.nan, 1),
            "undecided",
            "moves by +2.0 points, with no interval from so few seeds (1)",
        ),
        (
            row(np.nan, np.nan, np.nan, 10),
            "undecided",
            "has no value: a training diverged in one of 10 seeds or more",
        ),
    ],
)
def test_a_difference_in_words(interval, verdict, words):
    assert wording.verdict(interval) == verdict
    assert wording.change(interval) == words


@pytest.mark.parametrize(
    ("interval", "printed", "words"),
    [
        (row(2, 1, 3), 2.17, "as in the paper"),
        (row(2, 1, 3), -1.46, "unlike the paper"),
        (row(-2, -3, -1), -1.46, "as in the paper"),
        (row(-2, -3, 1), -1.46, "undecided here"),
    ],
)
def test_beside_the_paper(interval, printed, words):
    assert wording.beside_paper(interval, printed) == words


def test_a_difference_as_a_cell():
    assert wording.signed(row(8.3, 1.0, 15.6)) == "+8.3 (+1.0 to +15.6)"
    assert wording.signed(row(-2.0, np.nan, np.nan, 1)) == "-2.0"


def test_overview_gives_means_with_t_intervals():
    table = pd.DataFrame(
        {
            "method": ["one-hot", "one-hot", "distilled", "distilled"],
            "temperature": [np.nan, np.nan, 3.0, 3.0],
            "mean": [90.0, 92.0, 80.0, 80.0],
        }
    )
    shown = wording.overview(table, {"mean": "mean of classes"})
    assert list(shown.index) == ["one-hot", "distilled, T = 3"]
    # t with one degree of freedom at 97.5 % is 12.706; the standard error is 1.
    assert list(shown["mean of classes"]) == ["91.0 (78.3 to 103.7)", "80.0 (80.0 to 80.0)"]


def test_one_seed_shows_no_interval():
    table = pd.DataFrame({"method": ["one-hot"], "temperature": [np.nan], "mean": [90.0]})
    assert wording.overview(table, {"mean": "m"}).loc["one-hot", "m"] == "90.0"


def test_a_list_in_markdown():
    assert wording.listed(["a", "b"]) == "* a\n* b"
