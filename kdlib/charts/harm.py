"""Where one round of ridge distillation harms a group, and what its excess risk is made of.

The formulas are those of ``kdlib.studies.ridge``, with risks in units of beta^2.
"""

from __future__ import annotations

import math

import altair as alt
import pandas as pd

from kdlib.charts.style import SPARE_COLOURS, WIDTH, describe, require_columns
from kdlib.errors import SettingError

PART_COLUMNS = ("method", "group", "measure", "formula", "mean", "low", "high")
CURVE_COLUMNS = ("added", "series")

_COLUMNS, _ROWS = 48, 40
_LOWEST, _HIGHEST = 0.05, 20.0  # lambda, on the map and on its slider
_HELPS, _NEITHER, _HARMS = "#0072B2", "#F4F4F4", "#D55E00"
_PARTS = {"bias²": SPARE_COLOURS[0], "variance": SPARE_COLOURS[1]}
_SHRINKAGE = {"s": "datum.n / (datum.n + datum.lam)", "cut": "datum.lam / (datum.n + datum.lam)"}
_GAP = "alpha * datum.s * datum.cut"
_ADDED = (
    "datum.gap * (2 * datum.cut + datum.gap - noise * noise / datum.n * (2 * datum.s - datum.gap))"
)


def harm_explorer(
    *,
    n_minority: int = 5,
    n_majority: int = 500,
    ridge_lambda: float = 1.0,
    noise: float = 0.5,
    alpha: float = 1.0,
) -> alt.VConcatChart:
    """Above, what distillation adds to the risk of a group of any size, at any lambda; below, bars.

    The browser computes both. A start outside a slider's range moves to its nearer end.

    Args:
        n_minority: examples of the small group, where the slider starts, 1 to 100.
        n_majority: examples of the large group, 1 or more.
        ridge_lambda: where its slider starts, 0.05 to 20.
        noise: sigma / beta, where the slider starts, 0 to 5.
        alpha: weight of the teacher, where the slider starts, 0 to 1.

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
        plane.properties(width=WIDTH - 40, height=260), _bars(groups), spacing=20
    ).resolve_scale(color="independent")
    return describe(
        chart,
        "Whom distillation harms",
        "Above: a map of group size against lambda, orange where distillation adds excess risk and "
        "blue where it takes some away, with a line between and a point for a majority of "
        f"{n_majority} and for a minority. Below: bars of bias squared and variance of both "
        "students in both groups.",
    )


def risk_parts(frame: pd.DataFrame) -> alt.VConcatChart:
    """Bias^2 and variance from the formulas as bars, the simulated excess risk as rings.

    Args:
        frame: rows of ``kdlib.studies.provable_harm.beside``: ``method``, ``group``, ``measure``
            (``bias squared``, ``variance`` or ``excess risk``), ``formula``, and ``mean``,
            ``low``, ``high`` of the simulation. Each group gets a panel with a scale of its own.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(frame, PART_COLUMNS)
    shown = frame[~frame["method"].str.contains("−")]
    groups = list(dict.fromkeys(shown["group"]))
    chart = alt.vconcat(*(_part_panel(shown, group) for group in groups), spacing=16)
    total = shown[shown["measure"] == "excess risk"]
    words = "; ".join(f"{r.group}, {r.method}: {r.formula:.2g}" for r in total.itertuples())
    return describe(
        chart,
        "Excess risk: formula (bars) and simulation (rings)",
        f"Stacked bars of bias squared and variance, with a simulated ring at each end. {words}.",
    )


