"""What a reader moves: buttons, lists and sliders that need no kernel, and the sentence below."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypeVar

import altair as alt

from kdbook.charts.style import WIDTH
from kdlib.errors import SettingError

Option = TypeVar("Option", str, int, float)


def one_of(
    name: str,
    words: str,
    options: Iterable[Option],
    first: Option | None = None,
    *,
    labels: Sequence[str] | None = None,
    listed: bool = False,
    argument: str = "",
) -> alt.Parameter:
    """Buttons by which a reader chooses one of several.

    Args:
        name: what expressions of the chart call the choice.
        words: what stands before the buttons.
        options: each is offered once.
        first: the one at the start; by default the first of ``options``.
        labels: what stands beside the buttons; by default the options, numbers in few digits.
        listed: whether it is a list in the place of buttons.
        argument: what the caller's argument for ``first`` is called, if not as ``name``.

    Raises:
        SettingError: ``first`` is not among them.
    """
    offered = list(dict.fromkeys(options))
    start = offered[0] if first is None else first
    shown = [f"{value:g}" if isinstance(value, float) else str(value) for value in offered]
    if start not in offered:
        raise SettingError(
            f"{argument or name} = {first!r} is not allowed: choose one of {', '.join(shown)}"
        )
    if labels is None and any(isinstance(value, float) for value in offered):
        labels = shown
    binding = alt.binding_select if listed else alt.binding_radio
    bind = binding(options=offered, name=words, **({} if labels is None else {"labels": labels}))
    return alt.param(name, value=start, bind=bind)


def even_slider(
    name: str, words: str, grid: Sequence[float], start: float | None = None
) -> alt.Parameter:
    """A slider that stops at the values of a grid.

    Args:
        name: what expressions of the chart call the value.
        words: what stands before it.
        grid: two or more, ascending and evenly spaced.
        start: by default the lowest.

    Raises:
        SettingError: the grid is another.
    """
    steps = {round(after - before, 6) for before, after in pairwise(grid)}
    if len(steps) != 1:
        raise SettingError(
            f"{name} {list(grid)} is not allowed: give two or more values, evenly spaced"
        )
    bind = alt.binding_range(min=grid[0], max=grid[-1], step=steps.pop(), name=words)
    return alt.param(name, value=grid[0] if start is None else float(start), bind=bind)


def said_below(base: alt.Chart, column: str = "said") -> alt.Chart:
    """The lines of text in a column of the one row that the reader has chosen."""
    place = base.mark_text(align="left", fontSize=13, baseline="top", lineBreak="\n")
    placed = place.encode(x=alt.value(0), y=alt.value(0), text=f"{column}:N")
    return placed.properties(width=WIDTH, height=40)
