"""Charts of a report. Altair is needed here alone, and only when a chart is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from kdlib.errors import SettingError

if TYPE_CHECKING:
    from kdlib.audit.findings import Findings

_WIDTH = 620
_MOST_ROWS = 40
_COLOURS = {"harmed": "#c0392b", "helped": "#1e8449", "no clear change": "#7f8c8d",
            "too few examples": "#bdc3c7"}  # fmt: skip
_INSTALL = "pip install 'kdlib[audit]'"


def charts_of(report: Findings) -> dict[str, Any]:
    """Altair charts: gains by class and group, cumulative gain, margin and log-loss by bucket.

    Raises:
        SettingError: Altair is not installed.
    """
    alt = altair()
    charts = {"gain by class": _gains(alt, report.by_class, "class", report.confidence)}
    if len(report.by_group):
        charts["gain by group"] = _gains(alt, report.by_group, "group", report.confidence)
    charts["cumulative gain"] = _cumulative(alt, report)
    charts["margin by bucket"] = _buckets(alt, report, "margin", "mean margin (-1 to 1)")
    charts["log-loss by bucket"] = _buckets(alt, report, "log_loss", "mean log-loss (nats)")
    return charts


def altair() -> Any:
    """The module.

    Raises:
        SettingError: it is not installed.
    """
    try:
        import altair as alt
    except ModuleNotFoundError:
        raise SettingError(f"charts need altair, which is not installed: {_INSTALL}") from None
    return alt


def svg_of(chart: Any) -> str:
    """The chart as SVG text, drawn without a browser or a network.

    Raises:
        SettingError: vl-convert is not installed.
    """
    try:
        import vl_convert
    except ModuleNotFoundError:
        raise SettingError(f"drawing needs vl-convert, not installed: {_INSTALL}") from None
    return str(vl_convert.vegalite_to_svg(chart.to_dict()))


def _gains(alt: Any, frame: pd.DataFrame, what: str, confidence: float) -> Any:
    known = frame[frame["examples"] > 0].sort_values("gain", kind="stable")
    kept = known if len(known) <= _MOST_ROWS else known.head(_MOST_ROWS)
    shown = kept[["name", "gain", "low", "high", "verdict"]].assign(place=range(len(kept)))
    names = alt.Y("name:N", sort=None, title=None, axis=alt.Axis(labelLimit=260))
    colour = alt.Color("verdict:N", title=None, legend=alt.Legend(orient="top")).scale(
        domain=list(_COLOURS), range=list(_COLOURS.values())
    )
    title = f"gain in accuracy (percentage points, {100 * confidence:g} % intervals)"
    base = alt.Chart(shown)
    bars = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=title), x2="high:Q", y=names, color=colour
    )
    points = base.mark_point(filled=True, size=50, opacity=1).encode(
        x="gain:Q", y=names, color=colour
    )
    zero = alt.Chart(pd.DataFrame({"at": [0]})).mark_rule(strokeDash=[4, 3]).encode(x="at:Q")
    rest = f", the {len(kept)} lowest of {len(known):,}" if len(kept) < len(known) else ""
    return (zero + bars + points).properties(
        width=_WIDTH, title=f"Gain by {what}{rest}", description=_said(shown, what)
    )


def _said(shown: pd.DataFrame, what: str) -> str:
    """The alt text: how many there are, and the two ends."""
    if shown.empty:
        return f"No {what} has an example."
    low, high = shown.iloc[0], shown.iloc[-1]
    return (
        f"Gain in accuracy by {what}, with its interval, for {len(shown)}: from "
        f"{low['gain']:+.1f} points ({low['name']}) to {high['gain']:+.1f} ({high['name']})."
    )


def _cumulative(alt: Any, report: Findings) -> Any:
    frame = report.cumulative
    step = max(1, len(frame) // 500)
    shown = pd.concat([frame.iloc[::step], frame.tail(1)]).drop_duplicates("k")
    whole = alt.Axis(tickMinStep=1, format=",d")
    x = alt.X("k:Q", title=f"the k first classes, {report.order}", axis=whole)
    base = alt.Chart(shown[["k", "gain", "low", "high"]])
    band = base.mark_area(opacity=0.25).encode(
        x=x, y=alt.Y("low:Q", title="mean gain (percentage points)"), y2="high:Q"
    )
    line = base.mark_line(point=len(shown) <= _MOST_ROWS).encode(x=x, y="gain:Q")
    zero = alt.Chart(pd.DataFrame({"at": [0]})).mark_rule(strokeDash=[4, 3]).encode(y="at:Q")
    return (zero + band + line).properties(
        width=_WIDTH,
        height=260,
        title="Mean gain over the k first classes",
        description="Mean gain over the k first classes, with its interval",
    )


def _buckets(alt: Any, report: Findings, value: str, title: str) -> Any:
    return (
        alt.Chart(report.buckets)
        .mark_line(point=True)
        .encode(
            x=alt.X(
                "bucket:O",
                title=f"buckets of classes, {report.order}",
                axis=alt.Axis(labelAngle=0),
            ),
            y=alt.Y(f"{value}:Q", title=title),
            color=alt.Color("model:N", title=None, legend=alt.Legend(orient="top")),
            strokeDash=alt.StrokeDash("model:N", title=None),
        )
        .properties(width=_WIDTH, height=220, title=title, description=f"{title} by bucket")
    )
