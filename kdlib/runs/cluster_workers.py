"""What a cluster that is joined must have before it trains: a worker, and this kdlib on each."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from kdlib.errors import SettingError
from kdlib.plain_lines import HALF_A_MINUTE, duration
from kdlib.runs.spec import RESULTS_VERSION

if TYPE_CHECKING:
    from distributed import Client

_SILENCE, _LOOK = 5.0, 0.5
"""Seconds in which a worker may come without a word; between two looks."""


def wait_for_a_worker(client: Client, address: str) -> None:
    """Wait until the scheduler has a worker, for as long as that takes, and say so meanwhile."""
    started = told = time.monotonic()
    patience = _SILENCE
    while not client.nthreads():
        time.sleep(_LOOK)
        if time.monotonic() - told > patience:
            told, patience = time.monotonic(), HALF_A_MINUTE
            print(
                f"waiting for workers: the scheduler at {address} has 0 after "
                f"{duration(told - started)}, and training begins with the first (Ctrl-C ends it)",
                file=sys.stderr,
                flush=True,
            )


def check_workers(client: Client) -> None:
    """Refuse workers that would train something else; those that come later fail by themselves.

    Raises:
        SettingError: a worker has another kdlib, or none.
    """
    try:
        versions = client.run(_results_version)
    except Exception as error:  # whatever a worker raised, e.g. that it has no kdlib
        raise SettingError(
            f"a worker could not be asked for its kdlib ({error}): install one version everywhere"
        ) from None
    for worker, version in versions.items():
        if version != RESULTS_VERSION:
            raise SettingError(
                f"worker {worker} trains results version {version}, and this kdlib trains "
                f"{RESULTS_VERSION}: install one version everywhere"
            )


def _results_version() -> int:
    return RESULTS_VERSION
