"""Runs chapters side by side, each in its own process, and says how they fare."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kdbook.press.chapter_process import DEAD_KERNEL, TIMED_OUT
from kdbook.press.inputs import Parameter
from kdbook.press.notebooks import failed, find_failure, last_started, read_notebook
from kdbook.press.toc import Page
from kdlib.plain_lines import PlainLines

Say = Callable[[str], None]
Timed = Callable[["ChapterJob", float], None]
MEMORY_A_CHAPTER = 1 << 30  # bytes; a kernel with torch and a training, generously
_POLL_SECONDS = 0.1


@dataclass(frozen=True, eq=False)
class ChapterJob:
    """One chapter to run: its source, where its output goes, and what it is told.

    A cell may take ``cell_timeout`` seconds, or as long as it likes. ``label`` names it where one
    chapter has several jobs. It makes a page of the site, in an empty folder, unless a ``folder``
    is named.
    """

    page: Page
    key: str
    parameters: Mapping[str, Parameter]
    output: Path
    log: Path
    cell_timeout: int | None = None
    label: str = ""
    folder: Path | None = None

    @property
    def name(self) -> str:
        """What progress calls it."""
        return self.label or self.page.name


@dataclass
class _Running:
    job: ChapterJob
    process: subprocess.Popen[bytes]
    started: float

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started


def default_jobs() -> int:
    """How many chapters run side by side: 2, or 1 where cores or memory are short."""
    fits = _available_memory() // MEMORY_A_CHAPTER
    return max(1, min(2, os.cpu_count() or 1, fits))


def _available_memory() -> int:
    """Free memory in bytes; where the system does not say, enough for two chapters."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if "MemAvailable" in line)
    except (OSError, StopIteration):
        return 2 * MEMORY_A_CHAPTER


def run_side_by_side(
    jobs: Sequence[ChapterJob], at_once: int, say: Say, ended_after: Timed | None = None
) -> dict[ChapterJob, str]:
    """Run every job, at most ``at_once`` at a time.

    Args:
        jobs: the chapters.
        at_once: how many run side by side.
        say: takes a line of progress.
        ended_after: takes each job as it ends, and its seconds.

    Returns:
        One line for each chapter that failed; empty when all went well.
    """
    failures: dict[ChapterJob, str] = {}
    at_once = max(1, min(at_once, len(jobs)))
    lines = PlainLines("  book", "chapter", total=len(jobs))
    with lines.spoken(say):
        for ended, still in _as_they_end(list(jobs), at_once, say):
            complaint = _complaint(ended.job, ended.process.returncode)
            if complaint:
                failures[ended.job] = complaint
            if ended_after is not None:
                ended_after(ended.job, ended.seconds)
            say(_line(ended, complaint is not None, still))
            lines.update()
    return failures


def _line(ended: _Running, is_failure: bool, still: Sequence[_Running]) -> str:
    running = ", ".join(other.job.name for other in still)
    fate = "FAILED after" if is_failure else "ran in"
    line = f"  {ended.job.name}: {fate} {ended.seconds:.0f} s"
    return f"{line}; running now: {running}" if running else line


def _as_they_end(
    waiting: list[ChapterJob], at_once: int, say: Say
) -> Iterator[tuple[_Running, list[_Running]]]:
    running: list[_Running] = []
    try:
        while waiting or running:
            while waiting and len(running) < at_once:
                running.append(_start(waiting.pop(0), at_once, say))
            ended = next((one for one in running if one.process.poll() is not None), None)
            if ended is None:
                time.sleep(_POLL_SECONDS)
                continue
            running.remove(ended)
            yield ended, [*running]
    finally:
        _stop(running)


def _start(job: ChapterJob, at_once: int, say: Say) -> _Running:
    say(f"  {job.name}: running")
    message = {
        "source": str(job.page.source), "output": str(job.output),
        "parameters": dict(job.parameters), "cell_timeout": job.cell_timeout,
        "folder": job.folder and str(job.folder), "parent": os.getpid(),
    }  # fmt: skip
    with job.log.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "kdbook.press.chapter_process"],
            stdin=subprocess.PIPE, stdout=log, stderr=log,
            env=_environment(at_once, site=job.folder is None),
        )  # fmt: skip
    assert process.stdin is not None
    with process.stdin:
        process.stdin.write(json.dumps(message).encode())
    return _Running(job, process, time.monotonic())


def _environment(at_once: int, *, site: bool = True) -> dict[str, str]:
    """The cores are shared out; for the site charts write offline output, and widgets are silent.

    A setting of the cores that is there already is kept.
    """
    share = str(max(1, (os.cpu_count() or 1) // at_once))
    cores = {"OMP_NUM_THREADS": share, "LOKY_MAX_CPU_COUNT": share}  # threads, worker processes
    return cores | os.environ | {"KDLIB_SITE": "1" if site else ""}


def _stop(running: Sequence[_Running]) -> None:
    for one in running:
        one.process.terminate()
    for one in running:
        one.process.wait()


def _complaint(job: ChapterJob, code: int) -> str | None:
    """One line that says where the chapter failed, or None where it ran to its end."""
    notebook = read_notebook(job.output)
    if code == 0 and notebook is not None and not failed(notebook):
        return None
    ended = _how_it_ended(code, job)
    place = None
    if notebook is not None:
        # Where the process says why it ended, an error in a cell is only what that left behind.
        place = (None if code else find_failure(notebook)) or last_started(notebook, ended)
    return f"{job.page.path}, {place or ended}; the failed notebook: {job.output}"


def _how_it_ended(code: int, job: ChapterJob) -> str:
    if code == TIMED_OUT:
        return f"the cell took longer than --cell-timeout {job.cell_timeout} (seconds) allows"
    if code == DEAD_KERNEL:
        return "the kernel died (exit 138), often for want of memory"
    if code < 0:
        return f"the process was killed (exit {128 - code}), often for want of memory"
    return f"papermill stopped (exit {code}), see {job.log}"
