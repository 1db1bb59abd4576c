"""Writes the record of *The images that changed sides*: who said what of every test image.

``.venv/bin/python -m kdbook.explorables.changed_sides`` needs the runs of the study
``where_the_teacher_errs`` at ``TEMPERATURES``; it trains those that the store lacks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy.special import softmax

from kdbook.chapters.where_the_teacher_errs import WhereTheTeacherErrs
from kdbook.chapters.where_the_teacher_errs.changed_sides import FILE
from kdbook.places import folder_to_record
from kdbook.tables import Member
from kdlib.data import load
from kdlib.data.longtail import long_tailed_counts, permuted_rows
from kdlib.files import write_atomically
from kdlib.runs import RunResult

TEMPERATURES = (1.0, 3.0)
METHODS = ("teacher", "one-hot", "distilled", "AdaAlpha")


def sides_file(pairs: Iterable[tuple[Member, RunResult]]) -> str:
    """JSON with the guesses of each network on the test images, a line per network and seed.

    ``{"seeds": [...], "imbalance": 20, "guesses": {"distilled 3": [one string per seed]}, "sure":
    [...], "kept": [...]}``. A string of guesses has a digit per test image, one of ``sure`` two:
    the percent that the teacher gives to its guess at temperature 1, rounded down. ``kept`` holds
    per seed and class the rows of the training images that were left, as ``digits.json`` counts
    them.

    Args:
        pairs: completed runs on digits at one imbalance ratio, each method for the same seeds.
    """
    found = {(_name(m), m.seed): (m, r) for m, r in pairs if m.method in METHODS}
    ordered = sorted(found.values(), key=lambda one: _place(one[0]))
    guesses: dict[str, list[str]] = {}
    for member, result in ordered:
        guesses.setdefault(_name(member), []).append(_guesses(result))
    seeds, ratio = sorted({m.seed for m, _ in ordered}), ordered[0][0].imbalance
    sure = [_sureness(r) for m, r in ordered if m.method == "teacher"]
    lists = {"sure": sure, "kept": [_kept(seed, ratio) for seed in seeds]}
    return _lines({"seeds": seeds, "imbalance": ratio}, guesses, lists)


def _place(member: Member) -> tuple[str, int]:
    return f"{METHODS.index(member.method)} {_name(member)}", member.seed


def _name(member: Member) -> str:
    taught = not np.isnan(member.temperature)
    return f"{member.method} {member.temperature:g}" if taught else member.method


def _guesses(result: RunResult) -> str:
    return "".join(map(str, result.logits("test").argmax(axis=1)))


def _sureness(teacher: RunResult) -> str:
    top = softmax(teacher.logits("test").astype(np.float64), axis=1).max(axis=1)
    return "".join(f"{min(99, int(100 * each)):02}" for each in top)


def _kept(seed: int, ratio: float) -> list[list[int]]:
    """The training rows of a seed, by class: the first of each class's order."""
    train = load("digits").train
    head = int(train.class_counts.min())
    counts = long_tailed_counts(head, train.num_classes, ratio)
    orders = permuted_rows(train.labels, train.num_classes, "subset", "digits", seed)
    pairs = zip(orders, counts, strict=True)
    return [sorted(int(row) for row in rows[:count]) for rows, count in pairs]


def _lines(head: dict[str, Any], guesses: dict[str, list[str]], lists: dict[str, Any]) -> str:
    """JSON in which each network of a seed has a line, so that a change shows as changed lines."""
    named = ",\n".join(f"{json.dumps(name)}: {_rows(rows)}" for name, rows in guesses.items())
    more = "".join(f', "{name}": {_rows(rows)}' for name, rows in lists.items())
    return f'{json.dumps(head)[:-1]}, "guesses": {{\n{named}\n}}{more}}}\n'


def _rows(rows: Sequence[Any]) -> str:
    return "[\n" + ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows) + "\n]"


def main() -> None:
    """Write it into the checkout."""
    studies = [WhereTheTeacherErrs.parse(temperature=t) for t in TEMPERATURES]
    pairs = [pair for s in studies for pair in zip(s.members(), s.results(), strict=True)]
    path = folder_to_record() / FILE
    path.parent.mkdir(exist_ok=True)
    write_atomically(path, sides_file(pairs).encode())
    print(f"wrote {path}")


if __name__ == "__main__":
    main()
