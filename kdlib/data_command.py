"""``kdlib data``: look at a data set in folders before anything trains on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kdlib.options import FOLDER

if TYPE_CHECKING:
    from kdlib.data.layouts import Listing


@click.command()
@click.argument("name")
@click.option("--data", "root", type=FOLDER, help="The data folder  [default: KDLIB_DATA]")
@click.option("--names-only", is_flag=True, help="Open no image: look at folders and lists alone.")
def data(name: str, root: Path | None, names_only: bool) -> None:
    """See that a large data set is whole: its folders, its lists, and every image.

    NAME is imagenet, imagenet_lt, inaturalist2018 or tinyimagenet. All that is wrong is listed, one
    line each, and the command ends with 1. Every image is decoded once, on all cores.
    """
    from kdlib.data.files import data_root
    from kdlib.data.image_folders import PUBLISHED, checked_listing
    from kdlib.data.layouts import LAYOUTS
    from kdlib.validated import check_choice

    check_choice("name", name, tuple(PUBLISHED))
    wrong: list[str] = []
    listing = checked_listing(name, root or data_root(), wrong)
    if not names_only:
        wrong += _unreadable(listing)
    for line in wrong:
        click.echo(line)
    click.echo("; ".join(_counts(listing)))
    if wrong:
        click.echo(f"{name}: {len(wrong):,} faults; expected is {LAYOUTS[name]}", err=True)
        raise SystemExit(1)


def _unreadable(listing: Listing) -> list[str]:
    from kdlib.data.image_folders import paths_of, unreadable_images
    from kdlib.training.progress import progress

    paths = paths_of(listing)
    with progress("decoding", "image", total=len(paths), shown=bool(paths)) as bar:
        return list(unreadable_images(paths, bar.update))


def _counts(listing: Listing) -> Iterator[str]:
    """How many classes and images there are."""
    yield f"{len(listing.class_names):,} classes"
    for what, part in (("training", listing.train), ("held-out", listing.held_out)):
        yield f"{len(part):,} {what} images"
