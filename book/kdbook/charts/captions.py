"""One sentence under a chart that says what to see."""

from __future__ import annotations

import textwrap

import altair as alt

from kdbook.charts.site import in_site
from kdbook.charts.style import Chart

_CHARACTERS_A_LINE = 80


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
