"""Runs one chapter in a process of its own: ``python -m kdbook.press.chapter_process < job.json``.

papermill is not safe in threads (with ``cwd`` they change each other's folder), so each chapter
gets a process. It runs in an empty folder, where it finds no more than on Colab, or in one that the
job names. Exit codes: 0 ran to its end or stopped at an error that the notebook records, 138 the
kernel died, 124 a cell took too long.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from tempfile import TemporaryDirectory

from kdbook.quick_imports import skip_slow_imports
from kdlib.lifeline import end_with

DEAD_KERNEL, TIMED_OUT = 138, 124
NO_ANSWER = "Kernel didn't respond"
"""What jupyter_client says of a kernel that did not come up within a minute."""


def run(
    source: str, output: str, parameters: dict[str, object], cell_timeout: int | None = None,
    folder: str | None = None,
) -> int:  # fmt: skip
    """Run the notebook ``source`` in ``folder``, writing ``output``; return the exit code.

    By default the folder is an empty one. A cell may take ``cell_timeout`` seconds; then the kernel
    is ended. None: as long as it likes.

    Raises:
        Exception: Anything but an error in a cell, e.g. a disk that is full.
    """
    skip_slow_imports()
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    try:
        with TemporaryDirectory() as empty:
            _begun(
                lambda: papermill.execute_notebook(
                    source, output, parameters=parameters, cwd=folder or empty,
                    kernel_name="python3", progress_bar=False, execution_timeout=cell_timeout,
                )
            )  # fmt: skip
    except papermill.PapermillExecutionError:
        return 0
    except DeadKernelError:
        return DEAD_KERNEL
    except CellTimeoutError:
        return TIMED_OUT
    return 0


def _begun(execute: Callable[[], object]) -> None:
    """Call ``execute``, and once more where its kernel never answered, so that no cell ran.

    Kernels choose free ports before they bind them: of two that start at once one may be left
    without.
    """
    try:
        execute()
    except RuntimeError as error:
        if NO_ANSWER not in str(error):
            raise
        execute()


def main() -> None:
    """Read the job from standard input and run it; a polite kill ends the kernel too.

    So does the end of the press, whose number the job names as ``parent``.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    job = json.load(sys.stdin)
    end_with(job.pop("parent"), politely=True)
    sys.exit(run(**job))


if __name__ == "__main__":
    main()
