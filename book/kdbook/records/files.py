"""Records: a study's per-seed table as CSV, and beside it a JSON that says where it came from.

``book/results/NAME-PROFILE.csv`` is what was measured at a profile's own settings. Where settings
differ, their values follow: ``NAME-PROFILE-epochs12.csv``. Both files are sorted, rounded text, so
that a change of results shows as a change of lines.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from kdbook.places import records_folder
from kdbook.records.provenance import Provenance
from kdbook.selection import DEV, VALIDATION_TEMPERATURE
from kdlib.errors import KdlibError
from kdlib.files import write_atomically

SIGNIFICANT_DIGITS = 6
DIVERGED = "diverged"
_BLANK_ALLOWED = ("temperature", VALIDATION_TEMPERATURE, DEV)
"""A method that listens to no teacher has no temperature, and nothing to choose."""


class RecordError(KdlibError):
    """A file of recorded results is missing, malformed or altered."""


@dataclass(frozen=True, eq=False)
class Record:
    """What was recorded of one study at one profile.

    Attributes:
        about: where the numbers come from.
        table: one row per run (or a method, seed and group): keys, measures, ``status``, ``run``.
    """

    about: Provenance
    table: pd.DataFrame

    @property
    def name(self) -> str:
        """The files' name without suffix."""
        return record_name(self.about.study, self.about.profile, self.about.settings)


def record_name(study: str, profile: str, settings: Mapping[str, Any]) -> str:
    """``NAME-PROFILE``, or ``NAME-PROFILE-<tag>`` where ``settings`` differ from the defaults."""
    return "-".join([study, profile, *(_tag(key, settings[key]) for key in sorted(settings))])


def _tag(key: str, value: Any) -> str:
    values = value if isinstance(value, list | tuple) else [value]
    text = "_".join(f"{v:g}" if isinstance(v, float) else str(v) for v in values)
    return re.sub(r"[^\w.+]", "", f"{key}{text}")


def write_record(folder: Path, record: Record) -> Path:
    """Write both files below ``folder``; return the CSV's path.

    Where nothing but the day of recording has changed, the files stay as they are.

    Raises:
        RecordError: the table and what the record says of it do not agree.
    """
    path = folder / f"{record.name}.csv"
    _check(record, path)
    content = _csv(record.table).encode()
    about, beside = record.about, path.with_suffix(".json")
    if beside.exists() and path.exists() and path.read_bytes() == content:
        before = _provenance(beside)
        about = about.unless_unchanged(before)
        if about is before:  # written by an older version, perhaps, which had fewer fields
            return path
    write_atomically(path, content)
    write_atomically(beside, (about.model_dump_json(indent=2) + "\n").encode())
    return path


def read_record(path: Path) -> Record:
    """The record of one CSV and the JSON beside it, checked.

    Raises:
        RecordError: names the file and what is wrong with it.
    """
    about = _provenance(path.with_suffix(".json"))
    record = Record(about, _table(path))
    _check(record, path)
    return record


def read_records(folder: Path | None = None) -> list[Record]:
    """All records in ``kdbook.places.records_folder(folder)``, by name.

    Raises:
        RecordError: one of them is malformed, or one half of it is missing.
        DataError: there is no such folder.
    """
    files = [
        path for path in records_folder(folder).glob("*.*") if path.suffix in (".csv", ".json")
    ]
    halves = {path.with_suffix("") for path in files}
    return [read_record(half.with_name(f"{half.name}.csv")) for half in sorted(halves)]


def find_record(study: str, profile: str, folder: Path | None = None) -> Record | None:
    """The record of a study at its own settings and a profile; ``None`` where there is none.

    Raises:
        RecordError: as ``read_records``.
    """
    path = records_folder(folder) / f"{record_name(study, profile, {})}.csv"
    halves = path.exists(), path.with_suffix(".json").exists()
    return read_record(path) if any(halves) else None


def book_record(study: str, profile: str, folder: Path | None = None) -> Record:
    """The record that a page rests on: at the page's profile if there is one, else at ``quick``.

    Raises:
        RecordError: as ``read_records``, or there is neither.
    """
    found = find_record(study, profile, folder) or find_record(study, "quick", folder)
    if found is None:
        raise RecordError(f"{study} is not recorded yet: `kdlib study record {study}` records it")
    return found


def _csv(table: pd.DataFrame) -> str:
    buffer = io.StringIO()
    table.to_csv(buffer, index=False, lineterminator="\n", float_format=f"%.{SIGNIFICANT_DIGITS}g")
    return buffer.getvalue()


def _table(path: Path) -> pd.DataFrame:
    try:
        table = pd.read_csv(path)
        whole = table.columns[table.dtypes == "int64"].difference(["seed"])  # 100, not 100.0
        return table.astype(dict.fromkeys(whole, float))
    except FileNotFoundError:
        raise RecordError(f"{path} is missing: record the study again") from None
    except (ValueError, pd.errors.ParserError) as error:
        raise RecordError(f"{path} is no table: {_first_line(error)}") from None


def _provenance(path: Path) -> Provenance:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(found, dict):
            raise RecordError(f"{path} holds no JSON object")
        return Provenance.parse(**found)
    except FileNotFoundError:
        raise RecordError(f"{path} is missing: record the study again") from None
    except ValueError as error:  # of JSON, of unreadable bytes, or of a field
        raise RecordError(f"{path}: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


def _check(record: Record, path: Path) -> None:
    about, table = record.about, record.table
    if path.stem != record.name:
        raise RecordError(f"{path} holds {record.name}: its name must be {record.name}.csv")
    _check_columns(list(table.columns), about.columns, path)
    if table.empty:
        raise RecordError(f"{path} has no rows")
    _check_numbers(table, (*_BLANK_ALLOWED, *about.blanks), path)
    if about.runs and not set(table["run"]) <= about.runs.keys():
        unknown = sorted(set(table["run"]) - about.runs.keys())
        raise RecordError(f"{path}: run {unknown[0]} is not in {path.with_suffix('.json').name}")


def _check_columns(found: Sequence[str], expected: Sequence[str], path: Path) -> None:
    unknown = [name for name in found if name not in expected]
    missing = [name for name in expected if name not in found]
    if unknown:
        raise RecordError(f"{path}: unknown column {unknown[0]!r}; it has {', '.join(expected)}")
    if missing:
        raise RecordError(f"{path}: column {missing[0]!r} is missing")


def _check_numbers(table: pd.DataFrame, blanks: Sequence[str], path: Path) -> None:
    """A blank or an infinity is an accident, except where a training diverged."""
    finished = table[table["status"] != DIVERGED] if "status" in table else table
    for name in (name for name in finished if name not in blanks):
        column = finished[name]
        numbers = column.to_numpy() if pd.api.types.is_numeric_dtype(column) else None
        bad = column.isna() if numbers is None else ~np.isfinite(numbers)
        if bad.any():
            row = int(np.flatnonzero(bad)[0])
            raise RecordError(
                f"{path}, line {int(finished.index[row]) + 2}: {name} is {column.iloc[row]}"
            )
