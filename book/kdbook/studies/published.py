"""The numbers that the two papers print: one row a number, as printed.

Those of "Teacher's pet" are of its anonymous submission to ICLR 2022. The article in TMLR, which
appeared later, may print others.

``paper_numbers.csv`` holds 1,268 rows. Its columns: paper (``teachers_pet`` or
``robust_distillation``), section, table, dataset, teacher, student, method, teacher_objective,
student_objective, validation_labels, alpha_t, alpha_s, subgroup, metric, value (percent, or
percentage points for differences), uncertainty, uncertainty_kind, note.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import pandas as pd

from kdlib.errors import SettingError
from kdlib.names import choices


@cache
def _all() -> pd.DataFrame:
    with files("kdbook.studies").joinpath("paper_numbers.csv").open() as stream:
        return pd.read_csv(stream)


def published(**wanted: str) -> pd.DataFrame:
    """The printed numbers whose columns equal ``wanted``, e.g. ``published(table="Table 3")``.

    Raises:
        SettingError: an unknown column, or a value that no row has.
    """
    rows = _all()
    for column, value in wanted.items():
        if column not in rows.columns:
            raise SettingError(f"unknown column {column!r}: {choices(column, rows.columns)}")
        rows = rows[rows[column] == value]
        if rows.empty:
            raise SettingError(f"no published number with {column} = {value!r} among those left")
    return rows.reset_index(drop=True)
