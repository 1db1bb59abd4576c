"""How often the audit is right: ``.venv/bin/python benchmarks/audit_error_rates.py [REPEATS]``.

Simulates pairs of models whose true gains are known, audits each pair as a user would, and fills
the table of ``book/practice/audit.md``. It takes about twenty minutes on one core with 500 repeats.

Of each example, the first model may be right and the second wrong, or the other way round, with
chances that depend on its class alone. With several seeds an example has a difficulty that all
trainings share, and a training of a model has an effect that all examples share.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from readme import ROOT, replace_block
from results_file import markdown
from scipy.special import ndtri

import kdlib
from kdlib.audit import Limit, Report

PAGE = ROOT / "book" / "practice" / "audit.md"
REPEATS = 500
CLASSES = 20
EVEN = np.full(CLASSES, 100)
LONG_TAIL = np.geomspace(400, 20, CLASSES).astype(int)
LEVEL = 0.05

Floats = NDArray[np.float64]
Rights = NDArray[np.bool_]


@dataclass(frozen=True)
class World:
    """Pairs of models with known accuracies.

    Attributes:
        name: in the table.
        counts: test examples of each class.
        old: true accuracy of each class.
        new: the same of the second model.
        draw: makes right or wrong of both models, ``[S, N]`` each, from a generator and labels.
    """

    name: str
    counts: NDArray[np.int64]
    old: Floats
    new: Floats
    draw: Callable[[np.random.Generator, NDArray[np.int64]], tuple[Rights, Rights]]


def one_training(name: str, counts: Any, old: Floats, gain: Floats, change: float) -> World:
    """A pair of models of which at least a share ``change`` of the answers differ."""
    new = old + gain
    gained = change / 2 + np.maximum(gain, 0)
    lost = change / 2 + np.maximum(-gain, 0)

    def draw(rng: np.random.Generator, labels: NDArray[np.int64]) -> tuple[Rights, Rights]:
        chance = rng.random((1, len(labels)))
        one, two = gained[labels], lost[labels]
        both = old[labels] - two
        before = (chance < both) | ((chance >= both) & (chance < both + two))
        after = (chance < both) | ((chance >= both + two) & (chance < both + two + one))
        return before, after

    return World(name, np.asarray(counts), old, new, draw)


def trainings(
    name: str, counts: Any, old: Floats, gain: Floats, seeds: int, effect: float
) -> World:
    """Trainings whose accuracy on each class moves, with examples that are hard for all."""
    difficulty, new = 2.0, old + gain
    whole = np.sqrt(1 + difficulty**2 + effect**2)

    def draw(rng: np.random.Generator, labels: NDArray[np.int64]) -> tuple[Rights, Rights]:
        hard = rng.normal(0, difficulty, len(labels))
        found = []
        for accuracy in (old, new):
            own = rng.normal(0, effect, (seeds, CLASSES))[:, labels]
            noise = rng.normal(size=(seeds, len(labels)))
            found.append(ndtri(accuracy)[labels] * whole + hard + own + noise > 0)
        return found[0], found[1]

    return World(name, np.asarray(counts), old, new, draw)


def worlds() -> list[World]:
    """All that the table shows."""
    flat, none = np.full(CLASSES, 0.8), np.zeros(CLASSES)
    sloped = np.linspace(0.9, 0.5, CLASSES)
    few = np.where(np.arange(CLASSES) < 4, -0.05, 0.0)
    return [
        one_training("no gain, 10 % of answers differ, 100 per class", EVEN, flat, none, 0.1),
        one_training("no gain, 40 % differ, 100 per class", EVEN, np.full(CLASSES, 0.6), none, 0.4),
        one_training("no gain, 10 % differ, 400 to 20 per class", LONG_TAIL, sloped, none, 0.1),
        one_training("4 of 20 classes lose 5 points, 100 per class", EVEN, flat, few, 0.06),
        one_training(
            "all lose 5 points, 400 to 20 per class", LONG_TAIL, sloped, none - 0.05, 0.06
        ),
        trainings("3 seeds, no gain, 100 per class", EVEN, flat, none, 3, 0.2),
        trainings("5 seeds, no gain, 400 to 20 per class", LONG_TAIL, sloped, none, 5, 0.2),
        trainings("5 seeds, all lose 5 points, 100 per class", EVEN, flat, none - 0.05, 5, 0.2),
    ]


def report_of(world: World, seed: int) -> Report:
    """One audit, of scores that answer as the world says."""
    rng = np.random.default_rng([seed, crc32(world.name.encode())])
    labels = np.repeat(np.arange(CLASSES), world.counts)
    before, after = world.draw(rng, labels)
    old, new = ([_scores(row, labels) for row in rights] for rights in (before, after))
    groups = {"half": rng.choice(["one", "other"], len(labels))}
    return kdlib.audit(
        labels,
        new,
        one_hot=old,
        groups=groups,
        train_counts=world.counts,
        tolerance=100,
        scores="logits",
    )


def _scores(right: Rights, labels: NDArray[np.int64]) -> NDArray[np.float32]:
    answers = np.where(right, labels, (labels + 1) % CLASSES)
    return 4 * np.eye(CLASSES, dtype=np.float32)[answers]


def outcomes(world: World, seed: int) -> dict[str, float]:
    """What one audit got right or wrong, as shares."""
    report = report_of(world, seed)
    gain = 100 * (world.new - world.old)
    weights = world.counts / world.counts.sum()
    order = report.cumulative["class"].to_numpy()[: CLASSES // 5]
    summary = report.overall.set_index("measure")
    changed = report.by_class["verdict"].isin(["harmed", "helped"]).to_numpy()
    worst = 100 * (world.new.min() - world.old.min())
    return {
        "class": _covers(report.by_class, gain),
        "group": _covers(report.by_group, weights @ gain),
        "mean": _covers(summary.loc[["mean"]], weights @ gain),
        "balanced": _covers(summary.loc[["balanced"]], gain.mean()),
        "rarest fifth": _covers(report.cumulative.iloc[[len(order) - 1]], gain[order].mean()),
        "worst class": _covers(summary.loc[["worst_1"]], worst),
        "false finding": float((changed & (gain == 0)).any()),
        "false harm": float(report.gate(*_limits(gain)).status == "harm"),
        "false fine": float(report.gate(Limit("mean", float(weights @ gain))).status == "fine"),
        "false fine, worst class": float(
            report.gate(Limit("worst-class", float(gain.min()))).status == "fine"
        ),
    }


def _limits(gain: Floats) -> list[Limit]:
    """What each class truly loses, so that no loss is beyond its limit."""
    return [Limit("class", float(points), str(label)) for label, points in enumerate(gain)]


def _covers(frame: Any, truth: Any) -> float:
    return float(((frame["low"] <= truth) & (truth <= frame["high"])).mean())


def row(world: World, repeats: int) -> dict[str, str]:
    """A row of the table: shares in per cent."""
    found = [outcomes(world, seed) for seed in range(repeats)]
    means = {key: float(np.mean([one[key] for one in found])) for key in found[0]}
    print(world.name, means, flush=True)
    return {"truth": world.name} | {key: f"{100 * value:.1f}" for key, value in means.items()}


def main() -> None:
    """Fill the tables."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else REPEATS
    rows = [row(world, repeats) for world in worlds()]
    found = [name for name in rows[0] if name.startswith("false ")]
    covered = [name for name in rows[0] if name not in found]
    parts = (covered, ["truth", *found])  # two tables, since one is wider than a page
    table = "\n\n".join(markdown([{n: one[n] for n in names} for one in rows]) for names in parts)
    error = 100 * np.sqrt(LEVEL * (1 - LEVEL) / repeats)
    note = f"{repeats} repeats per row; the error of a share of 5 % is {error:.1f}."
    text = replace_block(PAGE.read_text(encoding="utf-8"), "error rates", f"{table}\n\n{note}")
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
