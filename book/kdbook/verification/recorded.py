"""Recorded tables, made again from what the store holds."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pandas as pd

from kdbook.chapters import study
from kdbook.evidence.blocks import Block
from kdbook.evidence.tables import per_class, per_seed
from kdbook.records import Record, sorted_rows
from kdbook.study import Computed, Study
from kdbook.verification.checked import Checked, compare
from kdbook.verification.shelves import Shelves
from kdlib.errors import KdlibError, StoreError
from kdlib.runs import RESULTS_VERSION, RunResult, RunSpec

_PER_RUN, _PER_CLASS = ("run",), ("run", "label")


def study_of(record: Record) -> Study:
    """The study that made a record, at its settings."""
    about = record.about
    return study(about.study).parse(profile=about.profile, **about.settings)


def recorded_runs(record: Record) -> list[RunSpec]:
    """The runs that the record's study asks for today; none where it trains no networks."""
    asked = study_of(record)
    return asked.runs() if asked.trains else []


def check_record(record: Record, shelves: Shelves) -> Checked:
    """Make a study's table again from logits, and hold the record against it. Trains nothing."""
    name, rows = record.name, len(record.table)
    try:
        asked = study_of(record)
        if not asked.trains:
            return _without_runs(record, asked, shelves)
        specs = asked.runs()
    except KdlibError as error:
        return Checked(name, rows, because=str(error))
    known = {spec.id for spec in specs} & record.about.runs.keys()
    if not known:
        return Checked(name, rows, because=_of_another_version(record.about.results_version))
    results = [shelves.get(spec) for spec in specs]
    return _checked(
        name, record.table, results, shelves,
        _missing(record.about.runs, specs, shelves), record.about.missing_runs == 0, _PER_RUN,
        lambda: sorted_rows(asked.per_seed(results)),
    )  # fmt: skip


def _of_another_version(version: int) -> str:
    if version != RESULTS_VERSION:
        return f"results version {version}, and this kdlib makes version {RESULTS_VERSION}"
    return "the plan or the study asks for other runs today"


def _missing(recorded: Iterable[str], specs: Iterable[RunSpec], shelves: Shelves) -> int:
    """How many of the recorded runs are in no store."""
    there = {spec.id for spec in specs if shelves.get(spec) is not None}
    return len(set(recorded) - there)


def check_block(
    block: Block, tables: tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]], shelves: Shelves
) -> list[Checked]:
    """The same for a block of evidence: its rows per run, and those per run and class.

    Args:
        block: of the plan.
        tables: what was recorded of it (``kdbook.evidence.records.read_block``).
        shelves: where its runs are.
    """
    of_runs, of_classes, about = tables
    names = f"block-{block.name}", f"block-{block.name}-classes"
    if not {spec.id for spec in block.runs} & about["runs"].keys():
        because = _of_another_version(about["results_version"])
        return [
            Checked(name, len(table), because=because)
            for name, table in zip(names, tables[:2], strict=True)
        ]
    results = [shelves.get(member.spec) for member in block.members]
    missing, is_whole = _missing(about["runs"], block.runs, shelves), about["missing_runs"] == 0
    return [
        _checked(names[0], of_runs, results, shelves, missing, is_whole, _PER_RUN,
                 lambda: per_seed(block, results)),
        _checked(names[1], of_classes, results, shelves, missing, is_whole, _PER_CLASS,
                 lambda: per_class(block, results)),
    ]  # fmt: skip


def _checked(
    name: str, table: pd.DataFrame, results: Sequence[RunResult | None], shelves: Shelves,
    missing: int, is_whole: bool, by: Sequence[str], make: Callable[[], pd.DataFrame],
) -> Checked:  # fmt: skip
    """A table made again; ``is_whole`` says that no run was missing when it was recorded."""
    because = f"{missing} of its runs are not whole in {shelves}" if missing else ""
    if not any(results):
        return Checked(name, len(table), because=because)
    try:
        again = make()
    except KdlibError as error:
        return Checked(name, len(table), because=str(error))
    except Exception as error:
        if not missing:
            raise
        return Checked(name, len(table), because=f"{because} ({type(error).__name__}: {error})")
    agree, differences = compare(table, again, by=by)
    if agree + len({each.line for each in differences}) < len(table) and not because:
        because = "its study makes no such rows today"
    lost = max(0, len(again) - len(table)) if is_whole else 0
    return Checked(name, len(table), agree, tuple(differences), because, lost)


def _without_runs(record: Record, asked: Study, shelves: Shelves) -> Checked:
    """Of a study without runs: compute its table here and now, of what is fitted already."""
    try:
        again = _computed(asked, shelves)
    except StoreError as error:
        return Checked(record.name, len(record.table), because=str(error))
    agree, differences = compare(record.table, again)
    lost = max(0, len(again) - len(record.table))
    return Checked(record.name, len(record.table), agree, tuple(differences), lost=lost)


def _computed(asked: Study, shelves: Shelves) -> pd.DataFrame:
    assert isinstance(asked, Computed), "a study that trains nothing computes its table"
    takes_store = "store" in inspect.signature(asked.compute).parameters
    return asked.compute(*([shelves.stores[0]] if takes_store else []))
