"""``kdlib study record`` and ``kdlib study matrix``: results on paper, and beside the papers'."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kdbook.cluster_options import cluster_options, trained_first, wants_cluster
from kdbook.options import asked_for, scale_options
from kdlib.errors import SettingError
from kdlib.options import FILE, FOLDER, keeps_finished_runs

if TYPE_CHECKING:
    from kdbook.study import Study

_into = click.option(
    "--into",
    type=FOLDER,
    show_default="book/results of the checkout",
    help="The folder of records.",
)


@click.command()
@click.argument("names", nargs=-1)
@scale_options
@cluster_options
@click.option("--all", "every", is_flag=True, help="Every study that there is.")
@click.option(
    "--again",
    is_flag=True,
    help="Every record that the folder holds at this profile, at the settings that it names.",
)
@click.option(
    "--finished-only",
    is_flag=True,
    help="Train nothing: record what the store holds, and how many runs it lacks.",
)
@_into
def record(
    names: tuple[str, ...],
    profile: str,
    seeds: int | None,
    values: tuple[str, ...],
    into: Path | None,
    every: bool,
    again: bool,
    **how: Any,
) -> None:
    """Train what is missing, then write each study's per-seed table and where it came from."""
    from kdbook.places import folder_to_record

    if wants_cluster(how) and how["finished_only"]:
        raise SettingError("--finished-only trains nothing: name no cluster")
    folder = folder_to_record(into)
    if again:
        if names or every or values or seeds is not None:
            raise SettingError("--again takes names and settings from the records: name none")
        wanted = _recorded(folder, profile)
    else:
        chosen = _chosen(names, every)
        wanted = [asked_for(name, profile, seeds, values) for name in chosen]
    with keeps_finished_runs():
        for one in wanted:
            _record_one(one, folder, **how)


@click.command()
@click.option(
    "--paper",
    default="teachers_pet",
    show_default=True,
    help="Whose numbers: teachers_pet or robust_distillation.",
)
@_into
@click.option("--out", type=FILE, help="Write CSV instead of printing.")
def matrix(paper: str, into: Path | None, out: Path | None) -> None:
    """Every published number beside what was recorded here, with a verdict by a stated rule."""
    from kdbook.reproduction import all_records, export, reproduction, summary
    from kdlib.files import write_atomically

    records = all_records(into)
    if not records:
        raise SettingError(f"--into {into} holds no record: name a folder of records")
    found = reproduction(paper, records)
    if out is None:
        click.echo(export(found), nl=False)
        return
    write_atomically(out, export(found).encode())
    click.echo(f"{out}\n{summary(found).to_string(index=False)}")


def _chosen(names: tuple[str, ...], every: bool) -> tuple[str, ...]:
    from kdbook.chapters import STUDIES

    if every == bool(names):
        raise SettingError(f"name studies, or write --all for all of them: {', '.join(STUDIES)}")
    return tuple(STUDIES) if every else names


def _recorded(into: Path, profile: str) -> list[Study]:
    """The study of each record of that profile, at its settings."""
    from kdbook.chapters import study
    from kdbook.records import read_records

    found = [record.about for record in read_records(into) if record.about.profile == profile]
    if not found:
        raise SettingError(f"--again: {into} holds no record at the profile {profile}")
    return [study(about.study).parse(profile=profile, **about.settings) for about in found]


def _record_one(
    study: Study, into: Path, *, root: Path | None, finished_only: bool, **how: Any
) -> None:
    from kdbook.records import record as recorded
    from kdbook.records import write_record
    from kdlib.runs import Store
    from kdlib.training import processes

    store = Store(root)
    rest = trained_first(study.runs() if study.trains else [], store, how)
    made = recorded(study, store=store, finished_only=finished_only, **rest)
    if not processes.is_first():
        return
    path = write_record(into, made)
    missing = f", {made.about.missing_runs} runs missing" if made.about.missing_runs else ""
    click.echo(f"{path}: {len(made.table)} rows{missing}")
