"""What the front page's figure reads: recorded trainings, and the images that they learned from."""

from __future__ import annotations

import io
import json
from math import isnan
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
from PIL import Image

from kdbook import charts, compare
from kdbook.chapters.intro.who_pays import CLASS
from kdbook.explorables.digits import pixels_of
from kdbook.records import Record
from kdlib.data import load
from kdlib.data.longtail import long_tailed_counts, permuted_rows
from kdlib.metrics import Scale

KEY = ("imbalance", "temperature", "alpha", "teacher_epochs")
CONTROLS = {"ratio": KEY[0], "temperature": KEY[1], "alpha": KEY[2], "teacherEpochs": KEY[3]}
DEFAULT = {"imbalance": 20.0, "temperature": 3.0, "alpha": 1.0, "teacher_epochs": 80.0}
"""What the figure shows untouched."""
ACROSS, DOWN, ZOOM = 5, 18, 3
"""Images side by side and one under another in a class's stack, and how often a pixel is shown."""
DRAWN = Scale("an accuracy as it is drawn", 0.0, 100.0, resolution=1e-3, is_difference=True)
"""Cuts intervals at the bounds, as the page's script does; see ``kdlib.metrics.Scale.bend``."""


def who_pays_file(record: Record) -> str:
    """JSON with the right answers of every recorded run, as whole numbers.

    ``{"values": {control: [...]}, "tested": [images by class], "counts": {ratio: [...]},
    "right": {"distilled 20 3 1 40": [[right answers by class] by seed], ...}}``. The names of
    ``right`` are the method and what it hangs on: ratio, temperature, alpha and teacher's epochs.
    """
    digits = load("digits")
    tested = digits.test.class_counts.numpy()
    ratios = sorted(set(record.table["imbalance"]))
    head, classes = int(digits.train.class_counts.min()), digits.train.num_classes
    values = {name: sorted(set(record.table[key].dropna())) for name, key in CONTROLS.items()}
    found = {
        "values": {name: list(map(_plain, each)) for name, each in values.items()},
        "tested": tested.tolist(),
        "counts": {f"{r:g}": long_tailed_counts(head, classes, r) for r in ratios},
        "right": _right_answers(record.table, tested),
    }
    return _one_line_each(found) + "\n"


def _right_answers(table: pd.DataFrame, tested: np.ndarray) -> dict[str, list[list[int]]]:
    """Right answers by class, one list per seed, under the name of the method and its settings."""
    found: dict[str, list[list[int]]] = {}
    for _, row in table.sort_values("seed", kind="stable").iterrows():
        accuracy = row[[f"{CLASS}{k}" for k in range(len(tested))]].to_numpy(float)
        right = np.rint(accuracy * tested / 100).astype(int).tolist()
        found.setdefault(_name(row), []).append(right)
    return dict(sorted(found.items()))


def _name(row: pd.Series) -> str:
    settings = [f"{row[key]:g}" for key in KEY if not isnan(row[key])]
    return " ".join([str(row["method"]), *settings])


def _plain(value: float) -> float | int:
    return int(value) if value == int(value) else value


def _one_line_each(found: dict[str, Any]) -> str:
    """JSON in which each list of seeds has a line, so that a change shows as changed lines."""
    right = found.pop("right")
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}"
                       for k, v in right.items())  # fmt: skip
    return f'{json.dumps(found)[:-1]}, "right": {{\n{lines}\n}}}}'


def tail_picture() -> bytes:
    """A PNG with the training images of seed 0, a stack per class, in the order in which they go.

    The images are ink on nothing, so that a page can give them its own colour. A ratio keeps the
    first images of each stack.
    """
    train = load("digits").train
    stacks = [_stack(pixels_of(train)[rows].numpy()) for rows in
              permuted_rows(train.labels, train.num_classes, "subset", "digits", 0)]  # fmt: skip
    ink = np.kron(np.concatenate(stacks, axis=1), np.ones((ZOOM, ZOOM), np.uint8))
    picture = Image.merge("LA", [Image.new("L", ink.shape[::-1]), Image.fromarray(ink)])
    content = io.BytesIO()
    picture.save(content, "PNG", optimize=True)
    return content.getvalue()


def _stack(images: np.ndarray) -> np.ndarray:
    """``[n, 8, 8]`` as rows of ``ACROSS`` images, a pixel apart."""
    side = images.shape[-1] + 1
    apart = np.pad(images[: ACROSS * DOWN], ((0, 0), (0, 1), (0, 1)))
    rows = apart.reshape(DOWN, ACROSS, side, side)
    return rows.swapaxes(1, 2).reshape(DOWN * side, ACROSS * side)


def default_picture(record: Record) -> alt.LayerChart:
    """The figure's first state as a chart, for print and where no script runs."""
    table = record.table
    at = pd.concat([(table[key] == value) | table[key].isna() for key, value in DEFAULT.items()],
                   axis=1).all(axis=1)  # fmt: skip
    students = table[at & (table["method"] != "teacher")]
    columns = {f"{CLASS}{k}": k for k in range(sum(c.startswith(CLASS) for c in table.columns))}
    tidy = students.rename(columns=columns).melt(
        ["method", "seed"], list(columns.values()), "label"
    )
    means = compare.with_intervals(tidy, "value", ["method", "label"], DRAWN)
    title = "Accuracy by digit at T = 3, imbalance 20, teacher of 80 epochs"
    chart = charts.per_class_accuracy(means, title=title, order="digit, most frequent first")
    return chart.properties(background="white", padding=12).configure(font="sans-serif")
