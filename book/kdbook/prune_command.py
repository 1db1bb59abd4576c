"""``kdlib study prune``: deletes the runs of studies that nobody needs any more."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import click

from kdlib.errors import SettingError
from kdlib.store_commands import prune_items, prune_options

_PROFILES = ("quick", "standard", "paper")


@click.command()
@click.argument("name", required=False)
@click.option("--profile", type=click.Choice(_PROFILES), help="[default: all of them]")
@prune_options
def prune(
    name: str | None, profile: str | None, older_than: float, yes: bool, root: Path | None
) -> None:
    """Say which finished runs are only those of a study, or of a profile; delete them with --yes.

    Runs are told by the default settings of the studies. What another study or profile asks for
    stays, and so does what a training uses just now.
    """
    if name is None and profile is None:
        raise SettingError("name a study, a --profile or both")
    asked = _asked_for(name, profile)
    prune_items(root, older_than, yes, lambda item: item.kind == "finished" and item.id in asked)


def _asked_for(name: str | None, profile: str | None) -> set[str]:
    """Ids of the runs that the study and the profile ask for, and no other."""
    from kdbook.chapters import STUDIES, study

    if name is not None:
        study(name)  # refuses an unknown name
    inside: set[str] = set()
    outside: set[str] = set()
    for one in STUDIES:
        for scale in _PROFILES:
            matches = name in (None, one) and profile in (None, scale)
            (inside if matches else outside).update(_ids(one, scale))
    return inside - outside


@cache
def _ids(name: str, profile: str) -> frozenset[str]:
    """Of a study's runs at its default settings, and of all that these build on."""
    from kdbook.chapters import study

    kind = study(name)
    if not kind.trains:
        return frozenset()
    waiting, found = [*kind(kind.Settings(profile=profile)).runs()], set()
    while waiting:
        spec = waiting.pop()
        if spec not in found:
            found.add(spec)
            waiting += spec.parents()
    return frozenset(spec.id for spec in found)
