"""The summary as one page that needs no network and no script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from kdbook.batches.grid import spelled
from kdlib.plain_lines import duration

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 72rem; margin: 1.5rem auto;
  padding: 0 1rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; }
th, td { padding: .2rem .8rem .2rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid #8886; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 1rem 0; background: white; color: black; padding: .5rem; overflow-x: auto; }
.failed { font-weight: bold; }
"""
_FINE = ("ran", "reused")


def page(about: Mapping[str, Any], drawings: Sequence[str]) -> str:
    """The HTML of a summary.

    Args:
        about: as ``summary.json`` holds it.
        drawings: the charts as SVG, in its order.
    """
    parts = [_head(about), _fates(about), _failures(about["runs"]), _numbers(about["numbers"])]
    parts += [_figure(told, svg) for told, svg in zip(about["charts"], drawings, strict=True)]
    body = "\n".join(part for part in parts if part)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Reproduction: summary</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<main>\n{body}\n</main>\n</body>\n</html>\n"
    )


def _head(about: Mapping[str, Any]) -> str:
    runs, bad = about["runs"], [each for each in about["items"] if each["status"] not in _FINE]
    verdict = f"{len(bad)} of {len(about['items'])} did not run" if bad else "All of it ran"
    return (
        f"<h1>Reproduction: {escape(verdict.lower())}</h1>\n<p><code>{escape(about['command'])}"
        f"</code></p>\n<p>Began {escape(about['started'])}, took {duration(about['seconds'])}, "
        f"{escape(about['how'])}. Of {runs['needed']} runs {runs['there']} were there, "
        f"{runs['trained']} were trained (teachers included), {len(runs['failed'])} failed, and "
        f"{len(runs['diverged'])} diverged. kdlib {about['kdlib']}, commit "
        f"{escape(str(about['commit']))}, torch {about['torch']}, Python {about['python']}. "
        f"Runs lie in <code>{escape(about['store'])}</code>.</p>"
    )


def _fates(about: Mapping[str, Any]) -> str:
    heads = ["chapter or study", "parameters", "what became of it", "time", "why"]
    return "<h2>What ran</h2>\n" + _table(heads, [_fate(each) for each in about["items"]])


def _fate(item: Mapping[str, Any]) -> list[str]:
    fine, name = item["status"] in _FINE, escape(item["name"])
    where = item["notebook"]
    status = escape(item["status"]) if fine else f'<span class="failed">{item["status"]}</span>'
    return [
        f'<td>{f"""<a href="{escape(where)}">{name}</a>""" if where else name}</td>',
        f"<td>{escape(spelled(item['parameters']))}</td>",
        f"<td>{status}</td>",
        _number(duration(item["seconds"]) if item["seconds"] else ""),
        f"<td>{escape(item['why'])}</td>",
    ]


def _failures(runs: Mapping[str, Any]) -> str:
    rows = [
        [f"<td><code>{each['run']}</code></td>", f"<td>{escape(each['what'])}</td>",
         f"<td>{escape(each.get('why', 'diverged, which is its result'))}</td>"]
        for each in (*runs["failed"], *runs["diverged"])
    ]  # fmt: skip
    heads = ["run", "what it is", "why"]
    return "<h2>Runs that failed or diverged</h2>\n" + _table(heads, rows) if rows else ""


def _numbers(rows: Sequence[Mapping[str, Any]]) -> str:
    if not rows:
        return ""
    heads = list(rows[0])
    cells = [[_cell(row[name]) for name in heads] for row in rows]
    return (
        "<h2>Main numbers</h2>\n<p>Means over seeds with 95 % intervals; accuracies in percent. An "
        "interval needs three seeds.</p>\n" + _table(heads, cells)
    )


def _cell(value: object) -> str:
    if isinstance(value, float):
        return _number(f"{value:.4g}")
    return _number(str(value)) if isinstance(value, int) else f"<td>{escape(str(value or ''))}</td>"


def _number(text: str) -> str:
    return f'<td class="number">{escape(text)}</td>'


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "\n".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    return (
        f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody>\n</table></div>"
    )


def _figure(told: Mapping[str, str], svg: str) -> str:
    words = f"{told['study']}: main numbers over {told['parameter']}, with 95 % intervals"
    labelled = svg.replace("<svg ", f'<svg role="img" aria-label="{escape(words)}" ', 1)
    title = f"<h2>Over {escape(told['parameter'])}: {escape(told['study'])}</h2>"
    return f"{title}\n<figure>{labelled}</figure>"
