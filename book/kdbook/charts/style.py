"""What all charts share: colours and shapes of the methods, widths, checks of columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from math import isnan
from typing import Any, TypeVar

import altair as alt
import pandas as pd

from kdbook.charts.renderers import in_site
from kdlib.errors import SettingError

Chart = TypeVar("Chart", bound=alt.TopLevelMixin)

# Okabe and Ito's colours, the light ones darkened: each has a contrast of 3 or more against the
# light and the dark page, and all stay apart without red-green vision.
METHOD_COLOURS = {
    "one-hot": "#0072B2",
    "distilled": "#D55E00",
    "AdaAlpha": "#009E73",
    "AdaMargin": "#B8649A",
    "teacher": "#696969",
}
METHOD_SHAPES = {
    "one-hot": "circle",
    "distilled": "square",
    "AdaAlpha": "triangle-up",
    "AdaMargin": "diamond",
    "teacher": "cross",
}
SPARE_COLOURS = ("#8A6D00", "#5B6EE1", "#A0522D", "#2A8C8C", "#C2436B")
SPARE_SHAPES = ("triangle-down", "triangle-right", "triangle-left", "stroke", "arrow")

THEME = "kdlib"


@alt.theme.register(THEME, enable=False)
def _theme() -> alt.theme.ThemeConfig:
    """Altair's own, with the numbers of an axis each at its tick and none close to another.

    Vega would pull the outermost ones inwards, onto their neighbours.
    """
    view = {"continuousWidth": 300, "continuousHeight": 300}
    axis = {"labelFlush": False, "labelSeparation": 4}
    return {"config": {"view": view, "axis": axis}}


def enable_theme() -> None:
    """Give every chart the book's axes; a theme that the reader chose is kept."""
    if alt.theme.active == "default":
        alt.theme.enable(THEME)


WIDTH = 560
"""Widest plot in pixels; the site shrinks it to the screen."""


def require_columns(frame: pd.DataFrame, columns: Iterable[str]) -> None:
    """Refuse a frame without rows or without one of ``columns``.

    Raises:
        SettingError: names the missing columns and those that are there.
    """
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise SettingError(
            f"the frame lacks the column {', '.join(missing)}: it has {', '.join(frame.columns)}"
        )
    if frame.empty:
        raise SettingError("the frame has no rows: there is nothing to draw")


def describe(chart: Chart, title: str, alt_text: str) -> Chart:
    """Give ``chart`` its title and the text that stands for it where it cannot be seen."""
    return chart.properties(title=title, description=alt_text)


def methods_in(frame: pd.DataFrame) -> list[str]:
    """The methods of ``frame`` in the order in which they first appear."""
    return list(dict.fromkeys(frame["method"].astype(str)))


def method_colour(methods: list[str]) -> alt.Color:
    """Colour by the column ``method``; ``distilled T=3`` takes the colour of ``distilled``."""
    colours = _assign(methods, METHOD_COLOURS, SPARE_COLOURS)
    return alt.Color("method:N", title=None, scale=_scale(methods, colours), legend=_legend())


def method_shape(methods: list[str]) -> alt.Shape:
    """Shape by the column ``method``, so that colour is never the only difference."""
    shapes = _assign(methods, METHOD_SHAPES, SPARE_SHAPES)
    return alt.Shape("method:N", title=None, scale=_scale(methods, shapes), legend=_legend())


def _scale(methods: list[str], values: list[str]) -> alt.Scale:
    return alt.Scale(domain=methods, range=values)


def _legend() -> alt.Legend:
    return alt.Legend(orient="top", symbolSize=90, symbolOpacity=1)


def _assign(methods: list[str], known: dict[str, str], spare: tuple[str, ...]) -> list[str]:
    """One value per method: its own where it is known and still free, else the next spare one."""
    taken: list[str] = []
    for method in methods:
        own = next((value for name, value in known.items() if method.startswith(name)), None)
        free = [value for value in spare if value not in taken] or list(spare)
        taken.append(own if own and own not in taken else free[0])
    return taken


def with_class_names(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with a column ``class_name``: the ``label`` as text where it has none."""
    if "class_name" in frame.columns:
        return frame
    return frame.assign(class_name=frame["label"].astype(str))


def interval_words(mean: Any, low: Any, high: Any, form: str = "+.1f") -> str:
    """A mean with its interval for an alt text; without one where there is none."""
    if isnan(low):
        return format(mean, form)
    return f"{mean:{form}} ({low:{form}} to {high:{form}})"


def interval_tooltip(*names: str) -> list[alt.Tooltip]:
    """What a touch shows: the named columns, then the mean with its interval."""
    numbers = [alt.Tooltip(f"{name}:Q", format=".1f") for name in ("mean", "low", "high")]
    return [*(alt.Tooltip(name) for name in names), *numbers]


_LETTERS_OF_A_PHONE = 56
_CHARACTERS_A_LINE = 80


def in_short_lines(sentences: Iterable[str]) -> list[str]:
    """Each sentence in lines of at most 56 letters, so that a phone need not squeeze the chart."""
    return ["\n".join(textwrap.wrap(said, _LETTERS_OF_A_PHONE)) for said in sentences]


def caption(chart: Chart, text: str) -> Chart:
    """Add ``text`` to ``chart``: under it in the site, as its subtitle elsewhere.

    Args:
        chart: any Altair chart of this package.
        text: one sentence that says what to see.
    """
    if in_site():
        return chart.properties(usermeta={"kdlib": {"caption": text}})
    lines = textwrap.wrap(text, _CHARACTERS_A_LINE)
    return chart.properties(title=alt.TitleParams(_title(chart), subtitle=lines, anchor="start"))


def _title(chart: alt.TopLevelMixin) -> str | list[str]:
    title = getattr(chart, "title", alt.Undefined)
    if isinstance(title, alt.TitleParams):
        title = title.text
    return "" if title is alt.Undefined else title
