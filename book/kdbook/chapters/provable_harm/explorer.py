"""Where one round of ridge distillation harms a group: a map of sizes and lambdas to move in.

The formulas are those of ``kdbook.chapters.provable_harm.ridge``, with risks in units of beta^2.
"""

from __future__ import annotations

import math

import altair as alt
import pandas as pd

from kdbook.charts.style import SPARE_COLOURS, WIDTH, describe
from kdlib.errors import SettingError

_COLUMNS, _ROWS = 48, 40
_LOWEST, _HIGHEST = 0.05, 20.0  # lambda, on the map and on its slider
_HELPS, _NEITHER, _HARMS = "#0072B2", "#F4F4F4", "#D55E00"
_SHRINKAGE = {"s": "datum.n / (datum.n + datum.lam)", "cut": "datum.lam / (datum.n + datum.lam)"}
_GAP = "alpha * datum.s * datum.cut"
_ADDED = (
    "datum.gap * (2 * datum.cut + datum.gap - noise * noise / datum.n * (2 * datum.s - datum.gap))"
)
LEAST = 0.0005
"""An added risk below this, in units of beta^2, is next to nothing; numbers round it off."""
PARTS = {"bias²": SPARE_COLOURS[0], "variance": SPARE_COLOURS[1]}


def harm_explorer(
    *,
    n_minority: int = 5,
    n_majority: int = 500,
    ridge_lambda: float = 1.0,
    noise: float = 0.5,
    alpha: float = 1.0,
    title: str = "Whom distillation harms",
) -> alt.VConcatChart:
    """Above, what distillation adds to the risk of a group of any size, at any lambda; below, bars.

    The browser computes both. A start outside a slider's range moves to its nearer end.

    Args:
        n_minority: examples of the small group, where the slider starts, 1 to 100.
        n_majority: examples of the large group, 1 or more.
        ridge_lambda: where its slider starts, 0.05 to 20.
        noise: sigma / beta, where the slider starts, 0 to 5.
        alpha: weight of the teacher, where the slider starts, 0 to 1.
        title: the chart's title.

    Raises:
        SettingError: a size below 1.
    """
    for name, size in (("n_minority", n_minority), ("n_majority", n_majority)):
        if size < 1:
            raise SettingError(f"{name} = {size!r} is not allowed: 1 or more")
    decades = max(3, math.ceil(math.log10(n_majority)))
    sliders = _sliders(n_minority, ridge_lambda, noise, alpha)
    groups = _groups(n_majority)
    plane = alt.layer(_cells(decades).add_params(*sliders), _boundary(decades), *_marked(groups))
    chart = alt.vconcat(
        plane.properties(width=WIDTH - 40, height=240), _said(groups), _bars(groups), spacing=16
    ).resolve_scale(color="independent")
    return describe(
        chart,
        title,
        "Above: a map of group size against lambda, orange where distillation adds excess risk and "
        "blue where it takes some away, with a line between and a point for a majority of "
        f"{n_majority} and for a minority. Below: bars of bias squared and variance of both "
        "students in both groups.",
    )


def part_colour() -> alt.Color:
    """The colours of bias squared and variance, by the column ``part``."""
    scale = alt.Scale(domain=list(PARTS), range=list(PARTS.values()))
    return alt.Color("part:N", title=None, scale=scale, legend=alt.Legend(orient="bottom"))


def _sliders(n: float, ridge_lambda: float, noise: float, alpha: float) -> list[alt.Parameter]:
    ranges = {
        "size": (n, 1, 100, 1, "Minority size n "),
        "ridge_lambda": (ridge_lambda, _LOWEST, _HIGHEST, 0.05, "Regularisation λ "),
        "noise": (noise, 0, 5, 0.05, "Noise σ/β "),
        "alpha": (alpha, 0, 1, 0.05, "Trust in the teacher α "),
    }
    return [
        alt.param(
            name,
            value=min(max(start, low), high),
            bind=alt.binding_range(min=low, max=high, step=step, name=words),
        )
        for name, (start, low, high, step, words) in ranges.items()
    ]


