"""Measure the book's limits: ``.venv/bin/python benchmarks/measure_book.py`` (``--tests`` too).

Clones the last commit into a temporary folder, lets it use this checkout's installed ``.venv`` and
an empty run store, and measures there: ``make book`` from the recorded runs, again with nothing
changed, and once more training all runs; one chapter by itself, trained and with its runs in the
store; the memory of all processes; ``import kdlib``. Writes its block of ``benchmarks/RESULTS.md``
and the times in the README. Leave the machine alone meanwhile.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
from machine import machine_rows
from readme import ROOT, fill_readme
from results_file import fill_results

GB = 10**9
SAMPLE_SECONDS = 0.25
IMPORTS = 10
COLD_LIMIT = 540
TRAINED_LIMIT = 720 + 6 * 90
"""Seconds: twelve minutes for the first 17 chapters, and 90 s for each on Robust distillation."""
CHAPTER = "teacher_and_student"
"""A chapter with many runs."""
_TIME_IMPORT = "import time; t = time.perf_counter(); import kdlib; print(time.perf_counter() - t)"


@dataclass(frozen=True)
class Usage:
    """What a command took.

    Attributes:
        seconds: wall-clock time.
        memory: largest sum over its processes, in bytes, a shared page counted once.
        resident: the same with a shared page counted once for each process that maps it.
    """

    seconds: float
    memory: int
    resident: int


@dataclass(frozen=True)
class Row:
    """A line of the results: what was measured, its limit and its value, in ``unit``."""

    what: str
    limit: float | None
    value: float
    unit: str

    @property
    def verdict(self) -> str:
        """Whether the value is below its limit."""
        if self.limit is None:
            return ""
        return "yes" if self.value < self.limit else "**no**"


def measured(command: Sequence[str], folder: Path, environment: dict[str, str]) -> Usage:
    """Run ``command`` to its end, sampling the memory of its whole process tree.

    Raises:
        subprocess.CalledProcessError: the command failed.
    """
    started, memory, resident = time.perf_counter(), 0, 0
    with subprocess.Popen(command, cwd=folder, env=environment) as process:
        while process.poll() is None:
            now = tree_memory(process.pid)
            memory, resident = max(memory, now[0]), max(resident, now[1])
            time.sleep(SAMPLE_SECONDS)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Usage(time.perf_counter() - started, memory, resident)


def tree_memory(root: int) -> tuple[int, int]:
    """Bytes of the process ``root`` and all its descendants: (shared pages once, resident)."""
    sizes = [process_memory(process) for process in _tree(root)]
    return sum(size[0] for size in sizes), sum(size[1] for size in sizes)


def _tree(root: int) -> Iterator[psutil.Process]:
    try:
        process = psutil.Process(root)
        yield process
        yield from process.children(recursive=True)
    except psutil.NoSuchProcess:
        return


def process_memory(process: psutil.Process) -> tuple[int, int]:
    """(proportional, resident) bytes; zeros for a process that has ended meanwhile."""
    try:
        about = process.memory_full_info()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0, 0
    return getattr(about, "pss", about.rss), about.rss


def import_seconds(python: Path, environment: dict[str, str], times: int = IMPORTS) -> float:
    """The median time of ``import kdlib`` in a fresh interpreter, without its start."""
    runs = [
        subprocess.run(
            [python, "-P", "-c", _TIME_IMPORT],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        for _ in range(times)
    ]
    return statistics.median(float(run.stdout) for run in runs)


def clone(folder: Path) -> Path:
    """The last commit in ``folder``, with this checkout's ``.venv`` linked into it."""
    target = folder / "book"
    subprocess.run(["git", "clone", "--quiet", ROOT, target], check=True)
    (target / ".venv").symlink_to(ROOT / ".venv")
    return target


def clone_environment(target: Path, store: Path) -> dict[str, str]:
    """An environment in which the clone's own packages are imported and its store is ``store``."""
    paths = os.pathsep.join([str(target), str(target / "book")])
    return os.environ | {"PYTHONPATH": paths, "KDLIB_STORE": str(store)}


def make(*arguments: str) -> list[str]:
    """A make command that takes the linked ``.venv`` as it is instead of installing again."""
    return ["make", "--old-file=.venv/.installed", *arguments]


