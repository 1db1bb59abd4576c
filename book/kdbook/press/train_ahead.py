"""Trains what the chapters need, before they run.

All their runs go through one pool, so that every core is busy to the end, no two chapters wait for
each other's runs, and a reader at the terminal sees one bar with the time that is left. It is a
process of its own: the press stays small.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from kdbook.chapters import FROM_RECORD, STUDIES
from kdbook.press.inputs import Parameter
from kdbook.press.toc import Page

Wanted = Sequence[tuple[str, Mapping[str, Parameter]]]


def wanted_studies(chapters: Sequence[tuple[Page, Mapping[str, Parameter]]]) -> Wanted:
    """The study that each chapter trains, if any, with the parameters that the chapter gets."""
    # A chapter trains the first study that names it; of another it shows the record.
    names = {page: name for name, page in reversed(STUDIES.items())}
    wanted = [(names[page.path], values) for page, values in chapters if page.path in names]
    return [(name, values) for name, values in wanted if name not in FROM_RECORD]


def train_ahead(wanted: Wanted) -> None:
    """Train the runs of the wanted studies that the store lacks.

    A failure is left to the chapter that needs the run: it stops there with its own message.
    """
    if not wanted:
        return
    # The chapters make the site, where no bar may show; here a person may look on.
    environment = {name: value for name, value in os.environ.items() if name != "KDLIB_SITE"}
    process = subprocess.Popen(
        [sys.executable, "-m", "kdbook.press.training_process", str(os.getpid())],
        stdin=subprocess.PIPE,
        env=environment,
    )
    try:
        process.communicate(json.dumps(wanted).encode())
    finally:
        process.terminate()  # does nothing where it ended by itself
        process.wait()