def _with_added(base: alt.Chart) -> alt.Chart:
    """From ``n`` and ``lam`` of a row to s, the gap and what distillation adds."""
    return (
        base.transform_calculate(**_SHRINKAGE)
        .transform_calculate(gap=_GAP)
        .transform_calculate(added=_ADDED)
    )


def _cells(decades: int) -> alt.Chart:
    """The map: one rectangle a size and lambda.

    The colour is the signed root, so that small harms show too; the legend squares it back.
    """
    span = f"log({_HIGHEST / _LOWEST})"
    column, row = f"(datum.cell % {_COLUMNS})", f"floor(datum.cell / {_COLUMNS})"
    edges = alt.Chart(alt.sequence(0, _COLUMNS * _ROWS, as_="cell")).transform_calculate(
        left=f"pow(10, {decades} * {column} / {_COLUMNS})",
        n=f"pow(10, {decades} * ({column} + 0.5) / {_COLUMNS})",
        right=f"pow(10, {decades} * ({column} + 1.3) / {_COLUMNS})",  # under the next: no seam
        low=f"{_LOWEST} * exp({span} * {row} / {_ROWS})",
        lam=f"{_LOWEST} * exp({span} * ({row} + 0.5) / {_ROWS})",
        high=f"{_LOWEST} * exp({span} * ({row} + 1.3) / {_ROWS})",
    )
    shaded = _with_added(edges).transform_calculate(
        shade="(datum.added < 0 ? -1 : 1) * min(0.6, sqrt(abs(datum.added)))"
    )
    numbers = [alt.Tooltip(f"{name}:Q", format=".3g") for name in ("n", "lam")]
    return shaded.mark_rect(strokeWidth=0, clip=True).encode(
        x=_size_axis(decades), x2="right", y=_lambda_axis(), y2="high",
        color=_shade(), tooltip=[*numbers, alt.Tooltip("added:Q", format="+.5f")],
    )  # fmt: skip


def _shade() -> alt.Color:
    scale = alt.Scale(domain=[-0.6, 0, 0.6], range=[_HELPS, _NEITHER, _HARMS])
    legend = alt.Legend(
        title="added excess risk / β²", orient="top", direction="horizontal",
        gradientLength=200, values=[-0.6, -0.3, 0, 0.3, 0.6], titleLimit=300,
        labelExpr="format((datum.value < 0 ? -1 : 1) * datum.value * datum.value, '+.2f')",
    )  # fmt: skip
    return alt.Color("shade:Q", scale=scale, legend=legend)


def _size_axis(decades: int) -> alt.X:
    ticks = alt.Axis(
        title="size n of the group", values=[10**k for k in range(decades + 1)], format="~s",
        grid=False,
    )  # fmt: skip
    scale = alt.Scale(type="log", domain=[1, 10**decades], nice=False)
    return alt.X("left:Q", axis=ticks, scale=scale)


def _lambda_axis() -> alt.Y:
    ticks = alt.Axis(title="λ", values=[0.1, 0.3, 1, 3, 10], format="~g", grid=False)
    return alt.Y(
        "low:Q", axis=ticks, scale=alt.Scale(type="log", domain=[_LOWEST, _HIGHEST], nice=False)
    )


def _boundary(decades: int) -> alt.Chart:
    """The lambda above which a group of each size is harmed: the root of a quadratic."""
    best = "noise * noise"
    rows = alt.Chart(alt.sequence(0, 121, as_="step")).transform_calculate(
        n=f"pow(10, {decades} * datum.step / 120)"
    )
    roots = rows.transform_calculate(
        linear=f"(2 + alpha) * datum.n - (2 - alpha) * {best}"
    ).transform_calculate(
        lam=f"(sqrt(pow(datum.linear, 2) + 16 * datum.n * {best}) - datum.linear) / 4"
    )
    inside = roots.transform_filter(f"datum.lam >= {_LOWEST} && datum.lam <= {_HIGHEST}")
    return inside.mark_line(color="#000000", strokeDash=[5, 3], strokeWidth=2).encode(
        x="n:Q", y="lam:Q"
    )


