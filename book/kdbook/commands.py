"""The ``kdlib`` command: studies, the run store, the book."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import kdlib
from kdbook.options import name_argument, root_option, settings_of, study_options
from kdbook.record_commands import matrix, record
from kdlib.errors import KdlibError

if TYPE_CHECKING:
    from types import ModuleType

    import pandas as pd

    from kdbook.studies.settings import Settings
    from kdlib.runs import RunSpec, Store


class _Group(click.Group):
    """A group whose commands show kdlib's errors as one line, and whose ``book`` loads late."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *(["book"] if self.name == "kdlib" else [])])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if self.name == "kdlib" and cmd_name == "book":
            from kdbook.press.commands import book

            return book
        return super().get_command(ctx, cmd_name)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KdlibError as error:
            raise click.ClickException(str(error)) from error
        except OSError as error:
            if error.filename is None:  # a pipe that was closed, say: click knows what to do
                raise
            raise click.ClickException(f"{error.filename}: {error.strerror}") from error


@click.group(name="kdlib", cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(kdlib.__version__, prog_name="kdlib")
def cli() -> None:
    """Does distilling a model harm its rare classes?

    Run the papers' studies, read the store of finished runs, build the book.
    """


@cli.group()
def study() -> None:
    """Experiments of the papers: list, plan and run them."""


study.add_command(record)
study.add_command(matrix)


@cli.group()
def store() -> None:
    """The store of finished runs: where it is, what it holds, whether it is whole."""


@study.command("list")
def study_list() -> None:
    """Each study and the question it answers."""
    from kdbook.studies import STUDIES
    from kdbook.studies import study as module

    for name in STUDIES:
        click.echo(f"{name:30} {module(name).QUESTION}")


@study.command("show")
@name_argument
def study_show(name: str) -> None:
    """A study's question and the settings that it takes, with their allowed values."""
    from kdbook.studies import study as module
    from kdlib.validated import allowed

    found = module(name)
    click.echo(f"{found.QUESTION}\n\nSettings:")
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
    from kdbook.studies import study as module
    from kdbook.studies import trains_networks
    from kdlib.runs import Store

    settings = settings_of(name, profile, seeds, values)
    if not trains_networks(name):
        click.echo(f"{name} trains no networks: `kdlib study run {name}` computes its table")
        return
    _show_plan(module(name).runs(settings), Store(root), how, each=True)


@study.command("run")
@study_options
def study_run(
    name: str,
    profile: str,
    seeds: int | None,
    values: tuple[str, ...],
    root: Path | None,
    **how: Any,
) -> None:
    """Train what is missing, then print the study's results with 95 % intervals over seeds."""
    from kdbook.studies import study as module
    from kdbook.studies import trains_networks
    from kdlib.runs import Store

    settings = settings_of(name, profile, seeds, values)
    if trains_networks(name):
        table = _trained(module(name), settings, Store(root), how)
        click.echo(_summary(table).to_string(index=False, float_format="{:.1f}".format))
    else:
        table = module(name).table(settings)
        click.echo(_means(table).to_string(index=False, float_format="{:.4g}".format))


@store.command("where")
@root_option
def store_where(root: Path | None) -> None:
    """Print the store's folder."""
    from kdlib.runs import Store

    click.echo(Store(root).root)


@store.command("list")
@root_option
def store_list(root: Path | None) -> None:
    """One line a finished run: id, status, mean test accuracy, what it is."""
    from kdlib.runs import Store

    shelf, count = Store(root), 0
    for count, result in enumerate(shelf.results(), start=1):  # noqa: B007
        accuracy = f"{100 * result.accuracy('test').mean():5.1f} %"
        click.echo(f"{result.spec.id}  {result.status:9}  {accuracy}  {result.spec.label()}")
    click.echo(f"{count} finished runs in {shelf.root}")


@store.command("show")
@click.argument("run")
@root_option
def store_show(run: str, root: Path | None) -> None:
    """A run's spec, environment and per-class results. RUN is an id or its beginning."""
    import json

    from kdlib.runs import Store

    result = Store(root).find(run)
    click.echo(f"{result.spec.label()}: {result.status}\n{result.folder}\n")
    click.echo(json.dumps(result.spec.model_dump(mode="json"), indent=2))
    click.echo(json.dumps(result.environment, indent=2, sort_keys=True))
    click.echo(result.per_class.to_string(index=False, float_format=lambda x: f"{x:.3f}"))


@store.command("check")
@root_option
def store_check(root: Path | None) -> None:
    """Verify every finished run against its hashes; name the damaged ones. Changes nothing."""
    from kdlib.runs import Store

    shelf = Store(root)
    if not shelf.root.is_dir():
        raise KdlibError(f"there is no store in {shelf.root}")
    broken = list(shelf.complaints())
    for folder, complaint in broken:
        click.echo(f"{folder}: {complaint}")
    if broken:
        raise click.ClickException(
            f"{len(broken)} damaged runs; they are redone when next asked for"
        )
    click.echo("all runs are whole")


def _show_plan(
    runs: Sequence[RunSpec], shelf: Store, how: Mapping[str, Any], *, each: bool
) -> None:
    """What ``execute(runs, **how)`` would train, each by its name if asked, and how long."""
    from kdlib.runs.execute import chosen_device, missing_runs
    from kdlib.runs.planned_tables import planned_tables

    if not _is_first():  # it would measure beside the first, and set damaged runs aside
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
    click.echo(
        f"{wanted} runs wanted, {len(missing)} to train (teachers included): "
        f"{_cost(generations, machine, how['jobs'], how['together'])}"
    )
    tables = planned_tables(missing, machine)
    if tables.teachers:
        click.echo(str(tables))


def _cost(
    generations: Sequence[Sequence[RunSpec]], machine: str, jobs: int | None, together: int
) -> str:
    """Time, device, processes; and, where students may share a step, in how many stacks."""
    from kdlib.runs.estimate import estimated_seconds
    from kdlib.runs.execute import default_jobs, planned_stacks

    workers = jobs or default_jobs([spec for each in generations for spec in each], machine)
    stacks = planned_stacks(generations, device=machine, jobs=jobs, together=together)
    seconds = estimated_seconds(stacks, device=machine, jobs=workers)
    largest = max(map(len, stacks))
    shared = f", in {len(stacks)} stacks of up to {largest}" if together > 1 else ""
    return f"about {_duration(seconds)} on {machine} with {workers} at a time{shared}"


def _trained(
    module: ModuleType, settings: Settings, shelf: Store, how: Mapping[str, Any]
) -> pd.DataFrame:
    from kdlib.runs import execute

    runs = module.runs(settings)
    _show_plan(runs, shelf, how, each=False)
    table: pd.DataFrame = module.per_seed(settings, execute(runs, store=shelf, **how))
    return table


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _summary(table: pd.DataFrame) -> pd.DataFrame:
    from kdbook.studies.tables import with_intervals

    metrics = [c for c in table.columns if c == "mean" or c.startswith(("worst_", "rarest"))]
    by = [c for c in ("imbalance", "method", "temperature") if c in table.columns]
    tables = [with_intervals(table, metric, by).assign(metric=metric) for metric in metrics]
    import pandas as pd

    return pd.concat(tables)[[*by, "metric", "mean", "low", "high", "seeds"]]


def _means(table: pd.DataFrame) -> pd.DataFrame:
    """Of a study without runs: the mean of ``value`` over seeds for each of what was measured."""
    from kdbook.studies.tables import with_intervals

    return with_intervals(table, "value", [c for c in table.columns if c not in ("seed", "value")])


def _is_first() -> bool:
    """Whether this is the one process, or the first of those that ``torchrun`` started."""
    return "TORCHELASTIC_RUN_ID" not in os.environ or os.environ.get("RANK") == "0"


def main() -> None:
    """Entry point of the ``kdlib`` command; of processes of ``torchrun`` the first one prints."""
    with nullcontext() if _is_first() else redirect_stdout(io.StringIO()):
        cli(prog_name="kdlib")
