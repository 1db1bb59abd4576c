"""``kdlib book``: build the book, show or set the repository's address."""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import isfinite

import click

from kdbook.press.address import disagreements, is_settled, read_address, set_address
from kdbook.press.build import PROFILES, BuildSettings, build_book
from kdbook.press.inputs import Scalar
from kdbook.press.project import find_project
from kdlib.errors import KdlibError, SettingError


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
def build(
    profile: str, chapters: str, parameters: tuple[str, ...], jobs: int | None, force: bool
) -> None:
    """Run the chapters with papermill and build the pages with Jupyter Book."""
    settings = BuildSettings.parse(
        profile=profile, chapters=tuple(chapters.split()), jobs=jobs, force=force,
        parameters=parse_parameters(parameters),
    )  # fmt: skip
    click.echo(f"Building the book at profile {profile}")
    built = build_book(find_project(), settings, click.echo)
    if built.reused:
        click.echo(f"  not run, inputs unchanged: {', '.join(built.reused)}")
    click.echo(f"The book is ready after {built.seconds:.0f} s: {built.url}")


def parse_parameters(pairs: Sequence[str]) -> dict[str, Scalar]:
    """Parameters from ``NAME=VALUE``; a value that is no JSON scalar is taken as text.

    Raises:
        SettingError: A pair lacks its ``=``, or its value is a list or an object.
    """
    return dict(_parse_parameter(pair) for pair in pairs)


def _parse_parameter(pair: str) -> tuple[str, Scalar]:
    name, equals, text = pair.partition("=")
    if not equals or not name.isidentifier() or name == "profile":
        raise SettingError(f"parameter {pair!r} is not allowed: use NAME=VALUE (not for profile)")
    try:
        value = json.loads(text)
    except ValueError:
        return name, text
    endless = isinstance(value, float) and not isfinite(value)  # NaN and infinities
    if endless or isinstance(value, list | dict):
        raise SettingError(f"parameter {pair!r} is not allowed: use a number, text, true or null")
    return name, value


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
