"""The table of claims as HTML; its rows become cards on a phone, as those of the matrix do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

import numpy as np
import pandas as pd

from kdbook.reproduction import words
from kdbook.reproduction.levels import Level
from kdbook.reproduction.pages import small

COLUMNS = ("Claim", "Printed", "Ours, 95 % prediction", "Evidence", "Verdict")
_NOTHING = "—"


def claims_html(claims: pd.DataFrame) -> str:
    """The table.

    Args:
        claims: as ``kdbook.reproduction.claims_table`` gives them.
    """
    caption = "What the papers claim, in points of accuracy"
    return cards(caption, COLUMNS, [_cells(row) for _, row in claims.iterrows()])


def cards(
    caption: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    under: Mapping[str, str] | None = None,
) -> str:
    """A table whose rows become cards on a phone.

    Args:
        caption: plain text.
        columns: their headings.
        rows: a cell per column, as HTML.
        under: by heading what stands below it in small print.
    """
    told = [(name, small((under or {}).get(name, ""))) for name in columns]
    head = "".join(f'<th role="columnheader" scope="col">{n}{more}</th>' for n, more in told)
    body = "".join(f'<tr role="row">{_row(columns, cells)}</tr>' for cells in rows)
    return (
        f'<div class="kdlib-matrix"><table role="table"><caption>{escape(caption)}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table></div>'
    )


def effect(printed: float) -> str:
    """A printed difference; one that is not a number diverges."""
    return "diverges" if np.isnan(printed) else f"{printed:+.2f}"


def _row(columns: Sequence[str], cells: Sequence[str]) -> str:
    pairs = zip(columns, cells, strict=True)
    return "".join(f'<td role="cell" data-label="{name}">{cell}</td>' for name, cell in pairs)


def _cells(row: pd.Series) -> list[str]:
    where = f"{words.PAPERS[row['paper']]}, {row['table']}, {words.DATASETS[row['dataset']]}"
    return [
        escape(row["claim"]) + small(where),
        effect(row["compared"]),
        _ours(row),
        _evidence(row),
        _verdict(row),
    ]


def _ours(row: pd.Series) -> str:
    if not row["evidence"]:
        return f"not run{small(row['because'])}"
    return escape(words.predicted(row)) + small(row["setting"])


def _evidence(row: pd.Series) -> str:
    if not row["evidence"]:
        return _NOTHING
    return escape(row["evidence"]) + small(row["apart"])


def _verdict(row: pd.Series) -> str:
    """Only the paper's own data allow one."""
    if row["evidence"] not in (Level.SAME_SETTING.value, Level.SAME_DATA.value):
        return _NOTHING
    return f"<b>{escape(row['verdict'])}</b>{small(row['because'])}"
