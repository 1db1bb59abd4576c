"""Plans of a workshop whose minutes add up: those of its units, and what stands between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kdbook.workshop.units import Unit
from kdlib.errors import SettingError


@dataclass(frozen=True)
class Between:
    """What is no unit: a break, say."""

    title: str
    minutes: int


@dataclass(frozen=True)
class Plan:
    """The order of a workshop.

    Attributes:
        title: its length in words.
        total: its minutes.
        longer: whether the units are given with their ``longer`` sections.
        order: numbers of units, and what stands between them.
    """

    title: str
    total: int
    longer: bool
    order: tuple[int | Between, ...]


PLANS = (
    Plan(
        "90 minutes", 90, False,
        (
            Between("Welcome: the figure on the first page; the room guesses who pays", 4),
            1, 2, Between("Break", 5), 3, 4,
            Between("Wrap-up: what each would measure on a model of their own", 5),
        ),
    ),
    Plan(
        "Half a day", 210, True,
        (
            Between("Welcome: the figure on the first page; the room guesses who pays", 10),
            1, 2, Between("Break", 15), 3, 4, Between("Break", 10), 5,
            Between("Wrap-up: each audits a model of their own, or plans to", 13),
        ),
    ),
)  # fmt: skip


def rows(plan: Plan, units: Sequence[Unit]) -> list[tuple[int, int, str]]:
    """A row per step: when it begins, how long it takes, what it is; minutes.

    Raises:
        SettingError: the minutes do not add up to the plan's, or a unit is missing.
    """
    found, start = [], 0
    for step in plan.order:
        title, minutes = _step(step, plan, units)
        found.append((start, minutes, title))
        start += minutes
    if start != plan.total:
        raise SettingError(f"plan {plan.title!r} takes {start} minutes, not {plan.total}")
    return found


def in_markdown(units: Sequence[Unit]) -> str:
    """Both plans as Markdown: a heading and a table each."""
    return "\n\n".join(_table(plan, rows(plan, units)) for plan in PLANS)


def _step(step: int | Between, plan: Plan, units: Sequence[Unit]) -> tuple[str, int]:
    if isinstance(step, Between):
        return step.title, step.minutes
    unit = next((each for each in units if each.name.startswith(f"{step}_")), None)
    if unit is None:
        raise SettingError(f"plan {plan.title!r} names unit {step}, which is not there")
    parts = [each for each in unit.sections if plan.longer or not each.longer]
    listed = "; ".join(f"{part.title} ({part.minutes})" for part in parts)
    return f"**{step}. {unit.title}**: {listed}", unit.minutes(longer=plan.longer)


def _table(plan: Plan, steps: Sequence[tuple[int, int, str]]) -> str:
    lines = [f"| {_clock(start)} | {minutes} | {title} |" for start, minutes, title in steps]
    last = f"| {_clock(plan.total)} |  | End |"
    heads = ["| from | minutes (estimated) | what |", "|---|---|---|"]
    return "\n".join([f"### {plan.title}", "", *heads, *lines, last])


def _clock(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02d}"
