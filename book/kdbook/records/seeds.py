"""Recorded rows in a chapter: of the very runs that it asks for, and on the paper's data.

A recorded row counts where its run has the id of a run that the settings name. The id holds
everything that decides a training, so no row of another setting, recipe or version gets in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from kdbook.compare import TRAINED, measures, overview
from kdbook.profiles import PROFILES
from kdbook.records.asked import Asked
from kdbook.records.files import Record, read_records
from kdbook.selection import chosen_settings
from kdbook.settings import Settings, TaughtSettings, teaching
from kdbook.tables import KEYS


def recorded(
    study: str,
    folder: Path | None = None,
    show: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
) -> pd.DataFrame | str:
    """What the book has recorded of a study on the paper's data, at the paper's ratio.

    Records at the ``paper`` profile come first, then those at ``standard``, each under a heading
    that says which it is, where it ran and what it changed.

    Args:
        study: its name.
        folder: where the records lie; by default the book's own.
        show: what to show of a record's table; by default an overview of methods and measures at
            the paper's ratio. A study whose rows differ in more than that needs its own.

    Returns:
        What ``show`` makes of each record, or a line of Markdown that says how to
        make one.

    Raises:
        RecordError: a record is malformed.
    """
    found = [
        record
        for profile in ("paper", "standard")
        for record in read_records(folder)
        if (record.about.study, record.about.profile) == (study, profile)
    ]
    if not found:
        return f"Not run yet. To run and record it: `kdlib study record {study} --profile paper`"
    shown = show or _at_papers_ratio
    return pd.concat({_heading(r): shown(r.table) for r in found}, names=["recorded"])


def _heading(record: Record) -> str:
    """What tells a record from others of its study, and whether it is whole."""
    about = record.about
    changed = [f"{key} = {value}" for key, value in about.settings.items()]
    lacking = [f"{about.missing_runs} runs missing"] if about.missing_runs else []
    return ", ".join([about.profile, about.device, *changed, *lacking])


def _at_papers_ratio(table: pd.DataFrame) -> pd.DataFrame:
    rows = table[table["imbalance"] == PROFILES["paper"].imbalance]
    # After short trainings the worst ten score 0 whatever is done: half of the classes tell more.
    more = {"worst_50": "worst 50 classes"} if "worst_50" in rows else {}
    return overview(rows, measures(100) | more)


def recorded_rows(
    study: Asked, needs: Sequence[str] = (), folder: Path | None = None
) -> pd.DataFrame:
    """The recorded rows of the study's runs at its settings, each once; perhaps none.

    Args:
        study: where its settings name no number of seeds, all recorded seeds count.
        needs: columns that a record must have.
        folder: where the records lie; by default the book's own.
    """
    found = [
        _rows(record, study)
        for record in read_records(folder)
        if record.about.study == study.name and set(needs) <= set(record.table)
    ]
    columns = [*KEYS, "run", *needs]
    table = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=columns)
    return table.drop_duplicates(_keys(table), ignore_index=True)


def with_recorded(study: Asked, per_seed: pd.DataFrame, folder: Path | None = None) -> pd.DataFrame:
    """``per_seed`` and below it the recorded rows of further seeds of the same study.

    Where the settings name a number of seeds, or several temperatures, nothing is added: these need
    every cell for the same seeds.

    Args:
        study: at the settings of ``per_seed``.
        per_seed: rows of runs that were trained here.
        folder: where the records lie; by default the book's own.

    Returns:
        The rows with one more column, ``trained``: ``here`` or ``recorded``.
    """
    here = per_seed.assign(**{TRAINED: "here"})
    if study.settings.seeds is not None or _several_temperatures(study.settings):
        return here
    more = recorded_rows(study, folder=folder).assign(**{TRAINED: "recorded"})
    both = pd.concat([here, more], ignore_index=True) if len(more) else here
    return both.drop_duplicates(_keys(both), ignore_index=True)


def _keys(table: pd.DataFrame) -> list[str]:
    """The columns that tell the rows of a study apart."""
    return list(dict.fromkeys([*KEYS, *chosen_settings(table)]))


def _several_temperatures(settings: Settings) -> bool:
    """Whether the settings choose among temperatures, named or those of the profile."""
    if isinstance(settings, TaughtSettings):
        how = teaching(settings)
        return len(how.temperatures) * len(how.validation_temperatures) > 1
    return len(getattr(settings, "temperatures", ())) > 1


def _rows(record: Record, study: Asked) -> pd.DataFrame:
    settings = study.settings
    if record.about.profile != settings.profile:
        return record.table.iloc[:0]
    count = settings.seeds or max(record.about.seeds) + 1
    wanted = study.at(settings.model_copy(update={"seeds": count})).row_members()
    keys = {(member.method, member.seed, member.spec.id) for member in wanted}
    same = [key in keys for key in record.table[["method", "seed", "run"]].itertuples(False, None)]
    return record.table[same]
