"""``kdlib workshop``: notebooks, slides, plans, and a file of logits."""

from __future__ import annotations

from pathlib import Path

import click

from kdlib.options import FOLDER, keeps_finished_runs, root_option


@click.command()
@click.option(
    "--out", type=FOLDER, show_default="_build/workshop of the book", help="Where it goes."
)
@click.option("--cell-timeout", type=click.IntRange(1, 604_800), metavar="SECONDS", default=600,
              show_default=True, help="Stop a unit where one cell takes longer.")  # fmt: skip
@root_option
def workshop(out: Path | None, cell_timeout: int, root: Path | None) -> None:
    """Write a workshop on who pays for distillation, from book/workshop of the checkout.

    Notebooks for students (with stubs and checks) and for instructors (with solutions, minutes and
    notes), slides that need no network, two plans, and students.zip to hand out. The first time 70
    small networks are trained, which takes minutes; safe to kill and to call again. Ends with 1
    where a unit does not run; the others are written.
    """
    from kdbook.press.project import find_project
    from kdbook.workshop.logits import workshop_study
    from kdbook.workshop.make import make_workshop
    from kdlib.runs import Store

    project = find_project()
    folder = out or project.build / "workshop"
    click.echo(f"Writing the workshop into {folder}")
    with keeps_finished_runs():
        make_workshop(
            project, folder, workshop_study(), Store(root), click.echo, cell_timeout=cell_timeout
        )
    click.echo(f"The workshop is ready: {(folder / 'index.html').as_uri()}")
