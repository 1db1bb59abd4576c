"""The plans add up, and the page for teachers shows them."""

import dataclasses
import re
from itertools import pairwise
from pathlib import Path

import pytest

from kdbook.workshop.__main__ import PAGE, with_plans
from kdbook.workshop.make import UNITS
from kdbook.workshop.plans import PLANS, Between, in_markdown, rows
from kdbook.workshop.units import read_units
from kdlib.errors import SettingError

ROOT = Path(__file__).resolve().parents[3]
ALL_UNITS = read_units(ROOT / UNITS)


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.title)
def test_minutes_add_up(plan):
    steps = rows(plan, ALL_UNITS)
    assert sum(minutes for _, minutes, _ in steps) == plan.total
    for (start, minutes, _), (following, _, _) in pairwise(steps):
        assert start + minutes == following
    for _, minutes, title in steps:  # the sections that a row names make up its minutes
        parts = re.findall(r"\((\d+)\)", title)
        assert not parts or sum(map(int, parts)) == minutes


def test_the_plans_are_those_that_were_promised():
    assert [(plan.title, plan.total) for plan in PLANS] == [("90 minutes", 90), ("Half a day", 210)]
    assert all(any("Break" in step[2] for step in rows(plan, ALL_UNITS)) for plan in PLANS)


def test_half_a_day_leaves_nothing_out():
    text = in_markdown(ALL_UNITS).partition("### Half a day")[2]
    assert all(f"{s.title} ({s.minutes})" in text for u in ALL_UNITS for s in u.sections)


def test_minutes_that_do_not_add_up_are_refused():
    longer = dataclasses.replace(PLANS[0], order=(*PLANS[0].order, Between("Talk", 3)))
    with pytest.raises(SettingError, match="takes 93 minutes, not 90"):
        rows(longer, ALL_UNITS)


def test_a_unit_that_is_not_there_is_named():
    with pytest.raises(SettingError, match="unit 9, which is not there"):
        rows(dataclasses.replace(PLANS[0], order=(9,)), ALL_UNITS)


def test_the_page_shows_the_plans():
    text = (ROOT / PAGE).read_text(encoding="utf-8")
    assert "### 90 minutes" in text
    assert with_plans(text, in_markdown(ALL_UNITS)) == text
