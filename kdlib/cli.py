"""The ``kdlib`` command: the audit, the store of runs, and what plug-ins bring, as the book does.

A plug-in is a click command that a package names as an entry point of the group ``kdlib.commands``.
"""

from __future__ import annotations

import io
import os
import warnings
from contextlib import nullcontext, redirect_stdout
from functools import cache
from typing import TYPE_CHECKING, Any

import click

import kdlib
from kdlib.audit_command import audit
from kdlib.data_command import data
from kdlib.errors import KdlibError, SettingError
from kdlib.exchange_commands import export, import_
from kdlib.lifeline import Terminated, interrupt_at_sigterm
from kdlib.names import choices
from kdlib.options import exit_code
from kdlib.store_commands import store

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

PLUGINS = "kdlib.commands"
_formatwarning = warnings.formatwarning
_OF_THE_BOOK = ("book", "evidence", "reproduce", "study", "verify", "workshop")
_INSTALL = "pip install 'kdlib[book]'"


class _Group(click.Group):
    """A group with the plug-ins' commands too, which shows kdlib's errors as one line each."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *_plugins()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        if cmd_name in _plugins():
            return _loaded(_plugins()[cmd_name])
        return _unusable(cmd_name, "kdbook") if cmd_name in _OF_THE_BOOK else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, but an unknown name is answered with the one that was meant."""
        if self.get_command(ctx, args[0]) is None and not args[0].startswith("-"):
            ctx.fail(f"No such command {args[0]!r}: {choices(args[0], self.list_commands(ctx))}.")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KdlibError as error:
            raise click.ClickException(str(error)) from error
        except Terminated as interruption:
            click.echo("stopped", err=True)
            raise SystemExit(exit_code(interruption)) from None
        except OSError as error:
            if error.filename is None:  # a pipe that was closed, say: click knows what to do
                raise
            raise click.ClickException(f"{error.filename}: {error.strerror}") from error


@cache
def _plugins() -> dict[str, EntryPoint]:
    """The commands that installed packages bring, by name; none is imported yet."""
    from importlib.metadata import entry_points  # takes 20 ms, which `kdlib store` can spare

    return {found.name: found for found in entry_points(group=PLUGINS)}


def _loaded(plugin: EntryPoint) -> click.Command:
    try:
        command: click.Command = plugin.load()
    except ModuleNotFoundError as error:
        return _unusable(plugin.name, str(error.name))
    return command


def _unusable(name: str, missing: str) -> click.Command:
    """A command that says, whatever follows its name, which package it lacks."""
    how = f": {_INSTALL}" if name in _OF_THE_BOOK else ""
    reason = f"kdlib {name} needs {missing}, which is not installed{how}"

    def refuse() -> None:
        raise SettingError(reason)

    anything = {"ignore_unknown_options": True, "allow_extra_args": True}
    return click.Command(
        name, callback=refuse, help=reason, add_help_option=False, context_settings=anything
    )


@click.group(name="kdlib", cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(kdlib.__version__, prog_name="kdlib")
def cli() -> None:
    """Does distilling a model harm its rare classes?

    Audit predictions of your own; check a data set in folders; read the store of finished runs;
    where the book is installed, run the papers' studies and build its pages.
    """


cli.add_command(audit)
cli.add_command(data)
cli.add_command(store)
store.add_command(export)
store.add_command(import_)


def is_first() -> bool:
    """Whether this is the one process, or the first of those that ``torchrun`` started."""
    return "TORCHELASTIC_RUN_ID" not in os.environ or os.environ.get("RANK") == "0"


def _warning_in_words(
    message: Warning | str, category: type[Warning], *place: Any, **line: Any
) -> str:
    """Of kdlib's own warnings the text alone; others say where they come from."""
    if category.__module__.startswith(("kdlib", "kdbook")):
        return f"warning: {message}\n"
    return _formatwarning(message, category, *place, **line)


def main() -> None:
    """Entry point of the ``kdlib`` command; of processes of ``torchrun`` the first one prints."""
    warnings.formatwarning = _warning_in_words
    interrupt_at_sigterm()
    with nullcontext() if is_first() else redirect_stdout(io.StringIO()):
        cli(prog_name="kdlib")
