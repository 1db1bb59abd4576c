"""Progress in plain lines, for where no terminal is: a file, a log, a pipe."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

HALF_A_MINUTE = 30.0


class PlainLines:
    """Progress as a line every ``EVERY`` seconds: done, total, time passed and time left."""

    EVERY = HALF_A_MINUTE

    def __init__(self, label: str, unit: str, *, total: int, done: int = 0) -> None:
        self._label, self._unit, self._total = label, unit, total
        self._before = self._done = done
        self._words, self._started = "", time.monotonic()

    def update(self, n: int = 1, /) -> None:
        """Count ``n`` more as done."""
        self._done += n

    def set_postfix_str(self, s: str, refresh: bool = False) -> None:
        """Say ``s`` at the end of the next line."""
        self._words = f"; {s}"

    def line(self) -> str:
        """What there is to say now."""
        passed, new = time.monotonic() - self._started, self._done - self._before
        left = "time left not known yet"
        if new:
            left = f"about {duration(passed * (self._total - self._done) / new)} left"
        return (
            f"{self._label}: {self._done} of {self._total} {self._unit}s done after "
            f"{duration(passed)}, {left}{self._words}"
        )

    @contextmanager
    def spoken(self, say: Callable[[str], None] | None = None) -> Iterator[None]:
        """Say a line every ``EVERY`` seconds inside the block; to standard error by default."""
        speak = say or _to_standard_error
        with repeated(lambda: speak(self.line()), self.EVERY):
            yield


@contextmanager
def repeated(speak: Callable[[], None], every: float = HALF_A_MINUTE) -> Iterator[None]:
    """Call ``speak`` every so many seconds, from a thread, until the block ends."""
    ended = threading.Event()

    def go_on() -> None:
        while not ended.wait(every):
            speak()

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _to_standard_error(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def duration(seconds: float) -> str:
    """A time in words: seconds below a minute and a half, minutes below an hour and a half."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
