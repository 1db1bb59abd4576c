"""``kdlib book``: build the book, print it, show or set the repository's address."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from keyword import iskeyword
from math import isfinite

import click

from kdbook.places import RECORDED, RUNS, folder_to_record
from kdbook.press.address import disagreements, is_settled, read_address, set_address
from kdbook.press.build import PROFILES, BuildSettings, build_book
from kdbook.press.inputs import Parameter
from kdbook.press.pdf import make_pdf
from kdbook.press.project import find_project
from kdbook.press.serve import server
from kdbook.press.toc import read_pages, select_pages
from kdlib.errors import KdlibError, SettingError
from kdlib.options import keeps_finished_runs


class _OneLineErrors(click.Group):
    """Shows errors that a user can mend as one line each, without a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except KdlibError as error:
            raise click.ClickException(str(error)) from error


@click.group("book", cls=_OneLineErrors)
def book() -> None:
    """Build the book of the checkout that you are in."""


@book.command("build")
@click.option(
    "--profile", default="quick", show_default=True, help=f"One of {', '.join(PROFILES)}."
)
@click.option("--chapters", default="", metavar="NAMES", help="Run only these (space between).")
@click.option("--parameter", "-p", "parameters", multiple=True, metavar="NAME=VALUE",
              help="A further parameter for the chapters that run; VALUE as in JSON.")  # fmt: skip
@click.option("--jobs", type=int, default=None, help="Chapters side by side [default: up to 2].")
@click.option("--force", is_flag=True, help="Run chapters again whose inputs did not change.")
@click.option("--train", is_flag=True, help="Show no recorded runs: train all of them here.")
@click.option("--cell-timeout", type=int, metavar="SECONDS",
              help="Stop a chapter where one cell takes longer  [default: no limit].")  # fmt: skip
def build(
    profile: str, chapters: str, parameters: tuple[str, ...], jobs: int | None, force: bool,
    train: bool, cell_timeout: int | None,
) -> None:  # fmt: skip
    """Run the chapters with papermill and build the pages with Jupyter Book."""
    settings = BuildSettings.parse(
        profile=profile, chapters=tuple(chapters.split()), jobs=jobs, force=force,
        parameters=parse_parameters(parameters), cell_timeout=cell_timeout,
    )  # fmt: skip
    if train:
        os.environ[RECORDED] = "0"
    click.echo(f"Building the book at profile {profile}")
    with keeps_finished_runs():
        built = build_book(find_project(), settings, click.echo)
    if built.reused:
        click.echo(f"  not run, inputs unchanged: {', '.join(built.reused)}")
    click.echo(f"The book is ready after {built.seconds:.0f} s: {built.url}")


def parse_parameters(pairs: Sequence[str]) -> dict[str, Parameter]:
    """Parameters from ``NAME=VALUE``; a value that is no JSON is taken as text.

    Raises:
        SettingError: A pair lacks its ``=``, or its value is an object or a list of lists.
    """
    return dict(_parse_parameter(pair) for pair in pairs)


def _parse_parameter(pair: str) -> tuple[str, Parameter]:
    name, equals, text = pair.partition("=")
    # Papermill writes the name into the notebook as it is.
    if not equals or not name.isidentifier() or iskeyword(name) or name == "profile":
        raise SettingError(f"parameter {pair!r} is not allowed: use NAME=VALUE (not for profile)")
    try:
        value = json.loads(text)
    except ValueError:
        return name, text
    if not all(map(_is_plain, value if isinstance(value, list) else [value])):
        allowed = "a number, text, true, false, null or a list of these"
        raise SettingError(f"parameter {pair!r} is not allowed: use {allowed}")
    return name, value


def _is_plain(value: object) -> bool:
    """Whether it is a value that a notebook can be told: no object, list, NaN or infinity."""
    return not isinstance(value, list | dict) and (not isinstance(value, float) or isfinite(value))


@book.command("shelve")
def shelve() -> None:
    """Run every chapter from runs trained here, and keep these runs in book/results/runs.

    Pages show them where nothing was trained. They are kept without weights, in a few MB.
    """
    from kdbook.press.shelve import shelve as keep

    with keeps_finished_runs():
        counts = keep(find_project(), folder_to_record() / RUNS, click.echo)
    click.echo(f"{folder_to_record() / RUNS}: {sum(counts.values()):,} runs")


@book.command("pdf")
@click.option("--pages", default="", metavar="NAMES", help="Print only these (space between).")
def pdf(pages: str) -> None:
    """Print the built pages into one file, with Chromium."""
    project = find_project()
    chosen = select_pages(read_pages(project.root), pages.split())
    target = project.build / "book.pdf"
    sheets = make_pdf(project.html, chosen, target, click.echo)
    click.echo(f"{sheets} sheets: {target}")


@book.command("serve")
@click.option("--port", default="8000", show_default=True, help="1 to 65535.")
def serve(port: str) -> None:
    """Serve the built pages on this machine only."""
    with server(find_project().html, port) as listening:
        click.echo(f"http://127.0.0.1:{listening.server_port}/ (Ctrl-C ends it)")
        with suppress(KeyboardInterrupt):
            listening.serve_forever()


@book.command("address")
@click.argument("url", required=False)
def address(url: str | None) -> None:
    """Show the repository's address, or set it to URL everywhere that it is used."""
    root = find_project().root
    for path in set_address(root, url) if url else []:
        click.echo(f"changed {path.relative_to(root)}")
    current = read_address(root)
    click.echo(current if is_settled(current) else f"{current} (a placeholder: not settled)")
    for complaint in disagreements(root):
        click.echo(f"warning: {complaint}", err=True)
