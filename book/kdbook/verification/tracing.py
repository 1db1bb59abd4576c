"""Where each recorded row comes from: run, specification, commit, versions, device and data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from kdbook.evidence.blocks import Block
from kdbook.records import Record
from kdbook.verification.recorded import recorded_runs
from kdbook.verification.shelves import Shelves
from kdlib.errors import KdlibError
from kdlib.runs import RunSpec

TOLD = ("commit", "kdlib", "torch", "python", "device", "processor", "threads", "started")
"""Of a run's environment."""


def trace_record(record: Record, shelves: Shelves) -> pd.DataFrame:
    """One row per row of the record: record, line, run, what it is, ``TOLD``, data, spec, source.

    ``data`` are the digests of the splits, ``spec`` the canonical JSON. ``source`` says who tells
    the rest: the ``store``, or the ``record``, whose runs may have several commits or devices.
    """
    about = record.about
    beside = {
        "commit": about.commits, "device": about.devices, "processor": about.machines,
        **about.versions, "started": about.trained or (), "data": _named(about.splits),
    }  # fmt: skip
    if "run" not in record.table:
        return pd.DataFrame(
            {"record": record.name, "line": line, "run": "", **_joined(beside), "source": "record"}
            for line in range(2, len(record.table) + 2)
        )
    try:
        specs = recorded_runs(record)
    except KdlibError:  # its settings are of another version
        specs = []
    return _traced(record.name, record.table["run"], specs, beside, shelves)


def trace_block(
    block: Block, table: pd.DataFrame, about: Mapping[str, Any], shelves: Shelves
) -> pd.DataFrame:
    """The same for the rows per run of a block of evidence."""
    beside = {name: map(str, about.get(name, ())) for name in TOLD} | {
        "started": about["trained"], "data": _named(about["splits"])
    }  # fmt: skip
    return _traced(f"block-{block.name}", table["run"], block.runs, beside, shelves)


def _traced(
    name: str, runs: Iterable[str], specs: Iterable[RunSpec],
    beside: Mapping[str, Iterable[str]], shelves: Shelves,
) -> pd.DataFrame:  # fmt: skip
    known = {spec.id: spec for spec in specs}
    general = _joined(beside) | {"source": "record"}
    rows = []
    for line, run in enumerate(runs, start=2):
        place = {"record": name, "line": line, "run": run}
        rows.append(place | general | _of_run(known.get(run), shelves))
    return pd.DataFrame(rows)


def _of_run(spec: RunSpec | None, shelves: Shelves) -> dict[str, Any]:
    """What is known of a run: from today's code its specification, from a store the rest."""
    if spec is None:
        return {"what": "", "spec": ""}
    own = {"what": spec.label(), "spec": spec.canonical_json()}
    result = shelves.get(spec)
    if result is None:
        return own
    told = {name: str(result.environment.get(name)) for name in TOLD}
    digests = "; ".join(_named(result.environment["splits"]))
    return own | told | {"data": digests, "source": "store"}


def _named(digests: Mapping[str, str]) -> list[str]:
    return [f"{name} {digest}" for name, digest in sorted(digests.items())]


def _joined(beside: Mapping[str, Iterable[str]]) -> dict[str, str]:
    return {name: "; ".join(found) for name, found in beside.items()}
