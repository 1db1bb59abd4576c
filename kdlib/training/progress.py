"""One bar per training: epochs done, loss, accuracy, images per second.

Where nobody looks on, a plain line every half a minute takes the bar's place.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Protocol, TypedDict

from kdlib.plain_lines import PlainLines


class EpochRecord(TypedDict):
    """What one epoch came to. ``seconds`` and ``images_per_second`` are measured, not results."""

    epoch: int
    """Epochs done, from 1."""
    loss: float
    """Mean training loss over the epoch, on the augmented views."""
    accuracy: float
    """Training accuracy over the epoch, 0..1, on the augmented views, of the raw logits."""
    rate: float
    """Learning rate of the epoch's last step."""
    seconds: float
    images_per_second: float


MEASURED = ("seconds", "images_per_second")
"""The fields of an ``EpochRecord`` that differ from one execution to the next."""


class ShowEpoch(Protocol):
    """Called after each epoch with its record."""

    def __call__(self, record: EpochRecord, /) -> None:
        """Show or use ``record``; an exception ends the training."""


@contextmanager
def training_bar(bar: bool | str, *, total: int, done: int = 0) -> Iterator[ShowEpoch]:
    """A progress bar over ``total`` epochs, of which ``done`` are already there.

    Args:
        bar: ``False`` shows nothing; a text is the bar's label.
        total: Epochs of the training.
        done: Epochs done before, e.g. by a killed training.
    """
    label = bar if isinstance(bar, str) else "training"
    with progress(label, "epoch", total=total, done=done, shown=bar is not False) as shown:

        def show(record: EpochRecord, /) -> None:
            shown.set_postfix_str(describe(record), refresh=False)
            shown.update()

        yield show


class Bar(Protocol):
    """What ``progress`` gives: the part of ``tqdm`` that is used here."""

    def update(self, n: int = 1, /) -> Any:
        """Count ``n`` more as done."""

    def set_postfix_str(self, s: str, refresh: bool) -> Any:
        """Show ``s`` behind the count, from the next time on."""


@contextmanager
def progress(
    label: str, unit: str, *, total: int, done: int = 0, shown: bool = True
) -> Iterator[Bar]:
    """A bar in a terminal or a live notebook, plain lines into a file; nothing into a page.

    Args:
        label: what goes on, e.g. ``training``.
        unit: what is counted, e.g. ``run``.
        total: how many there are.
        done: how many were done before.
        shown: whether anything is shown.
    """
    if shown and someone_looks():
        with bar_class()(total=total, initial=done, desc=label, unit=unit) as bar:
            yield bar
        return
    lines = PlainLines(label, unit, total=total, done=done)
    with lines.spoken() if shown and not makes_a_page() else nullcontext():
        yield lines


def describe(record: EpochRecord) -> str:
    """Loss, accuracy and speed in a few words."""
    return (
        f"loss {record['loss']:.3f}, accuracy {record['accuracy']:.1%}, "
        f"{record['images_per_second']:,.0f} images/s"
    )


def someone_looks() -> bool:
    """Whether a bar would be seen: in a terminal, or in a notebook while no page is built."""
    return _in_notebook() or sys.stderr.isatty()


def _in_notebook() -> bool:
    """Whether widgets make sense: a kernel runs, and not to build a page (``KDLIB_SITE``)."""
    if "IPython" not in sys.modules or makes_a_page():
        return False
    shell = sys.modules["IPython"].get_ipython()
    return getattr(shell, "kernel", None) is not None


def makes_a_page() -> bool:
    """Whether what is printed here becomes part of the built site."""
    return bool(os.environ.get("KDLIB_SITE"))


def bar_class() -> Any:
    """The ``tqdm`` class that fits: a widget in a live notebook, text elsewhere."""
    if _in_notebook():
        from tqdm.auto import tqdm
    else:
        from tqdm import tqdm
    return tqdm
