"""Writes the workshop into a folder: all that a teacher hands out, shows and reads."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

from kdbook.chapters.trusting_the_teacher_less import TrustingTheTeacherLess
from kdbook.press.address import notebook_text, read_address
from kdbook.press.build import alone
from kdbook.press.chapters import ChapterJob, Say, default_jobs, run_side_by_side
from kdbook.press.errors import ChapterError
from kdbook.press.notebooks import Notebook, read_notebook
from kdbook.press.project import Project
from kdbook.press.toc import Page
from kdbook.workshop.deck import deck, page
from kdbook.workshop.logits import FILE, Logits, make_logits
from kdbook.workshop.plans import in_markdown
from kdbook.workshop.units import Unit, for_instructors, for_students, read_units
from kdlib.files import write_atomically, written_atomically
from kdlib.runs import Store

UNITS = Path("book") / "workshop"
"""Where the units lie in a checkout."""
_DATE = (1980, 1, 1, 0, 0, 0)


def make_workshop(
    project: Project, out: Path, asked: TrustingTheTeacherLess, store: Store, say: Say,
    *, cell_timeout: int | None = None,
) -> None:  # fmt: skip
    """Write all of it; runs that the store lacks are trained first.

    Args:
        project: the checkout.
        out: the folder. Files of the workshop that are there are replaced, others stay.
        asked: as ``kdbook.workshop.logits.workshop_study`` gives it.
        store: where the runs lie.
        say: takes a line of progress.
        cell_timeout: seconds that a cell may take.

    Raises:
        SettingError: a unit's tags are wrong, or a plan does not add up.
        KdlibError: a run is not finished.
        ChapterError: units do not run, a line each; the others have their slides.
    """
    units, address = read_units(project.root / UNITS), read_address(project.root)
    plans = in_markdown(units)
    make_logits(out / FILE, asked, store)
    source = f"Long-tailed digits; {Logits(out / FILE).source}"
    say(f"  {FILE}: {(out / FILE).stat().st_size / 1e6:.1f} MB")
    for unit in units:
        _write(out / "students" / f"{unit.name}.ipynb", for_students(unit, address))
        _write(_solved(out, unit), for_instructors(unit, address))
    _zip_students(out, units)
    write_atomically(out / "index.html", page("Workshop", _contents(units, plans)).encode())
    _write_slides(project, out, units, source, say, cell_timeout)


def _write_slides(
    project: Project, out: Path, units: Sequence[Unit], source: str, say: Say,
    cell_timeout: int | None,
) -> None:  # fmt: skip
    """Run the notebooks for instructors as chapters are; slides of each that runs to its end."""
    jobs = {_job(project, out, unit, cell_timeout): unit for unit in units}
    with alone(project.staging("workshop")):
        failures = run_side_by_side(list(jobs), default_jobs(), say)
    for job, unit in jobs.items():
        if job not in failures:
            executed = read_notebook(job.output)
            assert executed is not None, "a unit that ran well left a notebook"
            slides = deck(unit, executed, source)
            write_atomically(out / "slides" / f"{unit.name}.html", slides.encode())
    if failures:
        raise ChapterError("\n".join(failures.values()))


def _job(project: Project, out: Path, unit: Unit, cell_timeout: int | None) -> ChapterJob:
    """It runs where the logits lie above it; cells are numbered as in the notebook that runs."""
    solved = _solved(out, unit)
    output = project.staging("workshop") / solved.name
    log = project.log(f"workshop-{unit.name}")
    page = Page((UNITS / unit.name).as_posix(), solved)
    return ChapterJob(page, "", {}, output, log, cell_timeout, folder=solved.parent)


def _solved(out: Path, unit: Unit) -> Path:
    return out / "instructors" / f"{unit.name}.ipynb"


def _write(path: Path, notebook: Notebook) -> None:
    write_atomically(path, notebook_text(notebook).encode())


def _zip_students(out: Path, units: Sequence[Unit]) -> None:
    """What each student unpacks. The same files give the same bytes."""
    paths = [out / "students" / f"{unit.name}.ipynb" for unit in units]
    with written_atomically(out / "students.zip") as stream, zipfile.ZipFile(stream, "w") as zipped:
        for path in (out / FILE, *paths):
            entry = zipfile.ZipInfo(f"workshop/{path.name}", _DATE)
            zipped.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)


def _contents(units: Sequence[Unit], plans: str) -> str:
    lines = [
        f"* {unit.title}: [slides](slides/{unit.name}.html), "
        f"[students](students/{unit.name}.ipynb), [instructors](instructors/{unit.name}.ipynb)"
        for unit in units
    ]
    listed = "\n".join(lines)
    return (
        f"# Workshop: who pays for distillation?\n\nHand out [students.zip](students.zip): the "
        f"notebooks, and the logits, so that nobody trains.\n\n{listed}\n\n## Plans\n\n{plans}\n"
    )
