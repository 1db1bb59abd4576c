"""Puts the runs that the book's pages ask for on the shelf: ``book/results/runs``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from kdbook.chapters import FROM_RECORD, STUDIES, study
from kdbook.places import RECORDED
from kdbook.press.build import BuildSettings, plan
from kdbook.press.chapters import Say, default_jobs, run_side_by_side
from kdbook.press.errors import ChapterError
from kdbook.press.project import Project
from kdbook.press.toc import read_pages
from kdbook.press.train_ahead import train_ahead, wanted_studies
from kdbook.shelf.shelf import READ
from kdbook.shelf.writing import write_part
from kdlib.runs import RunSpec, Store
from kdlib.runs.spec import with_parents

FURTHER = "further"
"""The part of the runs that no study names: those of exercises and comparisons."""


def shelve(project: Project, folder: Path, say: Say = print) -> dict[str, int]:
    """Run every chapter at ``quick`` from runs trained here, and keep all that it asks for.

    Args:
        project: the book.
        folder: of the shelf; parts that no longer have a run are removed.
        say: takes a line of progress.

    Returns:
        How many runs each part holds.

    Raises:
        ChapterError: chapters failed; the message has one line for each.
    """
    torch.set_num_threads(1)  # tiny images: a second thread only waits
    with TemporaryDirectory() as scratch:
        read = Path(scratch, "read")
        read.mkdir()
        with _environment({RECORDED: "0", READ: str(read)}):
            _run_all(Project.at(project.root, build=Path(scratch, "build")), say)
        specs = _noted(read)
    store = Store()
    parts = _by_part(specs)
    for name, members in parts.items():
        write_part(folder, name, [store.finished(spec) for spec in members])
        say(f"  {name}: {len(members)} runs")
    _remove_others(folder, parts)
    return {name: len(members) for name, members in parts.items()}


def _run_all(project: Project, say: Say) -> None:
    pages = [page for page in read_pages(project.root) if page.runs]
    jobs = plan(project, BuildSettings(), pages)
    for job in jobs:
        job.output.parent.mkdir(parents=True, exist_ok=True)
    train_ahead(wanted_studies([(job.page, job.parameters) for job in jobs]))
    failures = run_side_by_side(jobs, default_jobs(), say)
    if failures:
        raise ChapterError("\n".join(failures.values()))


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _noted(folder: Path) -> list[RunSpec]:
    """The runs that any process was asked for and those that they build on, each once."""
    lines = {line for path in folder.iterdir() for line in path.read_text("utf-8").splitlines()}
    return with_parents(RunSpec.model_validate_json(line) for line in sorted(lines))


def _by_part(specs: Sequence[RunSpec]) -> dict[str, list[RunSpec]]:
    """Each run in the part of the first study that names it, or in the last part."""
    place = dict(_places())
    parts: dict[str, list[RunSpec]] = {}
    for spec in specs:
        parts.setdefault(place.get(spec.id, FURTHER), []).append(spec)
    return parts


def _places() -> Iterable[tuple[str, str]]:
    """Pairs of a run's id and the study whose page trains it; of several the first comes last."""
    first = {page: name for name, page in reversed(STUDIES.items())}  # the last page first
    for name in (one for one in first.values() if one not in FROM_RECORD):
        asked = study(name).parse(profile="quick")
        yield from ((spec.id, name) for spec in (asked.runs() if asked.trains else []))


def _remove_others(folder: Path, parts: Iterable[str]) -> None:
    for path in folder.iterdir():
        if path.stem not in parts:
            path.unlink()