def added_risk_curves(
    frame: pd.DataFrame,
    x: str,
    *,
    axis: str,
    title: str,
    log: bool = False,
    points: pd.DataFrame | None = None,
) -> alt.LayerChart:
    """What distillation adds to the excess risk, as lines, with a rule at zero.

    Args:
        frame: one row a place and line: the column ``x``, ``added``, ``series``.
        x: the column along the horizontal axis.
        axis: the title of that axis.
        title: the chart's title.
        log: whether that axis is logarithmic.
        points: simulated values to draw on the lines: ``x``, ``series``, ``mean``, ``low``,
            ``high``.

    Raises:
        SettingError: a column is missing.
    """
    require_columns(frame, (x, *CURVE_COLUMNS))
    names = list(dict.fromkeys(frame["series"]))
    scale = alt.Scale(type="log") if log else alt.Scale(nice=False)
    place = alt.X(f"{x}:Q", scale=scale, axis=alt.Axis(title=axis, format="~g", grid=False))
    colour = alt.Color("series:N", title=None, scale=_line_colours(names), legend=_legend())
    tips = ["series:N", alt.Tooltip(f"{x}:Q", format=".3~g"), alt.Tooltip("added:Q", format="+.4f")]
    y = alt.Y("added:Q").title("added excess risk / β²")
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(strokeDash=[4, 3]).encode(y="zero:Q")
    line = alt.Chart(frame).mark_line(strokeWidth=2).encode(x=place, y=y, color=colour)
    dash = alt.StrokeDash("series:N", title=None, scale=alt.Scale(domain=names), legend=_legend())
    layers = [zero, line.encode(strokeDash=dash, tooltip=tips)]
    if points is not None:
        layers += _simulated(points, place, colour)
    return describe(
        alt.layer(*layers).properties(width=WIDTH - 20, height=240),
        title,
        f"Lines of the added excess risk against {axis} for {', '.join(names)}; it runs from "
        f"{frame['added'].min():+.3f} to {frame['added'].max():+.3f}.",
    )


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
    edges = alt.Chart(alt.sequence(0, _COLUMNS * _ROWS, as_="cell")).transform_calculate(
        left=f"pow(10, {decades} * (datum.cell % {_COLUMNS}) / {_COLUMNS})",
        right=f"pow(10, {decades} * (datum.cell % {_COLUMNS} + 1) / {_COLUMNS})",
        low=f"{_LOWEST} * exp({span} * floor(datum.cell / {_COLUMNS}) / {_ROWS})",
        high=f"{_LOWEST} * exp({span} * (floor(datum.cell / {_COLUMNS}) + 1) / {_ROWS})",
    )
    centres = edges.transform_calculate(
        n="sqrt(datum.left * datum.right)", lam="sqrt(datum.low * datum.high)"
    )
    shaded = _with_added(centres).transform_calculate(
        shade="(datum.added < 0 ? -1 : 1) * min(0.6, sqrt(abs(datum.added)))"
    )
    numbers = [alt.Tooltip(f"{name}:Q", format=".3g") for name in ("n", "lam")]
    return shaded.mark_rect(strokeWidth=0).encode(
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
    number = "format(datum.added, abs(datum.added) < 0.001 ? '+.1e' : '+.3f')"
    words = groups.transform_calculate(
        words=f"datum.group + ': ' + {number}", near="datum.n > 30 ? 'right' : 'left'"
    )
    at = {"x": alt.X("n:Q"), "y": alt.Y("lam:Q")}
    text = {"dy": -10, "fontSize": 12}
    halo = {"stroke": _NEITHER, "strokeWidth": 3, "strokeOpacity": 0.8}  # readable on the line
    named = [
        words.transform_filter(f"datum.near === '{side}'")
        .mark_text(align=side, dx=shift, color="#000000", **text, **under)
        .encode(text="words:N", **at)
        for side, shift in (("left", -4), ("right", 4))
        for under in (halo, {})
    ]
    dots = groups.mark_point(filled=True, size=80, opacity=1, color="#000000")
    return [dots.encode(tooltip=["group:N", "n:Q", "added:Q"], **at), *named]


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
        color=_part_colour(),
        tooltip=["who:N", "part:N", alt.Tooltip("risk:Q", format=".4~g")],
    )
    total = students.transform_calculate(
        total="datum.bias + datum.variance",
        words="format(datum.bias + datum.variance, '.3~g')",
    )
    text = total.mark_text(align="left", dx=5).encode(y=y, x="total:Q", text="words:N")
    return alt.layer(bars, text).properties(width=WIDTH - 140, height=alt.Step(26))


def _part_panel(frame: pd.DataFrame, group: str) -> alt.LayerChart:
    mine = frame[frame["group"] == group].replace({"measure": {"bias squared": "bias²"}})
    base = alt.Chart(mine.rename(columns={"measure": "part"}))
    y = alt.Y("method:N", sort=None, axis=alt.Axis(title=None))
    parts = base.transform_filter("datum.part !== 'excess risk'").mark_bar()
    bars = parts.encode(
        y=y,
        x=alt.X("formula:Q", axis=alt.Axis(title="excess risk", tickCount=6)),
        color=_part_colour(),
        tooltip=["method:N", "part:N", alt.Tooltip("formula:Q", format=".4~g")],
    )
    total = base.transform_filter("datum.part === 'excess risk'").encode(y=y)
    rules = total.mark_rule(strokeWidth=3).encode(x="low:Q", x2="high:Q")
    tips = [alt.Tooltip(f"{name}:Q", format=".4~g") for name in ("mean", "low", "high")]
    ring = {"size": 70, "strokeWidth": 2, "opacity": 1, "color": "#000000", "fill": "#FFFFFF"}
    rings = total.mark_point(**ring).encode(x="mean:Q", tooltip=tips)
    named = alt.TitleParams(str(group), anchor="start")
    return alt.layer(bars, rules, rings).properties(
        width=WIDTH - 100, height=alt.Step(34), title=named
    )


def _part_colour() -> alt.Color:
    scale = alt.Scale(domain=list(_PARTS), range=list(_PARTS.values()))
    return alt.Color("part:N", title=None, scale=scale, legend=alt.Legend(orient="bottom"))


def _simulated(points: pd.DataFrame, place: alt.X, colour: alt.Color) -> list[alt.Chart]:
    base = alt.Chart(points).encode(x=place, color=colour)
    dots = base.mark_point(size=60, strokeWidth=2, opacity=1).encode(
        y="mean:Q", tooltip=["series:N", alt.Tooltip("mean:Q", format="+.4f")]
    )
    return [base.mark_rule(strokeWidth=2).encode(y="low:Q", y2="high:Q"), dots]


def _line_colours(names: list[str]) -> alt.Scale:
    return alt.Scale(domain=names, range=[SPARE_COLOURS[-1 - i % 5] for i in range(len(names))])


def _legend() -> alt.Legend:
    return alt.Legend(orient="top")
