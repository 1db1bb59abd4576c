"""Records of blocks: three small sorted files each, so that what is finished outlives its store."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from kdbook.evidence.blocks import Block
from kdbook.evidence.tables import per_class, per_seed
from kdbook.records import common_recipe, days, distinct, networks, split_digests
from kdlib.files import write_atomically
from kdlib.locks import held
from kdlib.runs import RESULTS_VERSION, RunResult

TWO_CORES = "two_cores"
"""The folder of blocks that were trained as a whole on two CPU cores, apart from those of a GPU."""
_DIGITS = 6
_OF_MACHINES = ("commit", "device", "kdlib", "python", "step", "threads", "torch")


def write_block(folder: Path, block: Block, results: Sequence[RunResult | None]) -> Path:
    """Write ``block-NAME.csv``, ``block-NAME-classes.csv`` and ``block-NAME.json``.

    A store can be lost, a record not: where ``results`` lack a run that is recorded, all recorded
    runs stay as they are, and the others are added. A recorded teacher that was trained again gives
    way to the new one where that has taught all of its students. Else the record is written anew.

    Args:
        folder: where records of evidence lie; it is made.
        block: of the plan.
        results: of its members, ``None`` for a run that is not finished; at least one is.

    Returns:
        The path of the first.
    """
    path = folder / f"block-{block.name}.csv"
    with held(path.with_suffix(".lock"), f"the record of block {block.name}"):
        rows, classes, about = _with_recorded(folder, block, results)
        write_atomically(path, _csv(_sorted(block, rows)))
        classes = classes.sort_values(["run", "label"])
        write_atomically(path.with_name(f"{path.stem}-classes.csv"), _csv(classes))
        text = json.dumps(about, indent=2, sort_keys=True) + "\n"
        write_atomically(path.with_suffix(".json"), text.encode())
    return path


def recorded_runs(folder: Path, block: Block) -> set[str]:
    """Ids of the block's runs that its record in ``folder`` holds."""
    found = read_block(folder, block.name)
    return set() if found is None else {spec.id for spec in block.runs} & set(found[2]["runs"])


def read_block(folder: Path, name: str) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]] | None:
    """A block's rows per run, its rows per run and class, and what is said of it; or ``None``."""
    path = folder / f"block-{name}.csv"
    if not path.with_suffix(".json").exists():  # it is written last
        return None
    classes = pd.read_csv(path.with_name(f"{path.stem}-classes.csv"))
    return pd.read_csv(path), classes, json.loads(path.with_suffix(".json").read_text())


def _with_recorded(
    folder: Path, block: Block, results: Sequence[RunResult | None]
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    """What is to be written: of these results, and of the record where they lack its runs."""
    recorded, before = recorded_runs(folder, block), read_block(folder, block.name)
    there = {result.spec.id for result in results if result is not None}
    if before is None or recorded <= there:
        return _of(block, results)
    recorded -= _taught_anew(block, recorded, there)
    new = [result if result and result.spec.id not in recorded else None for result in results]
    old_rows, old_classes, old = before
    old_rows = old_rows[old_rows["run"].isin(recorded)]
    old_classes = old_classes[old_classes["run"].isin(recorded)]
    if not any(new):
        return old_rows, old_classes, _joined(block, old | {"runs": {}}, old, recorded)
    rows, classes, about = _of(block, new)
    return (
        pd.concat([old_rows, rows], ignore_index=True),
        pd.concat([old_classes, classes], ignore_index=True),
        _joined(block, about, old, recorded),
    )


def _taught_anew(block: Block, recorded: set[str], there: set[str]) -> set[str]:
    """Recorded runs that are there again, and that none but students not yet recorded build on."""
    of_recorded, of_new = (
        {parent.id for spec in block.runs if spec.id in ids for parent in spec.parents()}
        for ids in (recorded, there - recorded)
    )
    return recorded & there & of_new - of_recorded


def _of(
    block: Block, results: Sequence[RunResult | None]
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    finished = list({r.spec.id: r for r in results if r is not None}.values())
    return per_seed(block, results), per_class(block, results), _about(block, finished)


def _joined(
    block: Block, new: dict[str, Any], old: dict[str, Any], kept: set[str]
) -> dict[str, Any]:
    """What is said of the runs of both."""
    runs = new["runs"] | {run: old["runs"][run] for run in kept}
    specs = [spec for spec in block.runs if spec.id in runs]
    trained = new["trained"] + old["trained"]
    return new | {
        "missing_runs": len(block.runs) - len(runs),
        "model": networks(specs),
        "recipe": common_recipe(specs),
        "runs": runs,
        "splits": old["splits"] | new["splits"],
        "trained": [min(trained), max(trained)],
        **{key: sorted({*new[key], *old[key]}) for key in _OF_MACHINES},
    }


def _sorted(block: Block, table: pd.DataFrame) -> pd.DataFrame:
    """By the order of the block's methods, then temperature and seed, then of its members."""
    method = {member.method: -n for n, member in enumerate(reversed(block.members))}
    member = {member.spec.id: n for n, member in enumerate(block.members)}
    keys = table.assign(_method=table["method"].map(method), _member=table["run"].map(member))
    return table.loc[keys.sort_values(["_method", "temperature", "seed", "_member"]).index]


def _csv(table: pd.DataFrame) -> bytes:
    text = table.to_csv(index=False, lineterminator="\n", float_format=f"%.{_DIGITS}g")
    return text.encode()


def _about(block: Block, finished: Sequence[RunResult]) -> dict[str, Any]:
    specs, environments = [r.spec for r in finished], [r.environment for r in finished]
    first, last = days(environments)
    return {
        "block": block.name,
        "what": block.what,
        "test": block.test,
        "seeds": list(block.seeds),
        "missing_runs": len(block.runs) - len(finished),
        "model": networks(specs),
        "recipe": common_recipe(specs),
        "results_version": RESULTS_VERSION,
        "runs": {result.spec.id: result.status for result in finished},
        "splits": split_digests(finished),
        "trained": [first, last],
        **{key: list(distinct(environments, key)) for key in _OF_MACHINES},
    }