def _groups(n_majority: int) -> alt.Chart:
    frame = pd.DataFrame({"group": ["minority", "majority"], "given": [0, n_majority]})
    known = alt.Chart(frame).transform_calculate(
        n="datum.group === 'minority' ? size : datum.given", lam="ridge_lambda"
    )
    return _with_added(known)


def _marked(groups: alt.Chart) -> list[alt.Chart]:
    number = f"(abs(datum.added) < {LEAST} ? 'about 0' : format(datum.added, '+.3f'))"
    words = groups.transform_calculate(
        words=f"datum.group + ': ' + {number}", near="datum.n > 30 ? 'right' : 'left'"
    )
    # The minority's words stand above its point, the majority's below: they may be neighbours.
    at = {"x": alt.X("n:Q"), "y": alt.Y("lam:Q")}
    halo = {"stroke": _NEITHER, "strokeWidth": 3, "strokeOpacity": 0.8}  # readable on the line
    named = [
        words.transform_filter(f"datum.near === '{side}' && datum.group === '{group}'")
        .mark_text(align=side, dx=shift, dy=above, fontSize=12, color="#000000", **under)
        .encode(text="words:N", **at)
        for side, shift in (("left", -4), ("right", 4))
        for group, above in (("minority", -12), ("majority", 13))
        for under in (halo, {})
    ]
    dots = groups.mark_point(filled=True, size=80, opacity=1, color="#000000")
    return [dots.encode(tooltip=["group:N", "n:Q", "added:Q"], **at), *named]


def _said(groups: alt.Chart) -> alt.Chart:
    """A sentence per group that follows the sliders."""
    fate = (
        "(datum.added > 0 ? ' pays ' : ' gains ') + "
        f"(abs(datum.added) < {LEAST} ? 'next to nothing' : "
        "format(abs(datum.added), '.2~g') + ' β²')"
    )
    words = groups.transform_calculate(said=f"'The ' + datum.group + ' of ' + datum.n + ({fate})")
    y = alt.Y("group:N", sort=["minority", "majority"], axis=None)
    text = words.mark_text(align="left", fontSize=13)
    place = text.encode(y=y, x=alt.value(0), text="said:N")
    return place.properties(width=WIDTH - 40, height=alt.Step(20))


def _bars(groups: alt.Chart) -> alt.LayerChart:
    students = (
        groups.transform_calculate(both="['one-hot', 'distilled']")
        .transform_flatten(["both"], as_=["student"])
        .transform_calculate(phi="datum.s - (datum.student === 'distilled' ? datum.gap : 0)")
        .transform_calculate(
            bias="pow(1 - datum.phi, 2)",
            variance="pow(noise * datum.phi, 2) / datum.n",
            who="datum.group + ', ' + datum.student",
        )
    )
    order = [f"{g}, {s}" for g in ("minority", "majority") for s in ("one-hot", "distilled")]
    y = alt.Y("who:N", sort=order, axis=alt.Axis(title=None, labelLimit=160))
    parts = students.transform_fold(["bias", "variance"], as_=["part", "risk"])
    named = parts.transform_calculate(part="datum.part === 'bias' ? 'bias²' : 'variance'")
    bars = named.mark_bar().encode(
        y=y,
        x=alt.X("risk:Q", axis=alt.Axis(title="excess risk / β²", tickCount=6)),
        color=part_colour(),
        tooltip=["who:N", "part:N", alt.Tooltip("risk:Q", format=".4~g")],
    )
    total = students.transform_calculate(
        total="datum.bias + datum.variance",
        words="format(datum.bias + datum.variance, '.3~g')",
    )
    text = total.mark_text(align="left", dx=5).encode(y=y, x="total:Q", text="words:N")
    return alt.layer(bars, text).properties(width=WIDTH - 140, height=alt.Step(26))
