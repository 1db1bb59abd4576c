"""One worker for the latest wish: a slider reports more often than a training can end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

Answer = Callable[[Any, threading.Event], None]
"""Takes a wish, and an event that is set as soon as the answer is not wanted any more."""


class Latest:
    """Answers wishes one at a time, each once no newer one has come for a while.

    The worker is a thread that lives only while something is wished, so that the kernel stays free.
    A newer wish, or ``cancel``, tells the answer under way to stop; the next one waits for its end.

    Args:
        answer: must not raise.
        wait: seconds without a newer wish after which the last one counts.
    """

    def __init__(self, answer: Answer, wait: float = 0.4) -> None:
        self._answer, self._wait = answer, wait
        self._lock, self._stop = threading.Lock(), threading.Event()
        self._wish: tuple[Any] | None = None
        self._thread: threading.Thread | None = None

    def ask(self, wish: Any) -> None:
        """Wish for this instead of anything before."""
        with self._lock:
            self._wish = (wish,)
            self._stop.set()
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, daemon=True)
                self._thread.start()

    def cancel(self) -> None:
        """Wish for nothing."""
        with self._lock:
            self._wish = None
            self._stop.set()

    def join(self, timeout: float) -> bool:
        """Wait until nothing is wished any more; whether that came within ``timeout`` seconds."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout)
        return thread is None or not thread.is_alive()

    def _work(self) -> None:
        while (taken := self._settled()) is not None:
            self._answer(*taken)

    def _settled(self) -> tuple[Any, threading.Event] | None:
        """The latest wish once it is ``wait`` seconds old, or None where nothing is wished."""
        while True:
            with self._lock:
                wish = self._wish
                if wish is None:
                    self._thread = None
                    return None
            time.sleep(self._wait)
            with self._lock:
                if self._wish is wish:
                    self._wish, self._stop = None, threading.Event()
                    return wish[0], self._stop
