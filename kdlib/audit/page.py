"""The report as one HTML page: no script, no other file, no network."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from kdlib.audit.charts import charts_of, svg_of
from kdlib.audit.gate import GateResult
from kdlib.audit.words import headline, interval, measure_name, weights_line
from kdlib.errors import SettingError

if TYPE_CHECKING:
    from kdlib.audit.findings import Findings

_MOST_ROWS = 200
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1f24; background: #fff; margin: 2rem auto;
  max-width: 62rem; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
.finding { font-size: 1.15rem; font-weight: 600; padding: .7rem 1rem; background: #f3f4f6;
  border-left: .4rem solid #57606a; }
.finding.harm { border-color: #b42318; } .finding.fine { border-color: #146c2e; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; }
th, td { padding: .25rem .55rem; text-align: right; border-bottom: 1px solid #d8dee4; }
th { background: #f6f8fa; } td + td { white-space: nowrap; }
td:first-child, th:first-child, .words td, .words th { text-align: left; }
.words td + td { white-space: normal; }
pre { background: #f3f4f6; padding: .7rem; overflow-x: auto; }
figure { margin: 1rem 0; padding: 0 3rem; overflow-x: auto; }
svg { overflow: visible; } /* a font wider than the one it was drawn for */
"""
_UNITS = ", gains in percentage points"
_OF_TEACHER = {
    "calibration_error": "The calibration error is the term of Theorem 2 of Robust distillation;",
    "calibration_by_chance": "beside it stands what a calibrated teacher would show by chance.",
    "trust": "Trust is AdaAlpha's weight a_y, from the dev examples.",
}
_FORMATS = {
    "p_value": "{:.2g}", "p_adjusted": "{:.2g}", "calibration_error": "{:.2f}",
    "calibration_by_chance": "{:.2f}", "trust": "{:.2f}", "margin": "{:.3f}",
    "log_loss": "{:.3f}", "confidence": "{:.2f}", "gain": "{:+.1f}", "low": "{:+.1f}",
    "high": "{:+.1f}", "train_count": "{:.0f}", "taken_for": "{}",
}  # fmt: skip


def page_of(report: Findings, gate: GateResult | None = None) -> str:
    """A whole page."""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Audit: {escape(headline(report))}</title>\n<style>{_STYLE}</style></head>\n"
        f"<body>\n{body_of(report, gate)}\n</body></html>\n"
    )


def body_of(report: Findings, gate: GateResult | None) -> str:
    """What stands on the page."""
    parts = [
        f"<h1>Audit</h1>\n<p>{escape(headline(report))}</p>",
        _finding(report.finding),
        _gate(gate),
        _section(f"Accuracy in per cent{_UNITS}", _table(_overall(report.overall))),
        _lines("What to know", report.notes),
        _lines("What to try", report.advice),
        _weights(report),
        *_charts(report),
        _section(f"Classes, the largest loss first{_UNITS}", _largest(report.by_class)),
        _section(f"Groups, the largest loss first{_UNITS}", _largest(report.by_group)),
        _section("The teacher, class by class", _teacher(report.by_class)),
        _section("Where the teacher is sure and wrong", _table(report.confident_errors)),
        _section(f"Margin and log-loss by bucket of classes, {report.order}", _wide(report)),
    ]
    return "\n".join(part for part in parts if part)


def _finding(text: str) -> str:
    kind = "harm" if text.startswith("HARM") else "fine" if text.startswith("NO HARM") else ""
    return f'<p class="finding {kind}">{escape(text)}</p>'


def _gate(gate: GateResult | None) -> str:
    if gate is None:
        return ""
    rows = [(str(one.limit), one.status, one.words) for one in gate.checks]
    return _section("Gate", _table(pd.DataFrame(rows, columns=["limit", "status", "why"]), "words"))


def _section(title: str, content: str) -> str:
    return f"<h2>{escape(title)}</h2>\n{content}" if content else ""


def _lines(title: str, lines: Sequence[str]) -> str:
    items = "\n".join(f"<li>{escape(line)}</li>" for line in lines)
    return _section(title, f"<ul>\n{items}\n</ul>") if lines else ""


def _weights(report: Findings) -> str:
    line = weights_line(report)
    return "" if line is None else f"<pre>{escape(line)}</pre>"


def _charts(report: Findings) -> list[str]:
    """Drawn charts; one line where what draws them is not installed."""
    try:
        return [f"<figure>{svg_of(chart)}</figure>" for chart in charts_of(report).values()]
    except SettingError as error:
        return [f"<p><em>No charts on this page: {escape(str(error))}</em></p>"]


def _largest(frame: pd.DataFrame) -> str:
    if not len(frame):
        return ""
    ordered = frame.sort_values("gain", kind="stable", na_position="last")
    return _table(ordered.drop(columns=["class", *_OF_TEACHER], errors="ignore"))


def _teacher(frame: pd.DataFrame) -> str:
    """What is known of the teacher, the least trusted class first, or the worst calibrated."""
    known = [name for name in _OF_TEACHER if name in frame]
    if not known:
        return ""
    by = known[-1] if known[-1] == "trust" else known[0]
    ordered = frame.sort_values(by, ascending=by == "trust", kind="stable")
    lines = " ".join(_OF_TEACHER[name] for name in known)
    return f"<p>{lines}</p>\n{_table(ordered[['name', *known]])}"


def _overall(frame: pd.DataFrame) -> pd.DataFrame:
    rows = [(measure_name(row["measure"]), interval(row)) for _, row in frame.iterrows()]
    names, ends = zip(*rows, strict=True)
    return frame.drop(columns=["low", "high"]).assign(measure=names, interval=ends)


def _wide(report: Findings) -> str:
    table = report.buckets.pivot(
        index=["bucket", "classes"], columns="model", values=["margin", "log_loss"]
    )
    table.columns = pd.Index([" of ".join(map(str, pair)) for pair in table.columns])
    return _table(table.reset_index())


def _table(frame: pd.DataFrame, style: str = "numbers") -> str:
    if not len(frame):
        return ""
    shown = frame.head(_MOST_ROWS)
    text = pd.DataFrame(
        {
            str(name).replace("_", " "): [_cell(str(name), value) for value in shown[name]]
            for name in shown.columns
        }
    )
    # Texts are escaped by to_html; column names are too.
    html = text.to_html(index=False, border=0, na_rep="", classes=style)
    return f'<div class="wide">{html}</div>{_rest(len(frame) - len(shown))}'


def _rest(more: int) -> str:
    return f"<p>And {more:,} more rows, in the report's tables and its JSON.</p>" if more else ""


def _cell(name: str, value: Any) -> str:
    if isinstance(value, float):
        if value != value:
            return ""
        style = _FORMATS.get(name, "{:.3f}" if " of " in name else "{:.1f}")
        return style.format(value)
    return f"{value:,}" if isinstance(value, int) else str(value)
