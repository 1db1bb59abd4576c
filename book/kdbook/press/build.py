"""``make book``: stage, run the chapters whose inputs changed, build the pages."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

from filelock import FileLock, Timeout
from pydantic import Field

from kdbook.press import cache
from kdbook.press.chapters import ChapterJob, Say, default_jobs, run_side_by_side
from kdbook.press.errors import ChapterError, PressError
from kdbook.press.inputs import Parameter, input_key
from kdbook.press.notebooks import check_parameters, passed_parameters, read_notebook
from kdbook.press.project import Project
from kdbook.press.site import check_finishing_tools, check_jupyter_book, publish, restore
from kdbook.press.staging import stage, stage_unrun
from kdbook.press.toc import Page, read_pages, select_chapters
from kdbook.press.train_ahead import train_ahead, wanted_studies
from kdlib.validated import Frozen

Profile = Literal["quick", "standard", "paper"]
PROFILES: tuple[str, ...] = get_args(Profile)


class BuildSettings(Frozen):
    """How to build the book.

    Attributes:
        profile: The scale of the experiments.
        chapters: Names of the chapters to run; all where it is empty.
        parameters: Further parameters for the chapters that run.
        jobs: Chapters side by side, 1 to 16; None chooses by cores and memory.
        force: Run chapters again whose inputs did not change.
        cell_timeout: Seconds that a cell of a chapter may take, up to a week; None: no limit.
    """

    profile: Profile = "quick"
    chapters: tuple[str, ...] = ()
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    jobs: Annotated[int, Field(ge=1, le=16)] | None = None
    force: bool = False
    cell_timeout: Annotated[int, Field(ge=1, le=604_800)] | None = None


@dataclass(frozen=True)
class BuiltBook:
    """What a build did.

    Attributes:
        html: The folder of the site.
        ran: Names of the chapters that ran.
        reused: Names of the chapters whose inputs had not changed.
        seconds: How long the build took.
    """

    html: Path
    ran: tuple[str, ...]
    reused: tuple[str, ...]
    seconds: float

    @property
    def url(self) -> str:
        """The first page, for a browser on this machine."""
        return (self.html / "index.html").as_uri()


def build_book(project: Project, settings: BuildSettings, say: Say = print) -> BuiltBook:
    """Build the book.

    Raises:
        ChapterError: Chapters failed; the message has one line for each.
        PressError: The table of contents, the pages or the tools are not as they must be.
        SettingError: A chapter lacks one of the parameters.
    """
    started = time.monotonic()
    check_jupyter_book()
    check_finishing_tools()
    with alone(project.build):
        restore(project.html)
        pages = read_pages(project.root)
        chosen = select_chapters(pages, settings.chapters)
        jobs = plan(project, settings, [page for page in pages if page.runs])
        staging = stage(project, settings.profile, allow_gaps=bool(settings.chapters))
        to_run = _stage_finished(project, settings, jobs, chosen, staging)
        _run(project, settings, to_run, say)
        say("  pages: running Jupyter Book")
        html = publish(project, staging, pages, say)
    ran = tuple(job.page.name for job in to_run)
    reused = tuple(page.name for page in chosen if page.name not in ran)
    return BuiltBook(html, ran, reused, time.monotonic() - started)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a build's folder: two builds would overwrite each other's staging.

    Raises:
        PressError: another build holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise PressError(f"another build is at work in {folder}: wait for it") from None
    try:
        yield
    finally:
        lock.release()


def plan(project: Project, settings: BuildSettings, chapters: Sequence[Page]) -> list[ChapterJob]:
    """The job that each chapter would be, whether or not it has to run.

    Parameters that were asked for hold for the chosen chapters only.
    """
    chosen = select_chapters(chapters, settings.chapters)
    return [_job(project, settings, page, page in chosen) for page in chapters]


def _job(project: Project, settings: BuildSettings, page: Page, is_chosen: bool) -> ChapterJob:
    asked = settings.parameters if is_chosen else {}
    parameters = passed_parameters(page, asked, settings.profile)
    key = input_key(page, parameters)
    output = project.staging(settings.profile) / page.file
    log = project.log(page.path.replace("/", "-"))
    return ChapterJob(page, key, parameters, output, log, settings.cell_timeout)


def _stage_finished(
    project: Project, settings: BuildSettings, jobs: Sequence[ChapterJob],
    chosen: Sequence[Page], staging: Path,
) -> list[ChapterJob]:  # fmt: skip
    """Stage what is there already; return the jobs that must run."""
    to_run = []
    for job in jobs:
        again = settings.force and job.page in chosen
        found = None if again else cache.find(project.executed(settings.profile), job.key)
        if found:
            shutil.copyfile(found, job.output)
        elif job.page in chosen:
            to_run.append(job)
        else:
            stage_unrun(job.page, staging)
    return to_run


def _run(project: Project, settings: BuildSettings, jobs: Sequence[ChapterJob], say: Say) -> None:
    """Run the jobs and keep every chapter that went well, also where another failed."""
    for job in jobs:
        check_parameters(job.page, job.parameters)
    train_ahead(wanted_studies([(job.page, job.parameters) for job in jobs]))
    failures = run_side_by_side(jobs, settings.jobs or default_jobs(), say)
    for job in jobs:
        if job not in failures:
            keep_executed(project, settings.profile, job)
    if failures:
        raise ChapterError("\n".join(failures.values()))


def keep_executed(project: Project, profile: str, job: ChapterJob) -> None:
    """Tidy what a chapter that ran well left behind, and keep it by the key of its inputs."""
    executed = read_notebook(job.output)
    assert executed is not None, "a chapter that ran well left a notebook"
    tidied = cache.tidy(executed, hide_parameters=dict(job.parameters) == {"profile": "quick"})
    kept = cache.keep(project.executed(profile), job.key, tidied)
    shutil.copyfile(kept, job.output)
