"""``kdlib store``: where the store is, what it holds, whether it is whole, what can go."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kdlib.errors import KdlibError, SettingError
from kdlib.options import root_option

if TYPE_CHECKING:
    from kdlib.runs import Store
    from kdlib.runs.contents import Item

_WORDS = {
    "finished": "finished runs",
    "unfinished": "unfinished trainings",
    "damaged": "set aside as damaged, or files in the place of runs",
    "views": "teacher caches (precomputed logits)",
    "forests": "forests",
    "temporary": "left half written",
    "locks": "lock files",
}


@click.group()
def store() -> None:
    """The store of finished runs: where it is, what it holds, whether it is whole."""


@store.command("where")
@root_option
def where(root: Path | None) -> None:
    """Print the store's folder."""
    from kdlib.runs import Store

    click.echo(Store(root).root)


@store.command("list")
@root_option
def list_runs(root: Path | None) -> None:
    """One line per finished run: id, status, mean test accuracy, what it is."""
    from kdlib.runs.machine import warn_of_mixed_machines

    shelf = _there(root)
    results = list(shelf.results())
    for result in results:
        accuracy = f"{100 * result.accuracy('test').mean():5.1f} %"
        click.echo(f"{result.spec.id}  {result.status:9}  {accuracy}  {result.spec.label()}")
    click.echo(f"{len(results)} finished runs in {shelf.root}")
    warn_of_mixed_machines(results)


@store.command("show")
@click.argument("run")
@root_option
def show(run: str, root: Path | None) -> None:
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
def check(root: Path | None) -> None:
    """Verify every finished run against its hashes; name the damaged ones. Changes nothing."""
    from kdlib.runs.machine import warn_of_mixed_machines

    shelf = _there(root)
    broken = list(shelf.complaints())
    for folder, complaint in broken:
        click.echo(f"{folder}: {complaint}")
    warn_of_mixed_machines(shelf.results())
    if broken:
        raise click.ClickException(
            f"{len(broken)} damaged runs; they are redone when next asked for"
        )
    click.echo("all runs are whole")


@store.command("size")
@root_option
def size(root: Path | None) -> None:
    """How much room the store takes, by what it holds."""
    from kdlib.runs.contents import contents

    shelf = _there(root)
    items = contents(shelf)
    for kind, words in _WORDS.items():
        chosen = [item for item in items if item.kind == kind]
        click.echo(f"{len(chosen):7,} {_bytes(chosen):>10}  {words}")
    click.echo(f"{len(items):7,} {_bytes(items):>10}  in {shelf.root}")


_yes = click.option("--yes", is_flag=True, help="Delete. Without it nothing is deleted.")
_older_than = click.option(
    "--older-than",
    type=click.FloatRange(min=0),
    metavar="DAYS",
    default=0.0,
    help="Only what has not changed for so many days.",
)


def prune_options(command: Callable[..., None]) -> Callable[..., None]:
    """The options that all commands share that delete from a store."""
    for option in reversed((_older_than, _yes, root_option)):
        command = option(command)
    return command


@store.command("prune")
@click.option(
    "--also",
    multiple=True,
    type=click.Choice(["finished", "views", "forests"]),
    help="Results or tables, too; may be repeated.",
)
@prune_options
def prune(also: tuple[str, ...], older_than: float, yes: bool, root: Path | None) -> None:
    """Say what could be deleted, and how much room that frees; delete it with --yes.

    That is leftovers only: unfinished trainings, runs set aside as damaged, files left half
    written, lock files that nobody holds. What a training uses just now stays.
    """
    from kdlib.runs.contents import LEFTOVERS

    if "finished" in also and not older_than:
        raise SettingError("--also finished would delete all results: add --older-than DAYS")
    kinds = {*LEFTOVERS, *also}
    prune_items(root, older_than, yes, lambda item: item.kind in kinds)


def prune_items(
    root: Path | None, older_than: float, yes: bool, is_meant: Callable[[Item], bool]
) -> None:
    """Tell what of the meant items can go; delete it where ``yes``.

    Args:
        root: the store's folder.
        older_than: days for which an item must not have changed.
        yes: whether to delete.
        is_meant: which items are meant.
    """
    from kdlib.runs.contents import contents, in_use

    shelf = _there(root)
    items = contents(shelf)
    chosen = [item for item in items if item.age() >= older_than and is_meant(item)]
    used = in_use(shelf, items)
    free = [item for item in chosen if item.id not in used]
    _tell(free, len(chosen) - len(free), yes)
    if yes:
        _delete(shelf, free)


def _there(root: Path | None) -> Store:
    from kdlib.runs import Store

    shelf = Store(root)
    if not shelf.root.is_dir():
        raise KdlibError(f"there is no store in {shelf.root}")
    return shelf


def _tell(free: Sequence[Item], kept: int, yes: bool) -> None:
    for item in free:
        if item.kind != "locks":  # there are hundreds
            click.echo(f"{item.path}  {_bytes([item])}, unchanged for {item.age():.1f} days")
    counts = Counter(item.kind for item in free)
    parts = [f"{count:,} {_WORDS[kind]}" for kind, count in counts.items()]
    if kept:
        click.echo(f"kept, for a training uses them now: {kept:,}")
    click.echo(
        f"{'deleting' if yes else 'would free'} {_bytes(free)}: {'; '.join(parts) or 'nothing'}"
    )
    if free and not yes:
        click.echo("nothing was deleted: --yes deletes")


def _delete(shelf: Store, free: Sequence[Item]) -> None:
    from kdlib.runs.contents import delete

    # Lock files come last, since what goes before is deleted under its lock.
    ordered = sorted(free, key=lambda item: item.kind == "locks")
    busy = sum(not delete(item) for item in ordered)
    click.echo(f"deleted from {shelf.root}" + (f"; {busy:,} had come into use" if busy else ""))


def _bytes(items: Iterable[Item]) -> str:
    total = float(sum(item.size for item in items))
    for unit in ("B", "kB", "MB"):
        if total < 1000:
            return f"{total:.0f} B" if unit == "B" else f"{total:.1f} {unit}"
        total /= 1000
    return f"{total:.1f} GB"
