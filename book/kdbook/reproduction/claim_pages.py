"""The table of claims as HTML; its rows become cards on a phone, as those of the matrix do."""

from __future__ import annotations

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
    head = "".join(f'<th role="columnheader" scope="col">{name}</th>' for name in COLUMNS)
    rows = "".join(_row(row) for _, row in claims.iterrows())
    return (
        '<div class="kdlib-matrix"><table role="table"><caption>What the papers claim, in points '
        'of accuracy</caption><thead role="rowgroup">'
        f'<tr role="row">{head}</tr></thead><tbody role="rowgroup">{rows}</tbody></table></div>'
    )


def _row(row: pd.Series) -> str:
    where = f"{words.PAPERS[row['paper']]}, {row['table']}, {words.DATASETS[row['dataset']]}"
    cells = [
        escape(row["claim"]) + small(where),
        "diverges" if np.isnan(row["compared"]) else f"{row['compared']:+.2f}",
        _ours(row),
        _evidence(row),
        _verdict(row),
    ]
    inner = "".join(
        f'<td role="cell" data-label="{name}">{cell}</td>'
        for name, cell in zip(COLUMNS, cells, strict=True)
    )
    return f'<tr role="row">{inner}</tr>'


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
