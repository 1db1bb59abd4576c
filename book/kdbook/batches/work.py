"""Runs a batch: the trainings first, each once, then the notebooks that can run."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kdbook.batches.items import Item
from kdbook.press import cache
from kdbook.press.build import keep_executed
from kdbook.press.chapters import ChapterJob, Say, default_jobs, run_side_by_side
from kdbook.press.inputs import input_key
from kdbook.press.notebooks import check_parameters
from kdbook.press.project import Project
from kdlib.runs import RunSpec

Status = Literal["ran", "reused", "failed", "not run"]
Train = Callable[[Sequence[RunSpec]], dict[RunSpec, str]]
"""Trains what the store lacks; returns what failed, and why."""


@dataclass(frozen=True)
class Fate:
    """What became of an item.

    Attributes:
        status: ``reused`` is a notebook that ran before with the same inputs; ``not run`` one of
            which a run failed, or which was left out after an interruption.
        seconds: that its notebook took.
        why: it failed or did not run, in one line.
        notebook: that it left, failed or not.
    """

    status: Status
    seconds: float = 0.0
    why: str = ""
    notebook: Path | None = None

    @property
    def is_well(self) -> bool:
        """Whether all of it is there."""
        return self.status in ("ran", "reused")


@dataclass(frozen=True)
class Worked:
    """What became of a batch: of each item, and the runs that failed, with reasons."""

    fates: Mapping[Item, Fate]
    failed_runs: Mapping[RunSpec, str]


def run_batch(
    items: Sequence[Item], train: Train, project: Project | None, out: Path, say: Say,
    *, cell_timeout: int | None = None, force: bool = False,
) -> Worked:  # fmt: skip
    """Train what the items need, then run their notebooks. What fails stops only what needs it.

    Args:
        items: chapters and studies at their points.
        train: is given all runs that they need.
        project: the book; needed where an item has a notebook.
        out: the executed notebooks go below it.
        say: takes a line of progress.
        cell_timeout: seconds that a cell may take.
        force: run notebooks again whose inputs did not change.
    """
    failed = train(list(dict.fromkeys(spec for item in items for spec in item.runs)))
    fates = {item: _before(item, failed) for item in items}
    waiting = [item for item in items if item.page is not None and fates[item].is_well]
    if waiting and project is not None:
        fates |= _run_notebooks(waiting, project, out, say, cell_timeout, force)
    return Worked(fates, failed)


def _before(item: Item, failed: Mapping[RunSpec, str]) -> Fate:
    """What is known of an item once the trainings are over."""
    broken = [spec for spec in item.runs if spec in failed]
    if not broken:
        return Fate("ran")
    more = f", and {len(broken) - 1} more of its runs" if len(broken) > 1 else ""
    first = broken[0]
    return Fate("not run", why=f"run {first.id} ({first.label()}): {failed[first]}{more}")


def _run_notebooks(
    items: Sequence[Item], project: Project, out: Path, say: Say,
    cell_timeout: int | None, force: bool,
) -> dict[Item, Fate]:  # fmt: skip
    (out / "notebooks").mkdir(parents=True, exist_ok=True)
    jobs = {_job(item, project, out, cell_timeout): item for item in items}
    reused = {job for job in jobs if not force and _reuse(job, project, jobs[job].profile)}
    to_run = [job for job in jobs if job not in reused]
    for job in to_run:
        check_parameters(job.page, job.parameters)
    seconds: dict[ChapterJob, float] = {}
    failures = run_side_by_side(to_run, default_jobs(), say, seconds.__setitem__) if to_run else {}
    for job in to_run:
        if job not in failures:
            keep_executed(project, jobs[job].profile, job)
    return {
        item: Fate("reused", notebook=job.output) if job in reused
        else _fate(job, seconds[job], failures.get(job))
        for job, item in jobs.items()
    }  # fmt: skip


def _job(item: Item, project: Project, out: Path, cell_timeout: int | None) -> ChapterJob:
    assert item.page is not None, "only pages are run"
    key = input_key(item.page, item.passed)
    output = out / "notebooks" / f"{item.file}.ipynb"
    log = project.log(f"reproduce-{item.file}")
    return ChapterJob(item.page, key, item.passed, output, log, cell_timeout, str(item))


def _reuse(job: ChapterJob, project: Project, profile: str) -> bool:
    found = cache.find(project.executed(profile), job.key)
    if found is not None:
        shutil.copyfile(found, job.output)
    return found is not None


def _fate(job: ChapterJob, seconds: float, failure: str | None) -> Fate:
    notebook = job.output if job.output.is_file() else None
    return Fate("failed" if failure else "ran", seconds, failure or "", notebook)
