"""What all tests share: a store of their own, loud skips, a wheel, the real book built once."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OF_THE_BOOK = ("tests/browser/test_pages.py", "tests/kdbook/press/test_installed.py")
"""Files whose tests read the one build of the book."""

_skipped: dict[str, int] = {}
_first = "PYTEST_XDIST_WORKER" not in os.environ
_store = tempfile.mkdtemp(prefix="kdlib-test-store-") if _first else os.environ["KDLIB_STORE"]
# Set before any test module imports kdlib, and inherited by the workers and by the chapters that
# tests run: what one trains the others read.
os.environ["KDLIB_STORE"] = _store
# Tests train tiny networks, where a second thread only waits for the first.
os.environ.setdefault("OMP_NUM_THREADS", "1")


def pytest_unconfigure():
    if _first:
        shutil.rmtree(_store, ignore_errors=True)


def pytest_collection_modifyitems(items):
    """Tests of the wheel and of the book that it builds come first: the build takes longest."""
    items.sort(key=lambda item: not _is_of_the_book(item.nodeid))
    for item in items:
        if "installed" in getattr(item, "fixturenames", ()) and not _is_of_the_book(item.nodeid):
            raise pytest.UsageError(
                f"{item.nodeid} reads the built book: name its file in conftest"
            )


def _is_of_the_book(nodeid):
    return nodeid.partition("::")[0] in OF_THE_BOOK


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Each file has one worker, and all that read the built book have one together."""
    from xdist.scheduler import LoadFileScheduling

    class OneBuild(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return "book" if _is_of_the_book(nodeid) else super()._split_scope(nodeid)

    return OneBuild(config, log)


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
def installed(tmp_path_factory):
    """A folder with the two packages as pip installs them: no checkout around, not editable."""
    source, site = (tmp_path_factory.mktemp(name) for name in ("source", "site-packages"))
    for name in ("pyproject.toml", "README.md", "LICENSE", "kdlib", "book/kdbook", "book/results"):
        _copy(ROOT / name, source / name)
    quiet = ("--quiet", "--disable-pip-version-check", "--no-index")
    how = ("--no-deps", "--no-build-isolation", "--target", str(site))
    command = [sys.executable, "-m", "pip", "install", *quiet, *how, str(source)]
    subprocess.run(command, check=True)
    return site


def _copy(source, target):
    target.parent.mkdir(exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copyfile(source, target)


@pytest.fixture(scope="session")
def built_book(tmp_path_factory, installed):
    """The real book, every chapter run and the pages built, once for all tests that look at it.

    The chapters import the installed packages, and run in empty folders.
    """
    from kdbook.press import BuildSettings, Project, build_book

    project = Project.at(ROOT, build=tmp_path_factory.mktemp("book"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(installed))
        return build_book(project, BuildSettings())
