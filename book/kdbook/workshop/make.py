"""Writes the workshop into a folder: all that a teacher hands out, shows and reads."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from kdbook.chapters.trusting_the_teacher_less import TrustingTheTeacherLess
from kdbook.press.address import notebook_text, read_address
from kdbook.press.notebooks import Notebook
from kdbook.workshop.deck import deck, page
from kdbook.workshop.logits import FILE, Logits, make_logits
from kdbook.workshop.plans import in_markdown
from kdbook.workshop.units import Unit, for_instructors, for_students, read_units
from kdlib.errors import KdlibError
from kdlib.files import write_atomically, written_atomically
from kdlib.runs import Store

UNITS = Path("book") / "workshop"
"""Where the units lie in a checkout."""
_QUIET = ["--log-level=40"]  # a kernel warns of its own sockets
_DATE = (1980, 1, 1, 0, 0, 0)


class WorkshopError(KdlibError):
    """A unit does not run from its first cell to its last."""


def make_workshop(
    root: Path, out: Path, asked: TrustingTheTeacherLess, store: Store, say: Callable[[str], None]
) -> None:
    """Write all of it; runs that the store lacks are trained first.

    Args:
        root: the checkout.
        out: the folder. Files of the workshop that are there are replaced, others stay.
        asked: as ``kdbook.workshop.logits.workshop_study`` gives it.
        store: where the runs lie.
        say: takes a line of progress.

    Raises:
        SettingError: a unit's tags are wrong, or a plan does not add up.
        WorkshopError: a unit does not run.
    """
    units, address = read_units(root / UNITS), read_address(root)
    plans = in_markdown(units)
    make_logits(out / FILE, asked, store)
    source = f"Long-tailed digits; {Logits(out / FILE).source}"
    say(f"  {FILE}: {(out / FILE).stat().st_size / 1e6:.1f} MB")
    for unit in units:
        _write(out / "students" / f"{unit.name}.ipynb", for_students(unit, address))
        solved = out / "instructors" / f"{unit.name}.ipynb"
        _write(solved, for_instructors(unit, address))
        slides = deck(unit, executed(solved), source)
        write_atomically(out / "slides" / f"{unit.name}.html", slides.encode())
        say(f"  {unit.name}: {unit.minutes(longer=False)} to {unit.minutes(longer=True)} minutes")
    _zip_students(out, units)
    write_atomically(out / "index.html", page("Workshop", _contents(units, plans)).encode())


def executed(notebook: Path) -> Notebook:
    """The notebook after it ran in its folder.

    Raises:
        WorkshopError: a cell failed.
    """
    from kdbook.quick_imports import skip_slow_imports

    skip_slow_imports()
    import papermill

    with TemporaryDirectory() as folder:
        target = Path(folder) / notebook.name
        try:
            papermill.execute_notebook(
                notebook, target, cwd=notebook.parent, kernel_name="python3", progress_bar=False,
                extra_arguments=_QUIET,
            )  # fmt: skip
        except papermill.PapermillExecutionError as error:
            raise WorkshopError(f"{notebook.stem}: {error.ename}: {error.evalue}") from error
        return json.loads(target.read_text(encoding="utf-8"))


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
