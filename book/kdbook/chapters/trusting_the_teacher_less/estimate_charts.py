"""Where the trust of a class may lie, by the number of dev images that estimate it."""

from __future__ import annotations

import altair as alt
import pandas as pd

from kdbook.charts.classes import class_axis
from kdbook.charts.controls import one_of
from kdbook.charts.style import METHOD_COLOURS, WIDTH, describe, require_columns, with_class_names
from kdlib.errors import SettingError

ESTIMATE_COLUMNS = ("label", "n", "true", "mean", "low", "high", "bias", "flips")
_COLOUR = METHOD_COLOURS["AdaAlpha"]
_TRUTH = METHOD_COLOURS["distilled"]
_MANY_CLASSES = 20


def trust_estimate_explorer(
    frame: pd.DataFrame, *, n: int = 20, label: int | None = None
) -> alt.VConcatChart:
    """Above, where a_y lies for every class at n dev images; below, one class over all n.

    The reader moves n and the class, without a kernel.

    Args:
        frame: one row per class and n: ``label``, ``n`` (dev images), ``true`` (a_y of the whole
            pool, in [0, 1]), ``mean``, ``low``, ``high`` (of the estimates), ``bias`` (mean -
            true), ``flips`` (share of estimates on the other side of zero trust), and perhaps
            ``class_name``.
        n: which number of dev images is shown first.
        label: which class is shown first; by default the last, which is the rarest.

    Raises:
        SettingError: a column is missing, or ``n`` or ``label`` is not in the frame.
    """
    require_columns(frame, ESTIMATE_COLUMNS)
    named = with_class_names(frame)
    sizes, labels = (sorted(int(v) for v in named[name].unique()) for name in ("n", "label"))
    first = labels[-1] if label is None else label
    _among("label", first, labels)
    controls = [
        one_of("images", "Dev images of a class, n ", sizes, n, argument="n"),
        _classes(named, labels, first),
    ]
    chart = alt.vconcat(_all_classes(named, controls), _one_class(named, sizes), spacing=20)
    return describe(
        chart,
        "How much luck is in a trust?",
        f"Above: for each of {len(labels)} classes the range of its trust at the chosen number of "
        "dev images, with the trust from the whole pool as a tick. Below: for the chosen class, "
        f"mean and range of the trust against the number of dev images, {sizes[0]} to {sizes[-1]}.",
    )


def _among(name: str, value: int, allowed: list[int]) -> None:
    if value not in allowed:
        raise SettingError(f"{name} = {value!r} is not allowed: choose one of {allowed}")


def _classes(named: pd.DataFrame, labels: list[int], first: int) -> alt.Parameter:
    """A list of names where it is short; a slider over places where it is not."""
    if len(labels) > _MANY_CLASSES:
        bind: object = alt.binding_range(min=labels[0], max=labels[-1], step=1, name="Class ")
    else:
        name_of = named.drop_duplicates("label").set_index("label")["class_name"]
        names = [str(name_of[label]).replace("\n", ", training images: ") for label in labels]
        bind = alt.binding_select(options=labels, labels=names, name="Class ")
    return alt.param("shown", value=first, bind=bind)


def _all_classes(named: pd.DataFrame, controls: list[alt.Parameter]) -> alt.LayerChart:
    base = (
        alt.Chart(named)
        .add_params(*controls)
        .transform_filter("datum.n === images")
        .encode(x=class_axis(named, "class, most frequent first"))
    )
    y = alt.Y("mean:Q", scale=alt.Scale(domain=[0, 1])).title("trust a(y)")
    width = 18 if named["label"].nunique() <= _MANY_CLASSES else 4
    return alt.layer(
        base.mark_rule(strokeWidth=3, color=_COLOUR).encode(y=alt.Y("low:Q"), y2="high:Q"),
        base.mark_tick(thickness=2, size=width, color=_TRUTH).encode(y=alt.Y("true:Q")),
        base.mark_point(filled=True, size=60, opacity=1, color=_COLOUR).encode(
            y=y, tooltip=_tooltip()
        ),
    ).properties(width=WIDTH, height=190)


def _one_class(named: pd.DataFrame, sizes: list[int]) -> alt.LayerChart:
    base = alt.Chart(named).transform_filter("datum.label === shown")
    ticks = alt.Axis(values=sizes, format="~g", grid=False)
    scale = alt.Scale(type="log", nice=False, domain=[sizes[0], sizes[-1]])
    x = alt.X("n:Q", axis=ticks, scale=scale).title("n, dev images of the class")
    y = alt.Y("mean:Q", scale=alt.Scale(zero=True)).title("trust a(y)")  # a small one shows too
    at = base.transform_filter("datum.n === images")
    return alt.layer(
        base.mark_area(opacity=0.2, color=_COLOUR).encode(x=x, y=alt.Y("low:Q"), y2="high:Q"),
        base.mark_line(color=_COLOUR).encode(x=x, y=y),
        base.mark_line(strokeDash=[5, 4], color=_TRUTH).encode(x=x, y=alt.Y("true:Q")),
        at.mark_point(filled=True, size=110, opacity=1, color=_COLOUR).encode(
            x=x, y=y, tooltip=_tooltip()
        ),
        *_said(at),
    ).properties(width=WIDTH, height=190)


def _said(at: alt.Chart) -> list[alt.Chart]:
    """Two short lines: on a phone one long line would leave the plot."""
    first = (
        "'n = ' + datum.n + ': nine of ten from ' + format(datum.low, '.2f') + ' to '"
        " + format(datum.high, '.2f')"
    )
    second = (
        "'bias ' + format(datum.bias, '+.3f') + ', decision flips in ' + format(datum.flips, '.1%')"
    )
    return [
        sentence(at.transform_calculate(words=words), height)
        for words, height in ((first, -22), (second, -6))
    ]


def _tooltip() -> list[alt.Tooltip]:
    numbers = ("true", "mean", "low", "high", "bias", "flips")
    return [
        alt.Tooltip("class_name:N"),
        alt.Tooltip("n:Q"),
        *(alt.Tooltip(f"{name}:Q", format=".3f") for name in numbers),
    ]


def sentence(base: alt.Chart, height: int) -> alt.Chart:
    """The column ``words`` as text at that height, in pixels below the upper edge of the plot."""
    marks = base.mark_text(align="left", baseline="bottom", fontSize=13)
    return marks.encode(text="words:N", x=alt.value(0), y=alt.value(height))
