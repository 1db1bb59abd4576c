"""The matrix as HTML: one folded table per table of the paper, with lists that filter all of them.

Without the site's script the lists stay hidden, and everything can still be unfolded and read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from html import escape

import pandas as pd

from kdbook.published.lists import oddities
from kdbook.reproduction import words
from kdbook.reproduction.levels import Level
from kdbook.reproduction.mapping import DIFFERENCES
from kdbook.reproduction.verdicts import Verdict

USUAL = "CPU, 2 cores"
"""The device that the table does not name, for nearly all rows have it."""
COLUMNS = ("Number", "Printed", "Compared", "Ours, 95 % interval", "Evidence", "Verdict")
_FILTERS = {
    "paper": "Paper",
    "table": "Table",
    "dataset": "Data set",
    "measure": "Measure",
    "evidence": "Evidence",
    "verdict": "Verdict",
}


def matrix_html(matrix: pd.DataFrame) -> str:
    """The whole matrix.

    Args:
        matrix: from ``kdbook.reproduction.reproduction``, or those of several papers, one below
            another.
    """
    rows = matrix.assign(is_change=matrix["metric"].isin(DIFFERENCES))
    groups = rows.groupby(["paper", "table"], sort=False)
    sections = [_section(str(paper), str(name), lines) for (paper, name), lines in groups]
    box = '<div class="kdlib-matrix-box" tabindex="0" role="region" aria-label="All numbers">'
    return f'<div class="kdlib-matrix">{_filters(rows)}{box}{"".join(sections)}</div></div>'


def _filters(rows: pd.DataFrame) -> str:
    known = [verdict.value for verdict in Verdict]
    options = {
        "paper": [words.PAPERS[name] for name in dict.fromkeys(rows["paper"])],
        "table": dict.fromkeys(rows["table"].map(words.table_words)),
        "dataset": [words.DATASETS[name] for name in dict.fromkeys(rows["dataset"])],
        "measure": dict.fromkeys(rows["metric"].map(words.metric_words)),
        "evidence": [level.value for level in Level if level.value in set(rows["evidence"])],
        "verdict": [value for value in known if value in set(rows["verdict"])],
    }
    lists = [_select(key, title, options[key]) for key, title in _FILTERS.items()]
    found = '<output class="kdlib-matrix-count" aria-live="polite"></output>'
    return f'<form class="kdlib-matrix-filters" hidden>{"".join(lists)}{found}</form>'


def _select(key: str, title: str, options: Iterable[str]) -> str:
    rest = "".join(f"<option>{escape(option)}</option>" for option in options)
    return (
        f'<label>{title} <select data-filter="{key}">'
        f'<option value="">all</option>{rest}</select></label>'
    )


def _section(paper: str, name: str, rows: pd.DataFrame) -> str:
    numbers = [lines for _, lines in rows.groupby("number", sort=True)]
    counts = Counter(_each_once(rows)["verdict"])
    parts = ", ".join(f"{counts[v.value]} {v.value}" for v in Verdict if counts[v.value])
    title = escape(f"{words.PAPERS[paper]}, {words.table_words(name)}")
    return (
        f"<details{_data(_common(paper, name))}><summary><b>{title}</b>: {len(numbers)} "
        f"numbers; of ours, each measurement once: {escape(parts)}</summary>"
        f'{_oddities(name, paper)}<table role="table"><caption>{title}, number by number</caption>'
        f'<thead role="rowgroup"><tr role="row">{_head()}</tr></thead>'
        f'<tbody role="rowgroup">{"".join(map(_row, numbers))}</tbody></table></details>'
    )


def _each_once(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per measurement and verdict, or a number that was not run."""
    leads = rows[rows["leading"]]
    own = leads["measurement"].notna()
    named = leads["measurement"].astype(object).where(own, leads["number"])
    return leads.assign(measurement=named).drop_duplicates(["measurement", "verdict"])


def _oddities(name: str, paper: str) -> str:
    texts = [odd.text for odd in oddities(paper) if name in odd.tables]
    if not texts:
        return ""
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    return f'<div class="kdlib-matrix-odd"><p>In print, look out:</p><ul>{items}</ul></div>'


def _head() -> str:
    return "".join(f'<th role="columnheader" scope="col">{name}</th>' for name in COLUMNS)


def _row(lines: pd.DataFrame) -> str:
    first = lines[lines["leading"]].iloc[0]
    note = f"<small>{escape(first['note'])}</small>" if first["note"] else ""
    cells = [
        escape(words.what(first)) + note,
        escape(words.printed(first)),
        escape(words.compared(first)) + small(_against(first["against"])),
        _ours(lines),
        escape(first["evidence"]) + small(first["apart"]),
        f"<b>{escape(first['verdict'])}</b>{small(first['because'])}",
    ]
    inner = "".join(f"<td>{cell}</td>" for cell in cells)  # the script says which column it is
    data = {
        "dataset": words.DATASETS[first["dataset"]],
        "measure": words.metric_words(first["metric"]),
        "evidence": first["evidence"],
        "verdict": first["verdict"],
    }
    return f"<tr{_data(data)}>{inner}</tr>"


def _common(paper: str, name: str) -> dict[str, str]:
    """What all rows of a section have."""
    return {"paper": words.PAPERS[paper], "table": words.table_words(name)}


def _data(values: Mapping[str, str]) -> str:
    """Attributes by which the script filters."""
    return "".join(f' data-{key}="{escape(value)}"' for key, value in values.items() if value)


def _against(text: str) -> str:
    return "" if text == "printed as a difference" else text


def _ours(lines: pd.DataFrame) -> str:
    """What each record says; the one that gives the verdict first."""
    run = lines[lines["verdict"] != Verdict.NOT_RUN.value]
    run = run.sort_values("leading", ascending=False, kind="stable")
    run = run.drop_duplicates(
        ["mean", "low", "high", "setting", "device"]
    )  # studies that share their runs
    if run.empty:
        return "not run"
    return "".join(_one_record(row, len(run)) for _, row in run.iterrows())


def _one_record(row: pd.Series, of: int) -> str:
    said = of > 1 and not row["leading"] and row["verdict"] != Verdict.NO_VERDICT.value
    device = "" if row["device"] == USUAL else f"; {row['device']}"
    where = f"{row['setting']}{device}." + (f" {row['verdict']}." if said else "")
    return f"<p>{escape(words.ours(row))}{small(where)}</p>"


def small(text: str) -> str:
    """A second line of a cell; nothing where there is no text."""
    return f"<small>{escape(text)}</small>" if text else ""
