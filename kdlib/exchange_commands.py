"""``kdlib store export`` and ``import``: finished runs on their way from one store to another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kdlib.errors import SettingError, StoreError
from kdlib.options import FILE, root_option

if TYPE_CHECKING:
    from kdlib.runs import RunResult, RunSpec, Store

STUDIES = "kdlib.studies"
"""Entry points of functions from a study's name, its profile and its settings to its runs."""


@click.command("export")
@click.argument("dest", type=FILE)
@click.option("--id", "ids", multiple=True, help="A run's id or its beginning; may be repeated.")
@click.option("--study", "studies", multiple=True, help="A study's runs; may be repeated.")
@click.option(
    "--profile",
    type=click.Choice(["quick", "standard", "paper"]),
    default="quick",
    show_default=True,
    help="The scale of the studies.",
)
@click.option("--set", "values", multiple=True, metavar="NAME=VALUE", help="A setting of theirs.")
@root_option
def export(
    dest: Path, ids: Sequence[str], studies: Sequence[str], profile: str, values: Sequence[str],
    root: Path | None,
) -> None:  # fmt: skip
    """Write finished runs into DEST, a zip file; all of the store where none are named.

    With each run go those that it was taught by. A manifest in DEST holds the SHA-256 of every
    file, and the same runs give the same bytes. `kdlib store import` reads it.
    """
    from kdlib.runs.exchange import export_runs
    from kdlib.runs.spec import with_parents
    from kdlib.runs.store import Store

    shelf = Store(root)
    wanted = [spec for name in studies for spec in _runs_of(name, profile, values)]
    found = _found(shelf, wanted, ids) if ids or studies else list(shelf.results())
    if not found:
        raise StoreError(f"none of these runs is finished in {shelf.root}: nothing to export")
    export_runs(found, dest)
    lacking = len({*with_parents(wanted)} - {result.spec for result in found})
    missing = f"; {lacking:,} runs are not in {shelf.root}" if lacking else ""
    click.echo(f"{dest}: {len(found):,} runs, {dest.stat().st_size / 1e6:.1f} MB{missing}")


@click.command("import")
@click.argument("src", type=FILE)
@root_option
def import_(src: Path, root: Path | None) -> None:
    """Put the runs of SRC, which `kdlib store export` wrote, into the store.

    All of it is checked before the first run goes in. Runs that are there already stay as they are.
    """
    from kdlib.runs.exchange import import_runs
    from kdlib.runs.store import Store

    shelf = Store(root)
    done = import_runs(src, shelf)
    click.echo(f"{shelf.root}: {len(done.new):,} runs are new, {len(done.there):,} were there")


def _found(shelf: Store, specs: Sequence[RunSpec], prefixes: Sequence[str]) -> list[RunResult]:
    """The finished runs among the named ones and those that they build on, each once."""
    from kdlib.runs.spec import with_parents

    named = [*specs, *(shelf.find(prefix).spec for prefix in prefixes)]
    results = (shelf.look(spec) for spec in with_parents(named))
    return [result for result in results if result is not None]


def _runs_of(study: str, profile: str, values: Sequence[str]) -> list[RunSpec]:
    from importlib.metadata import entry_points

    known: list[Callable[[str, str, Sequence[str]], list[RunSpec]]]
    known = [point.load() for point in entry_points(group=STUDIES)]
    if not known:
        raise SettingError(f"--study {study!r} is not known: no package with studies is installed")
    return known[0](study, profile, values)
