"""``kdlib reproduce``: chapters and studies over a grid, from the trainings to a summary."""

from __future__ import annotations

import os
import shlex
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kdbook.cluster_options import cluster_options, train_on_cluster, wants_cluster
from kdbook.options import device_option, jobs_option, profile_option
from kdlib.errors import SettingError
from kdlib.options import FOLDER, keeps_finished_runs, root_option

if TYPE_CHECKING:
    from kdbook.batches import Plan
    from kdbook.batches.work import Train, Worked
    from kdbook.press import Project


@click.command()
@click.argument("names", nargs=-1, metavar="[CHAPTER|STUDY]...")
@profile_option
@click.option(
    "--parameter", "-p", "pairs", multiple=True, metavar="NAME=VALUE,VALUE",
    help="Values of a parameter; several parameters make a grid. A value is JSON, or else text, "
    'in "..." where it has a comma.',
)  # fmt: skip
@click.option("--plan", "plan_only", is_flag=True, help="Show the plan, and stop.")
@click.option("--yes", is_flag=True, help="Ask nothing.")
@click.option(
    "--out", type=FOLDER, show_default="_build/reproduce of the book, else reproduce",
    help="Where executed notebooks and the summary go.",
)  # fmt: skip
@device_option
@jobs_option
@cluster_options
@click.option("--cell-timeout", type=click.IntRange(1, 604_800), metavar="SECONDS",
              help="Stop a notebook where one cell takes longer  [default: no limit].")  # fmt: skip
@click.option("--force", is_flag=True, help="Run notebooks again whose inputs did not change.")
@root_option
def reproduce(
    names: tuple[str, ...], profile: str, pairs: tuple[str, ...], plan_only: bool, yes: bool,
    out: Path | None, root: Path | None, **how: Any,
) -> None:  # fmt: skip
    """Train what chapters and studies need, run the chapters, and sum it all up.

    All chapters where none are named. Teachers are trained before students, each run once. What
    fails stops only what needs it. The summary (summary.html and summary.json) says what ran, how
    long, what failed and why, and holds the main numbers. Ends with 1 where anything failed. Safe
    to kill and to call again: what is finished is kept.
    """
    wants_cluster(how)
    started, project = datetime.now(UTC), _book()
    plan = _planned(names, profile, pairs, project, root, how)
    for line in plan.lines():
        click.echo(line)
    if plan_only or not (yes or click.confirm("Go on?")):
        return
    folder = out or (project.build / "reproduce" if project else Path.cwd() / "reproduce")
    with keeps_finished_runs():
        _do(plan, project, folder, started, how)


def _book() -> Project | None:
    """The book that the user is in; ``None`` outside of one, where there are studies only."""
    from kdbook.press.errors import PressError
    from kdbook.press.project import find_project

    try:
        return find_project()
    except PressError:
        return None


def _planned(
    names: tuple[str, ...], profile: str, pairs: tuple[str, ...], project: Project | None,
    root: Path | None, how: dict[str, Any],
) -> Plan:  # fmt: skip
    from kdbook.batches import chosen_items, make_plan, parse_grid
    from kdlib.runs import Store
    from kdlib.runs.execute import chosen_device

    if project is None and not names:
        raise SettingError("no book here, so there are no chapters: name studies, or go to a book")
    items = chosen_items(names, profile, parse_grid(pairs), project)
    store = Store(root)
    os.environ["KDLIB_STORE"] = str(store.root)  # the notebooks read it
    os.environ["KDLIB_RECORDED"] = "0"  # what was recorded before is no reproduction
    if items:
        click.echo("planning; short trainings are timed first where runs are missing")
    jobs = how["workers"] or how["jobs"]
    return make_plan(items, store, device=chosen_device(how["device"]), jobs=jobs)


def _do(
    plan: Plan, project: Project | None, out: Path, started: datetime, how: dict[str, Any]
) -> None:
    from kdbook.batches import run_batch

    worked = run_batch(
        plan.items, _trainer(plan, how), project, out, click.echo,
        cell_timeout=how["cell_timeout"], force=how["force"],
    )  # fmt: skip
    click.echo(f"summary: {_sum_up(plan, worked, out, started).as_uri()}")
    bad = [item for item in plan.items if not worked.fates[item].is_well]
    for item in bad:
        click.echo(f"{item}: {worked.fates[item].status}: {worked.fates[item].why}", err=True)
    if bad or worked.failed_runs:
        raise SystemExit(1)


def _trainer(plan: Plan, how: dict[str, Any]) -> Train:
    """In this process and its workers, or on a Dask cluster where one is asked for."""
    from kdlib.runs.train_each import train_each

    if wants_cluster(how):
        return lambda specs: train_on_cluster(specs, plan.store, how)
    return lambda specs: train_each(specs, store=plan.store, jobs=how["jobs"], device=how["device"])


def _sum_up(plan: Plan, worked: Worked, out: Path, started: datetime) -> Path:
    from kdbook.batches.charts import drawings
    from kdbook.batches.numbers import numbers
    from kdbook.batches.summary import Drawing, summary, write_summary

    table = numbers(
        [item for item in plan.items if worked.fates[item].status != "not run"], plan.store
    )
    command = shlex.join(["kdlib", *sys.argv[1:]])
    about = summary(command, plan, worked, table, started, out)
    return write_summary(out, about, [Drawing(*found) for found in drawings(table)])