def measure(tests: bool, trains: bool = True) -> list[Row]:
    """The rows of the results, in the order of the table; without ``trains`` nothing is trained."""
    with tempfile.TemporaryDirectory(prefix="kdlib-benchmark-") as name:
        target = clone(Path(name))
        environment = clone_environment(target, Path(name) / "store")
        cold = measured(make("book"), target, environment)
        unchanged = measured(make("book"), target, environment)
        trained = [measured(make("book", "TRAIN=1"), target, environment)] if trains else []
        imported = import_seconds(target / ".venv" / "bin" / "python", environment)
        rows = book_rows(cold, unchanged, *trained, imported=imported)
        rows += measure_chapter() if trains else []
        return rows + (test_rows(measured(make("test"), target, environment)) if tests else [])


def measure_chapter() -> list[Row]:
    """One chapter by itself, in a clone of its own: from an empty store, and with its runs."""
    with tempfile.TemporaryDirectory(prefix="kdlib-benchmark-") as name:
        target = clone(Path(name))
        environment = clone_environment(target, Path(name) / "store")
        command = [".venv/bin/python", "-m", "kdlib", "book", "build", "--force", "--train"]
        cold, again = (
            measured([*command, "--chapters", CHAPTER], target, environment) for _ in range(2)
        )
    return [
        Row(f"the chapter `{CHAPTER}`, all of it trained", 90, cold.seconds, "s"),
        Row(f"the chapter `{CHAPTER}`, its runs in the store", None, again.seconds, "s"),
    ]


def book_rows(cold: Usage, unchanged: Usage, *trained: Usage, imported: float) -> list[Row]:
    """The rows on ``make book`` and on the import; ``trained`` is one usage, or none."""
    usages = (cold, unchanged, *trained)
    memory = max(usage.memory for usage in usages)
    resident = max(usage.resident for usage in usages)
    what = "`make book TRAIN=1`, empty store: all is trained"
    return [
        Row("`make book`, empty store", COLD_LIMIT, cold.seconds, "s"),
        Row("`make book`, nothing changed", 40, unchanged.seconds, "s"),
        *(Row(what, TRAINED_LIMIT, usage.seconds, "s") for usage in trained),
        Row("peak memory of all processes, shared pages once", 2, memory / GB, "GB"),
        Row("peak memory, shared pages once per process", None, resident / GB, "GB"),
        Row(f"`import kdlib`, median of {IMPORTS}", 0.3, imported, "s"),
    ]


def test_rows(usage: Usage) -> list[Row]:
    """The rows on ``make test``."""
    return [
        Row("`make test`", 720, usage.seconds, "s"),
        Row("peak memory of `make test`, shared pages once", None, usage.memory / GB, "GB"),
    ]


def report(rows: Sequence[Row], machine: dict[str, str]) -> str:
    """The results as Markdown."""
    lines = [
        "| what | limit | measured | within |",
        "|---|---|---|---|",
        *(f"| {r.what} | {limit_of(r)} | {amount(r.value, r.unit)} | {r.verdict} |" for r in rows),
        "",
        "| machine | |",
        "|---|---|",
        *(f"| {name} | {value} |" for name, value in machine.items()),
    ]
    return "\n".join(lines) + "\n"


def limit_of(row: Row) -> str:
    """The limit as text; a dash where there is none."""
    return "–" if row.limit is None else amount(row.limit, row.unit)


def amount(value: float, unit: str) -> str:
    """A number with its unit, to three digits at most: ``0.012 s``, ``1.2 GB``, ``231 s``."""
    digits = 0 if value >= 10 else 1 if value >= 1 else 3
    return f"{value:.{digits}f} {unit}"


def times_in_words(rows: Sequence[Row], machine: dict[str, str]) -> str:
    """The README's lines on how long things take."""
    where = f"On {machine['processor']}, {machine['cores']} cores, after installation"
    items = [f"* {row.what}: {amount(row.value, row.unit)}" for row in rows if row.limit]
    return "\n".join([f"{where} ([all measurements](benchmarks/RESULTS.md)):", "", *items])


def main() -> int:
    """Measure and write; the exit status is 1 where a limit is broken."""
    parser = argparse.ArgumentParser(description="Measure the book's limits.")
    parser.add_argument("--tests", action="store_true", help="measure `make test` as well")
    parser.add_argument("--recorded-only", action="store_true", help="measure no trainings")
    asked = parser.parse_args()
    about = machine_rows()
    rows = measure(asked.tests, not asked.recorded_only)
    fill_results("book", report(rows, about))
    fill_readme("times", times_in_words(rows, about))
    print(report(rows, about))
    return int(any(row.limit is not None and row.value >= row.limit for row in rows))


if __name__ == "__main__":
    sys.exit(main())
