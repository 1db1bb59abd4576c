"""The recorded blocks of ``kdbook.evidence`` as records, so that they answer published numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd

from kdbook.evidence.records import TWO_CORES, read_block
from kdbook.places import records_folder
from kdbook.records import Provenance, Record, read_records
from kdbook.reproduction.mapping import BLOCKS

TOGETHER = (("b", "e"), ("b2",), ("c", "d2"), ("f",))
"""Blocks that are one record: the same setting, and further seeds or methods of it."""
_TEST_IMAGES = {"official_test": 10_000, "test": 5_000}
WHERE = "where"
"""The setting of a record that names where it was trained, if there is another."""
_DATASETS = {"b": "cifar100", "b2": "cifar100", "c": "cifar10", "f": "cifar100"}
_STANDARD = "std / std-d"
_STANDARD_OF_OTHERS = "distilled"
"""The standard student, as the study of the grid and that of the baselines call it."""
_CELL = re.compile(r"^(std|bal|rob)/(\w+-d)(, one-hot labels)?$")


def all_records(folder: Path | None = None) -> list[Record]:
    """The records of studies and of blocks.

    Args:
        folder: where they lie; by default as ``kdbook.places.records_folder`` finds it.

    Raises:
        RecordError: as ``kdbook.records.read_records``.
    """
    of_blocks = records_folder(folder) / "evidence"
    on_cores = block_records(of_blocks / TWO_CORES, where=TWO_CORES)
    return [*read_records(folder), *block_records(of_blocks), *on_cores]


def block_records(folder: Path, where: str = "") -> list[Record]:
    """One record for each of ``TOGETHER`` of which a block is recorded.

    Args:
        folder: where ``kdbook.evidence`` writes its records.
        where: they were trained, if there are others: it becomes part of their names.
    """
    found = []
    for names in TOGETHER:
        blocks = [block for name in names if (block := read_block(folder, name)) is not None]
        if blocks:
            pairs = [(rows, about) for rows, _, about in blocks]
            found.append(_record(names[0], pairs, {WHERE: where} if where else {}))
    return found


def _record(
    name: str, blocks: list[tuple[pd.DataFrame, dict[str, Any]]], where: dict[str, str]
) -> Record:
    table = pd.concat([_as_in_studies(rows) for rows, _ in blocks], ignore_index=True)
    abouts = [about for _, about in blocks]
    first = abouts[0]
    return Record(
        Provenance(
            study=BLOCKS,
            question=first["what"],
            profile="standard",
            settings={"block": name, **where},
            dataset=_DATASETS[name],
            imbalance=100.0,
            model=first["model"],
            recipe=first["recipe"],
            seeds=tuple(sorted(set(table["seed"]))),
            missing_runs=sum(about["missing_runs"] for about in abouts),
            devices=_united(abouts, "device"),
            versions={key: _united(abouts, key) for key in ("kdlib", "torch", "python")},
            commits=_united(abouts, "commit"),
            results_version=first["results_version"],
            trained=(min(a["trained"][0] for a in abouts), max(a["trained"][1] for a in abouts)),
            recorded=max(about["trained"][1] for about in abouts),
            columns=tuple(table.columns),
            runs={run: status for about in abouts for run, status in about["runs"].items()},
            splits={split: digest for a in abouts for split, digest in a["splits"].items()},
            tested_on=first["test"],
            test_images=_TEST_IMAGES[first["test"]],
        ),
        table,
    )


def _united(abouts: list[dict[str, Any]], key: str) -> tuple[str, ...]:
    return tuple(sorted({str(value) for about in abouts for value in about[key]}))


def _as_in_studies(rows: pd.DataFrame) -> pd.DataFrame:
    """Methods by the names of the studies; the standard student under both of its names."""
    table = rows.assign(method=rows["method"].map(_name))
    standard = table[table["method"] == _STANDARD]
    if standard.empty:
        return table
    again = standard.assign(method=_STANDARD_OF_OTHERS)
    renamed = table.assign(method=table["method"].replace("AdaAlpha", "AdaAlpha, std teacher"))
    return pd.concat([renamed, again], ignore_index=True)


def _name(method: str) -> str:
    match = _CELL.match(method)
    if match is None:
        return method
    teacher, student, one_hot = match.groups()
    labels = f" ({'one-hot' if one_hot else 'teacher'} labels)" if student == "rob-d" else ""
    return f"{teacher} / {student}{labels}"
