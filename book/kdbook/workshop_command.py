"""``kdlib workshop``: notebooks, slides, plans, and a file of logits."""

from __future__ import annotations

from pathlib import Path

import click

from kdlib.options import FOLDER, keeps_finished_runs, root_option


@click.command()
@click.option(
    "--out", type=FOLDER, show_default="_build/workshop of the book", help="Where it goes."
)
@root_option
def workshop(out: Path | None, root: Path | None) -> None:
    """Write a workshop on who pays for distillation, from book/workshop of the checkout.

    Notebooks for students (with stubs and checks) and for instructors (with solutions, minutes and
    notes), slides that need no network, two plans, and students.zip to hand out. The first time 70
    small networks are trained, which takes minutes; safe to kill and to call again.
    """
    from kdbook.press.project import find_project
    from kdbook.workshop.logits import workshop_study
    from kdbook.workshop.make import make_workshop
    from kdlib.runs import Store

    project = find_project()
    folder = out or project.build / "workshop"
    click.echo(f"Writing the workshop into {folder}")
    with keeps_finished_runs():
        make_workshop(project.root, folder, workshop_study(), Store(root), click.echo)
    click.echo(f"The workshop is ready: {(folder / 'index.html').as_uri()}")
