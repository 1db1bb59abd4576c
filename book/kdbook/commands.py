"""``kdlib study``: the papers' studies, listed, planned, run and recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kdbook.cluster_options import cluster_options, trained_first, wants_cluster
from kdbook.options import asked_for, name_argument, study_options
from kdbook.prune_command import prune
from kdbook.record_commands import matrix, record
from kdlib.cli import is_first
from kdlib.options import keeps_finished_runs

if TYPE_CHECKING:
    import pandas as pd

    from kdbook.study import Study
    from kdlib.metrics import Scale
    from kdlib.runs import RunSpec, Store


@click.group()
def study() -> None:
    """Experiments of the papers: list, plan and run them."""


study.add_command(record)
study.add_command(matrix)
study.add_command(prune)


@study.command("list")
def study_list() -> None:
    """Each study and the question it answers."""
    from kdbook.chapters import STUDIES
    from kdbook.chapters import study as kind

    for name in STUDIES:
        click.echo(f"{name:30} {kind(name).question}")


@study.command("show")
@name_argument
def study_show(name: str) -> None:
    """A study's question and the settings that it takes, with their allowed values."""
    from kdbook.chapters import study as kind
    from kdlib.validated import allowed

    found = kind(name)
    click.echo(f"{found.question}\n\nSettings:")
    for field, about in found.Settings.model_fields.items():
        click.echo(f"  {field:14} {allowed(found.Settings, field)}; default {about.default}")


@study.command("plan")
@study_options
def study_plan(
    name: str,
    profile: str,
    seeds: int | None,
    values: tuple[str, ...],
    root: Path | None,
    **how: Any,
) -> None:
    """What the study would train, and roughly how long that takes here. Trains nothing."""
    from kdlib.runs import Store

    asked = asked_for(name, profile, seeds, values)
    if not asked.trains:
        click.echo(f"{name} trains no networks: `kdlib study run {name}` computes its table")
        return
    _show_plan(asked.runs(), Store(root), how, each=True)


@study.command("run")
@study_options
@cluster_options
def study_run(
    name: str,
    profile: str,
    seeds: int | None,
    values: tuple[str, ...],
    root: Path | None,
    **how: Any,
) -> None:
    """Train what is missing, then print the study's results with 95 % intervals over seeds."""
    from kdlib.runs import Store

    wants_cluster(how)
    asked = asked_for(name, profile, seeds, values)
    if asked.trains:
        table = _trained(asked, Store(root), how)
        click.echo(_summary(table).to_string(index=False, float_format="{:.1f}".format))
    else:
        shown = _means(asked.table, asked.scale)
        click.echo(shown.to_string(index=False, float_format="{:.4g}".format))


def _show_plan(
    runs: Sequence[RunSpec], shelf: Store, how: Mapping[str, Any], *, each: bool
) -> None:
    """What ``execute(runs, **how)`` would train, each by its name if asked, and how long."""
    from kdlib.locks import is_held
    from kdlib.runs.execute import chosen_device, missing_runs
    from kdlib.runs.plan import planned_tables

    if not is_first():  # it would measure beside the first, and set damaged runs aside
        return
    machine = chosen_device(how["device"])
    generations = missing_runs(runs, shelf)
    missing = [spec for generation in generations for spec in generation]
    for spec in missing if each else []:
        click.echo(f"{spec.id}  {spec.label()}")
    wanted = len(set(runs))
    if not missing:
        click.echo(f"{wanted} runs wanted, all in {shelf.root}")
        return
    locked = sum(is_held(shelf.lock_file(spec.id)) for spec in missing)
    if locked:
        click.echo(f"another process holds the locks of {locked} of these runs: waiting for it")
    # Timing takes seconds, so what is known is said before.
    click.echo(f"{wanted} runs wanted, {len(missing)} to train (teachers included): ", nl=False)
    click.echo(_cost(generations, machine, how["jobs"], how["together"]))
    tables = planned_tables(generations, machine)
    if tables.teachers:
        click.echo(str(tables))


def _cost(
    generations: Sequence[Sequence[RunSpec]], machine: str, jobs: int | None, together: int
) -> str:
    """Time, device, processes; and, where students may be trained together, in how many stacks."""
    from kdlib.runs.execute import planned_stacks, workers_for
    from kdlib.runs.plan import estimate

    workers = workers_for([spec for each in generations for spec in each], machine, jobs)
    planned = planned_stacks(generations, device=machine, jobs=jobs, together=together)
    time = estimate(planned, device=machine, jobs=workers)
    stacks = [stack for generation in planned for stack in generation]
    largest = max(map(len, stacks))
    shared = f", in {len(stacks)} stacks of up to {largest}" if together > 1 else ""
    return f"{time} on {machine} with {workers} at a time{shared}"


def _trained(study: Study, shelf: Store, how: Mapping[str, Any]) -> pd.DataFrame:
    from kdlib.runs import execute

    runs = study.runs()
    _show_plan(runs, shelf, {**how, "jobs": how["workers"] or how["jobs"]}, each=False)
    with keeps_finished_runs():
        results = execute(runs, store=shelf, **trained_first(runs, shelf, how))
    return study.per_seed(results)


def _summary(table: pd.DataFrame) -> pd.DataFrame:
    from kdbook.compare import with_intervals

    metrics = [c for c in table.columns if c == "mean" or c.startswith(("worst_", "rarest"))]
    by = [c for c in ("imbalance", "method", "temperature") if c in table.columns]
    tables = [with_intervals(table, metric, by).assign(metric=metric) for metric in metrics]
    import pandas as pd

    return pd.concat(tables)[[*by, "metric", "mean", "low", "high", "seeds"]]


def _means(table: pd.DataFrame, scale: Scale) -> pd.DataFrame:
    """Of a study without runs: the mean of ``value`` over seeds for each of what was measured."""
    from kdbook.compare import with_intervals

    keys = [c for c in table.columns if c not in ("seed", "value")]
    return with_intervals(table, "value", keys, scale)
