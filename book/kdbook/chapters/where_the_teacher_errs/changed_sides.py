"""The images that changed sides: what distillation gets wrong and a one-hot student gets right.

The figure is an explorable; without its script, in print and in a live notebook its first state
stands here as it is. Both rest on one record, which ``kdbook.explorables.changed_sides`` writes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from IPython.display import HTML

from kdbook.charts import in_site
from kdbook.charts.pictures import digit_image
from kdbook.places import records_folder
from kdlib.data import load

FILE = "changed_sides/digits.json"
LABEL, TEMPERATURE = 9, "3"
"""What the figure shows untouched."""
MOST = 8
"""Tiles of a strip at first."""
_SCRIPT = '<script type="module" src="../../_static/explorables/changed-sides.mjs"></script>'


@dataclass(frozen=True)
class Sides:
    """Who is right about the test images of one class.

    Attributes:
        label: the class.
        rows: places of its images among the test images, ``[n]``.
        guesses: of each method ``[seeds, n]``.
    """

    label: int
    rows: np.ndarray
    guesses: dict[str, np.ndarray]

    def right(self, method: str) -> np.ndarray:
        """Whether the method is right, ``[seeds, n]``."""
        return self.guesses[method] == self.label

    @property
    def lost(self) -> np.ndarray:
        """Answers that the one-hot student has right and the distilled one wrong."""
        return self.right("one-hot") & ~self.right("distilled")

    @property
    def gained(self) -> np.ndarray:
        """The other way round."""
        return ~self.right("one-hot") & self.right("distilled")

    @property
    def won_back(self) -> np.ndarray:
        """Lost ones that AdaAlpha has right."""
        return self.lost & self.right("AdaAlpha")


def read_file() -> str:
    """The record as text."""
    return (records_folder() / FILE).read_text(encoding="utf-8")


def sides(record: dict[str, Any], label: int, temperature: str) -> Sides:
    """What the record holds of one class and temperature."""
    rows = np.flatnonzero(load("digits").test.labels.numpy() == label)
    names = {name: f"{name} {temperature}" for name in ("distilled", "AdaAlpha")}
    names |= {name: name for name in ("teacher", "one-hot")}
    guesses = {method: _digits(record["guesses"][name]) for method, name in names.items()}
    return Sides(label, rows, {method: said[:, rows] for method, said in guesses.items()})


def _digits(lines: Iterable[str]) -> np.ndarray:
    return np.array([[int(digit) for digit in line] for line in lines])


def first_state(record: dict[str, Any]) -> Sides:
    """What the figure shows untouched."""
    return sides(record, LABEL, TEMPERATURE)


def figure() -> HTML:
    """The figure: its first state, and in the site what moves it."""
    text = read_file()
    shown = first_state(json.loads(text))
    moved = f'<script type="application/json">{text}</script>' if in_site() else ""
    return HTML(
        '<div class="kdlib-sides" role="region" aria-label="The images that changed sides">'
        f"{static_figure(shown)}{moved}</div>{_SCRIPT if in_site() else ''}"
    )


def static_figure(shown: Sides) -> str:
    """Sentence and two strips as HTML that needs neither script nor style sheet."""
    strips = {
        "Lost by distillation in more seeds than gained": shown.lost.sum(axis=0)
        - shown.gained.sum(axis=0),
        "Of the lost answers, won back by AdaAlpha": shown.won_back.sum(axis=0),
    }
    images = np.asarray(load("digits").test.images)
    parts = [_strip(shown, images, name, by) for name, by in strips.items()]
    return f"<p><strong>{headline(shown)}</strong></p>{''.join(parts)}<p>{_KEY}</p>"


_KEY = (
    "Under each test image: in how many seeds the one-hot, the distilled and the AdaAlpha student "
    "is right, and the wrong answer that the distilled students give most."
)


def headline(shown: Sides) -> str:
    """What distillation does to the class, and what its teacher said of it, in a sentence."""
    lost, gained = int(shown.lost.sum()), int(shown.gained.sum())
    known = int((shown.lost & shown.right("teacher")).sum())
    words = f"{lost or 'no'} right answer{'' if lost == 1 else 's'}"
    said = f"On {shown.label}s distillation loses {words} and gains {gained or 'none'}"
    return (
        f"{said}; on {known} of the {lost} lost ones its own teacher was right."
        if lost
        else f"{said}."
    )


def _strip(shown: Sides, images: np.ndarray, name: str, by: np.ndarray) -> str:
    best = [int(i) for i in np.argsort(-by, kind="stable")[:MOST] if by[i] > 0]
    tiles = "".join(_tile(shown, images[shown.rows[i]], i) for i in best)
    return f'<p>{name}</p><div style="display:flex;flex-wrap:wrap;gap:0.6rem">{tiles}</div>'


def _tile(shown: Sides, image: np.ndarray, place: int) -> str:
    seeds = len(shown.lost)
    right = {m: int(shown.right(m)[:, place].sum()) for m in ("one-hot", "distilled", "AdaAlpha")}
    said = f"a {shown.label}, {wrong_answer(shown.guesses['distilled'][:, place], shown.label)}"
    counts = ", ".join(f"{name} right in {count}" for name, count in right.items())
    alt = f"{said}; of {seeds} seeds {counts}"
    return (
        f'<figure style="margin:0;width:5.5rem;font-size:0.8em">'
        f'<img src="{digit_image(255 - image)}" width="64" alt="{alt}">'
        f"<figcaption>{' → '.join(map(str, right.values()))}<br>{said}</figcaption></figure>"
    )


def wrong_answer(guesses: Iterable[int], label: int) -> str:
    """The most frequent wrong answer, e.g. ``taken for 4 in 8 of 10 seeds``."""
    said = list(map(int, guesses))
    wrong = Counter(guess for guess in said if guess != label)
    if not wrong:
        return f"right in all {len(said)} seeds"
    most, count = min(wrong.items(), key=lambda one: (-one[1], one[0]))
    return f"taken for {most} in {count} of {len(said)} seeds"
