"""``kdlib evidence``: the plan's blocks, what is there of them, and the trainings that are not."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kdlib.options import FOLDER, keeps_finished_runs

if TYPE_CHECKING:
    from kdbook.evidence.blocks import Block
    from kdlib.runs import RunSpec, Store


@click.command()
@click.option("--only", "names", multiple=True, metavar="BLOCK", help="May be repeated.")
@click.option("--plan", "plan_only", is_flag=True, help="Say what there is to do, and stop.")
@click.option("--finished-only", is_flag=True, help="Train nothing: record what the store holds.")
@click.option(
    "--jobs",
    type=click.IntRange(1, 64),
    help="Trainings at once  [default: 2; a GPU trains one after the other]",
)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), help="[default: cuda if there]")
@click.option(
    "--store",
    "root",
    type=FOLDER,
    help="Where the runs lie  [default: KDLIB_STORE, else evidence in the user's cache]",
)
@click.option(
    "--into",
    type=FOLDER,
    show_default="book/results/evidence of the checkout; of a CPU two_cores below it",
    help="Where the records lie.",
)
def evidence(
    names: tuple[str, ...], plan_only: bool, finished_only: bool, jobs: int | None,
    device: str | None, root: Path | None, into: Path | None,
) -> None:  # fmt: skip
    """Train the blocks of book/results/plan.md, each to its end, and write its records.

    Safe to kill and to start again, also twice at once: finished runs are kept, and a training goes
    on from its last checkpoint. What is recorded is not trained again where its store is lost, but
    for teachers that missing students need. To train it anew, record --into another folder.
    """
    from kdbook.evidence.blocks import chosen
    from kdbook.evidence.cost import GPU_MINUTES, on_a_gpu
    from kdbook.places import folder_to_record
    from kdlib.runs.execute import chosen_device

    blocks, store, device = chosen(names), _store(root), chosen_device(device)
    jobs = 1 if device == "cuda" else jobs or 2
    folder = into or _folder(folder_to_record(), device)
    click.echo(f"runs in {store.root}, records in {folder}")
    for block in blocks:
        click.echo(_line(block, store, folder, device, jobs))
    if plan_only:
        click.echo(on_a_gpu(GPU_MINUTES, folder_to_record() / "evidence"))
        return
    with keeps_finished_runs():
        for block in blocks:
            _work(block, store, device, 0 if finished_only else jobs, folder)


def _folder(records: Path, device: str) -> Path:
    """Processors are not mixed within a block, so what a CPU trains is recorded apart."""
    from kdbook.evidence.records import TWO_CORES

    return records / "evidence" / (TWO_CORES if device == "cpu" else "")


def _store(root: Path | None) -> Store:
    import os

    from kdlib.runs import Store
    from kdlib.runs.store import default_root

    own = None if os.environ.get("KDLIB_STORE") else default_root().parent / "evidence"
    return Store(root or own)


def _line(block: Block, store: Store, records: Path, device: str, jobs: int) -> str:
    """What of a block is there, and how long the rest takes."""
    from kdlib.runs.plan import estimate, planned_tables

    missing = _missing(block, store, records)
    done = len(block.runs) - sum(store.get(spec) is None for spec in _unrecorded(block, records))
    alone = [[[spec] for spec in generation] for generation in missing]
    time = estimate(alone, device=device, jobs=jobs)
    left = f", {time} left" if missing else ""
    line = f"{block.name:3}{done:4} of {len(block.runs):3} runs{left}: {block.what}"
    caches = planned_tables(missing, device)
    return f"{line}\n    {caches}" if caches.teachers else line


def _missing(block: Block, store: Store, records: Path) -> list[list[RunSpec]]:
    """Runs that are neither in the store nor recorded, and teachers that these need again."""
    from kdlib.runs import missing_runs

    return missing_runs(_unrecorded(block, records), store)


def _unrecorded(block: Block, records: Path) -> list[RunSpec]:
    from kdbook.evidence.records import recorded_runs

    recorded = recorded_runs(records, block)
    return [spec for spec in block.runs if spec.id not in recorded]


def _work(block: Block, store: Store, device: str, jobs: int, into: Path) -> None:
    """Train what is missing, unless ``jobs`` is 0, and write what is there."""
    from kdbook.evidence.records import recorded_runs, write_block
    from kdlib.runs import execute
    from kdlib.runs.machine import warn_of_mixed_machines

    if jobs:
        execute(_unrecorded(block, into), store=store, jobs=jobs, device=device)
    results = [store.get(member.spec) for member in block.members]
    if any(results):
        warn_of_mixed_machines(result for result in results if result is not None)
        path = write_block(into, block, results)
        click.echo(f"{path}: {len(recorded_runs(into, block))} of {len(block.runs)} runs")
