"""One chart per parameter of the grid: how the main numbers move with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from kdbook.batches.numbers import COLUMNS

if TYPE_CHECKING:
    import altair as alt


def parameters_of(numbers: pd.DataFrame) -> list[str]:
    """The parameters that take several values."""
    names = [str(name) for name in numbers if name not in COLUMNS]
    return [name for name in names if numbers[name].nunique() > 1]


def drawings(numbers: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    """For each study and parameter that moves it: study, parameter, and the chart as SVG."""
    for parameter in parameters_of(numbers):
        for study, rows in numbers.dropna(subset=[parameter]).groupby("study", sort=False):
            if rows[parameter].nunique() > 1:
                yield str(study), parameter, _svg(rows, parameter)


def _svg(rows: pd.DataFrame, parameter: str) -> str:
    from kdbook.quick_imports import skip_slow_imports

    skip_slow_imports()
    import vl_convert

    others = [name for name in parameters_of(rows) if name != parameter]
    return vl_convert.vegalite_to_svg(chart(rows, parameter, others).to_json())


def chart(rows: pd.DataFrame, parameter: str, others: Sequence[str]) -> alt.FacetChart:
    """Mean and interval of each arm over a parameter; a row per metric, a column per further point.

    Args:
        rows: of one study, as ``kdbook.batches.numbers.numbers`` gives them.
        parameter: on the horizontal axis.
        others: parameters that vary as well.
    """
    import altair as alt

    rest = rows[list(others)].astype(str).agg(", ".join, axis=1) if others else ""
    data = rows.assign(rest=rest)
    is_number = pd.api.types.is_numeric_dtype(data[parameter])
    x = alt.X(f"{parameter}:{'Q' if is_number else 'N'}", title=parameter)
    colour = alt.Color(
        "arm:N", title="arm", legend=alt.Legend(labelLimit=0, orient="bottom", columns=2)
    )
    base = alt.Chart(data, width=320, height=180).encode(x=x, color=colour)
    scale = alt.Scale(zero=False)
    lines = base.mark_line(point=True).encode(
        y=alt.Y("mean:Q", title="mean over seeds", scale=scale)
    )
    bars = base.mark_rule(opacity=0.5).encode(y="low:Q", y2="high:Q")
    facets = {"row": alt.Row("metric:N", title=None)}
    if others:
        facets["column"] = alt.Column("rest:N", title=", ".join(others))
    return (
        alt.layer(lines, bars)
        .facet(**facets)
        .resolve_scale(y="independent")
        .properties(title=f"{data['study'].iloc[0]}: 95 % intervals over seeds, by {parameter}")
    )
