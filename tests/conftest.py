"""What all tests share: a store of their own, loud skips, a wheel, the real book built once."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from filelock import FileLock
from hypothesis import settings

ROOT = Path(__file__).parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
BUILDS_THE_BOOK = "tests/kdbook/press/test_installed.py"
READS_THE_BOOK = ("tests/browser/test_pages.py", "tests/browser/test_page_bars.py")

_skipped: dict[str, int] = {}
_first = "PYTEST_XDIST_WORKER" not in os.environ
_store = tempfile.mkdtemp(prefix="kdlib-test-store-") if _first else os.environ["KDLIB_STORE"]
# Set before any test module imports kdlib, and inherited by the workers and by the chapters that
# tests run: what one trains the others read.
os.environ["KDLIB_STORE"] = _store
# Tests train tiny networks, where a second thread only waits for the first.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# The workers of the tests share the cores: a training that nobody tells more takes one of them, and
# starts no processes of its own. Two threads each would wait for one another half of the time.
os.environ.setdefault("LOKY_MAX_CPU_COUNT", "1")
settings.register_profile("busy", deadline=None)  # an example may wait for the processor
settings.load_profile("busy")
# A shell that starts the tests in the background has SIGINT ignored, and children inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_unconfigure():
    if _first:
        shutil.rmtree(_store, ignore_errors=True)


def pytest_collection_modifyitems(items):
    """The book is built first, since that takes longest, and what reads it comes last.

    Whatever asked for it earlier would wait for it, and its worker with it.
    """
    late = {_file(item.nodeid) for item in items if "built_book" in item.fixturenames}
    turns = dict.fromkeys(late, 1) | {BUILDS_THE_BOOK: -1} | dict.fromkeys(READS_THE_BOOK, 2)
    items.sort(key=lambda item: turns.get(_file(item.nodeid), 0))


def _file(nodeid):
    return nodeid.partition("::")[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Each file has one worker; but all workers share the pages of the book, and end together."""
    from xdist.scheduler import LoadFileScheduling

    class PagesApart(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return nodeid if _file(nodeid) in READS_THE_BOOK else super()._split_scope(nodeid)

    return PagesApart(config, log)


def find_chromium():
    """The path of the system's Chromium, or None."""
    names = [os.environ.get("KDLIB_CHROMIUM"), *BROWSERS]
    return next((path for name in names if name and (path := shutil.which(name))), None)


def _reason_without_data():
    folder = os.environ.get("KDLIB_DATA")
    if not folder:
        return "NO REAL DATA: KDLIB_DATA is not set, so tests on CIFAR are skipped"
    if not Path(folder).is_dir():
        return f"NO REAL DATA: KDLIB_DATA={folder} is no folder, so tests on CIFAR are skipped"
    return None


def _reason_without_browser():
    if find_chromium():
        return None
    return f"NO BROWSER: none of {', '.join(BROWSERS)} found, so no page was opened"


def pytest_runtest_setup(item):
    if item.get_closest_marker("browser") and (reason := _reason_without_browser()):
        if os.environ.get("KDLIB_REQUIRE_BROWSER") == "1":
            pytest.fail(f"{reason}; set KDLIB_CHROMIUM, or install chromium", pytrace=False)
        _skip_loudly(reason)
    if item.get_closest_marker("real_data") and (reason := _reason_without_data()):
        _skip_loudly(reason)


def _skip_loudly(reason):
    _skipped[reason] = _skipped.get(reason, 0) + 1
    pytest.skip(reason)


def pytest_terminal_summary(terminalreporter):
    for reason, count in _skipped.items():
        terminalreporter.write_line(f"!!! {reason} ({count} tests)", red=True, bold=True)


@pytest.fixture(scope="session")
def chromium():
    """The browser's path."""
    return find_chromium()


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory):
    """A folder that all workers of this session see."""
    folder = tmp_path_factory.getbasetemp()
    return folder if _first else folder.parent


@pytest.fixture(scope="session")
def installed(shared_folder):
    """A folder with the two packages as pip installs them: no checkout around, not editable."""
    return _made_once(shared_folder / "site-packages", _install)


def _made_once(folder, make):
    """``folder`` as ``make(folder)`` fills it, once for all workers; a failure is not repeated."""
    done, failed = folder.with_suffix(".done"), folder.with_suffix(".failed")
    with FileLock(folder.with_suffix(".lock")):
        if failed.exists():
            pytest.fail(f"{folder.name} could not be made: {failed.read_text()}", pytrace=False)
        if not done.exists():
            try:
                make(folder)
            except BaseException as error:
                failed.write_text(str(error))
                raise
            done.touch()
    return folder


def _install(site):
    source = site.with_name("source")
    for name in ("pyproject.toml", "README.md", "LICENSE", "kdlib", "book/kdbook", "book/results"):
        _copy(ROOT / name, source / name)
    quiet = ("--quiet", "--disable-pip-version-check", "--no-index")
    how = ("--no-deps", "--no-build-isolation", "--target", str(site))
    command = [sys.executable, "-m", "pip", "install", *quiet, *how, str(source)]
    subprocess.run(command, check=True)


def _copy(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(source, target)


@pytest.fixture(scope="session")
def built_book(shared_folder, installed):
    """The project of the real book, every chapter run and the pages built, once for all workers.

    The chapters import the installed packages, and run in empty folders. Where KDLIB_BUILT_BOOK
    names the folder of a book that is there (_build), its pages are read and nothing is built.
    """
    from kdbook.press import BuildSettings, Project, build_book

    if built := os.environ.get("KDLIB_BUILT_BOOK"):
        return Project.at(ROOT, build=Path(built).resolve())
    project = Project.at(ROOT, build=shared_folder / "book")

    def build(_):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(installed))
            build_book(project, BuildSettings())

    _made_once(project.build, build)
    return project
