"""What the chapter on rounds says is what the record's rows say."""

import re

import pandas as pd
import pytest

from kdbook.chapters.repeated_distillation import RepeatedDistillation, chain_names
from kdbook.chapters.repeated_distillation.findings import Findings
from kdbook.records import book_record


@pytest.fixture(scope="module")
def found():
    study = RepeatedDistillation.parse()
    study.table = book_record("repeated_distillation", "quick").table
    return Findings(study)


def mean_of(found, chain, number):
    table = found.study.table
    in_chain = pd.Series(chain_names(table), table.index) == chain
    return table.loc[in_chain & (table["round"] == number), "mean"].mean()


def test_the_headline_is_the_hottest_chain_at_both_ends(found):
    first, last = (mean_of(found, "T = 3", number) for number in (1, found.last))
    assert re.findall(r"(\d+) %", found.headline()) == [f"{first:.0f}", f"{last:.0f}"]


def test_each_chain_starts_at_the_one_hot_student_and_goes_on_in_order(found):
    rows = found.rounds()
    table = found.study.table
    start = table.loc[table["method"] == "one-hot", "mean"].mean()
    for _, chain in rows[rows["measure"] == "mean"].groupby("method"):
        assert chain["round"].tolist() == list(range(found.last + 1))
        assert chain["mean"].iloc[0] == pytest.approx(start)


def test_in_short_says_what_repeating_adds(found):
    fallen = mean_of(found, "T = 3", 1) - mean_of(found, "T = 3", found.last)
    assert f"falls by {fallen:.1f} points" in found.in_short()
