"""Builds the HTML with Jupyter Book and puts it in place of the old site in one step."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from importlib import metadata, util
from pathlib import Path

from kdbook.press.errors import PressError
from kdbook.press.finish import finish
from kdbook.press.project import Project
from kdbook.press.toc import Page
from kdlib.plain_lines import duration, repeated

_JUPYTER_BOOK = (
    "from kdlib.lifeline import end_with; end_with({parent}); "
    "from kdbook.quick_imports import skip_slow_imports; skip_slow_imports(); "
    "from jupyter_book.cli.main import main; main()"
)
_STRICT = ("-W", "-n", "--keep-going")  # warnings are errors, references too; list them all
_PROBLEM = re.compile(r"\b(WARNING|ERROR|CRITICAL)\b|Error:|Exception")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_MOST_PROBLEMS = 20


def check_jupyter_book() -> None:
    """Refuse Jupyter Book 2: it is another engine, reads no ``_config.yml`` and writes no HTML.

    Raises:
        PressError: Jupyter Book 1.x is not installed.
    """
    try:
        version = metadata.version("jupyter-book")
    except metadata.PackageNotFoundError:
        raise PressError("Jupyter Book is missing: pip install 'kdlib[book]'") from None
    if not version.startswith("1."):
        raise PressError(f"jupyter-book {version} is installed; use 1.x: 'jupyter-book<2'")


def check_finishing_tools() -> None:
    """Refuse to build for minutes what could not be finished then.

    Raises:
        PressError: A package is missing that the last step needs.
    """
    for module, package in (("py_mini_racer", "mini-racer"), ("fontTools", "fonttools")):
        if util.find_spec(module) is None:
            raise PressError(f"{package} is missing: pip install 'kdlib[book]'")


def publish(
    project: Project, staging: Path, pages: Sequence[Page], say: Callable[[str], None] = print
) -> Path:
    """Build the staged book and swap the new site in; the old one stays where that fails.

    Says every half a minute how many pages are there.

    Returns:
        The folder of the site.

    Raises:
        PressError: Sphinx warned, or a page is missing.
    """
    output = project.build / "site"
    shutil.rmtree(output, ignore_errors=True)
    built, started = output / "_build" / "html", time.monotonic()

    def tell() -> None:
        missing, passed = len(_missing(built, pages)), duration(time.monotonic() - started)
        say(f"  pages: {len(pages) - missing} of {len(pages)} pages written after {passed}")

    with repeated(tell):
        _run_jupyter_book(staging, output, project.log("sphinx"))
    check_pages(built, pages)
    finish(built, project.build / "cache" / "charts")
    swap(built, project.html)
    shutil.rmtree(output)
    return project.html


def _run_jupyter_book(staging: Path, output: Path, log: Path) -> None:
    arguments = ["build", str(staging), "--path-output", str(output), *_STRICT]
    command = [sys.executable, "-c", _JUPYTER_BOOK.format(parent=os.getpid()), *arguments]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=staging, check=False
    )
    text = _COLOUR.sub("", done.stdout.decode(errors="replace"))
    log.write_text(text, encoding="utf-8")
    if done.returncode:
        raise PressError(_report(text, log))


def _report(text: str, log: Path) -> str:
    problems = [line.strip() for line in text.splitlines() if _PROBLEM.search(line)]
    shown = [f"  {line}" for line in problems[:_MOST_PROBLEMS]]
    return "\n".join([f"Jupyter Book did not build the pages; full log: {log}", *shown])


def check_pages(html: Path, pages: Sequence[Page]) -> None:
    """Refuse a site that lacks a page of the table of contents."""
    missing = _missing(html, pages)
    if missing or not (html / "index.html").is_file():
        raise PressError(f"Jupyter Book made no page for {', '.join(missing) or 'index'}")


def _missing(html: Path, pages: Sequence[Page]) -> list[str]:
    return [page.path for page in pages if not (html / f"{page.path}.html").is_file()]


def swap(new: Path, place: Path) -> None:
    """Put the folder ``new`` at ``place``; a process that is killed in between loses neither."""
    old = _previous(place)
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        os.replace(place, old)
    try:
        os.replace(new, place)
    except OSError:
        restore(place)
        raise
    shutil.rmtree(old, ignore_errors=True)


def restore(place: Path) -> None:
    """Bring the old folder back where a swap was cut short."""
    if not place.exists() and _previous(place).exists():
        os.replace(_previous(place), place)


def _previous(place: Path) -> Path:
    return place.with_name(f".{place.name}-previous")
