"""Ties a process to the one that started it, so that no worker outlives a killed program."""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import cache

_POLL = 0.5
_GRACE = 10.0


@cache
def end_with(parent: int, *, politely: bool = False) -> None:
    """End this process, from a thread, soon after ``parent`` has ended, however it ended.

    A signal that Linux sends at a parent's death would come too early: already when the *thread*
    that started this process ends. So the parent's number is looked at twice a second.

    Args:
        parent: the number of the process that started this one.
        politely: send SIGTERM first and wait ten seconds, for a process that has to end others.
    """
    watch = threading.Thread(target=_watch, args=(parent, politely), daemon=True)
    watch.start()


def _watch(parent: int, politely: bool) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL)
    if politely:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_GRACE)
    os._exit(1)
