"""Ties a process to the one that started it, so that no worker outlives a killed program.

A program that SIGTERM ends has time to end its workers, which then leave nothing behind and say
nothing.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
import warnings
from functools import cache
from typing import NoReturn

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


class Terminated(KeyboardInterrupt):
    """SIGTERM came: the program ends as at an interruption, workers and open files included."""


def interrupt_at_sigterm() -> None:
    """Raise ``Terminated`` in the main thread at SIGTERM; call it from that thread.

    Python would end at once otherwise, and the workers' resource trackers would complain, in many
    lines, of what was not tidied up. A SIGTERM that follows it or an interruption is ignored.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:  # as in the background of a shell
            signal.signal(number, _interrupt)


def _interrupt(number: int, _: object) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _hush()
    raise Terminated if number == signal.SIGTERM else KeyboardInterrupt


def _hush() -> None:
    """Silence what libraries say of work that is cut off: the program ends, and says so itself."""
    logging.disable()
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda _: None  # of what is closed at the very end


def _watch(parent: int, politely: bool) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL)
    if politely:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(_GRACE)
    os._exit(1)
