"""What commands share: options for paths, and what an interruption says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from kdlib.folders import absolute
from kdlib.lifeline import Terminated


class AbsolutePath(click.Path):
    """A path that is made absolute where it comes in: workers and callers may change folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Refuse what is no path, or a home that nobody knows."""
        name = param.opts[0] if param else "path"
        return super().convert(absolute(value, name), param, ctx)


FOLDER = AbsolutePath(path_type=Path, file_okay=False)
FILE = AbsolutePath(path_type=Path, dir_okay=False)
root_option = click.option(
    "--store",
    "root",
    type=FOLDER,
    help="The store's folder  [default: KDLIB_STORE, else the user's cache]",
)


@contextmanager
def keeps_finished_runs() -> Iterator[None]:
    """Say, where an interruption or SIGTERM ends the block, that nothing finished is lost."""
    try:
        yield
    except KeyboardInterrupt as interruption:
        click.echo("\nstopped: finished runs are kept; the same command goes on", err=True)
        raise SystemExit(exit_code(interruption)) from None


def exit_code(interruption: KeyboardInterrupt) -> int:
    """What a shell expects of a program that a signal ended: 128 and the signal's number."""
    return 143 if isinstance(interruption, Terminated) else 130
