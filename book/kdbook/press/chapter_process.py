"""Runs one chapter in a process of its own: ``python -m kdbook.press.chapter_process < job.json``.

papermill is not safe in threads (with ``cwd`` they change each other's folder), so each chapter
gets a process. It runs in an empty folder, where it finds no more than on Colab. Exit codes: 0 ran
to its end or stopped at an error that the notebook records, 138 the kernel died.
"""

from __future__ import annotations

import json
import signal
import sys
from tempfile import TemporaryDirectory

from kdbook.quick_imports import skip_slow_imports

DEAD_KERNEL = 138


def run(source: str, output: str, parameters: dict[str, object]) -> int:
    """Run the notebook ``source`` in an empty folder, writing ``output``; return the exit code.

    Raises:
        Exception: Anything but an error in a cell, e.g. a disk that is full.
    """
    skip_slow_imports()
    import papermill
    from nbclient.exceptions import DeadKernelError

    try:
        with TemporaryDirectory() as empty:
            papermill.execute_notebook(
                source, output, parameters=parameters, cwd=empty, kernel_name="python3",
                progress_bar=False,
            )  # fmt: skip
    except papermill.PapermillExecutionError:
        return 0
    except DeadKernelError:
        return DEAD_KERNEL
    return 0


def main() -> None:
    """Read the job from standard input and run it; a polite kill ends the kernel too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(run(**json.load(sys.stdin)))


if __name__ == "__main__":
    main()
