"""What the chapter shows of the world that is known: theorem beside search, and the slider."""

from __future__ import annotations

import numpy as np
import pandas as pd

from kdbook.chapters.objectives import known, minima
from kdbook.robust_families import Alpha

NAMES: dict[str, Alpha] = {
    "standard": None, "balanced": 0.0, "traded off, α = 0.3": 0.3, "robust": 1.0,
}  # fmt: skip
CLASSES = ("common", "medium", "rare")
POINTS = 41


def by_theorem(world: known.World, alpha: Alpha) -> np.ndarray:
    """The numbers ``[L]`` that Theorem 1 puts before eta over pi."""
    if alpha is None:
        return world.prior
    return known.traded_off(known.saddle_multipliers(world, alpha), alpha)


def searched(world: known.World) -> pd.DataFrame:
    """The same numbers as a search finds them, beside the theorem's; and how far they vary with x.

    Returns:
        One row per objective and class: objective, class, found, theorem, variation.
    """
    rows = []
    for name, alpha in NAMES.items():
        read = minima.constants(world, minima.minimise(world, alpha))
        both = zip(read["constant"], by_theorem(world, alpha), read["spread"], strict=True)
        rows += [
            {"objective": name, "class": CLASSES[y], "found": f, "theorem": t, "variation": s}
            for y, (f, t, s) in enumerate(both)
        ]
    return pd.DataFrame(rows)


def wide(searched: pd.DataFrame) -> pd.DataFrame:
    """``searched`` as text, with a column per objective."""
    both = [("found", "theorem"), CLASSES]
    index = pd.MultiIndex.from_product(both, names=["number", "class"])
    columns = {
        name: [*rows["found"], *rows["theorem"]]
        for name, rows in searched.groupby("objective", sort=False)
    }
    return pd.DataFrame(columns, index).map("{:.2g}".format)


def moved(world: known.World) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The two frames of ``charts.objective_explorer``."""
    curves, classes = known.by_alpha(world, np.linspace(0, 1, 21))
    curves["x"] = known.inputs(POINTS)[curves["input"]]
    names = dict(enumerate(CLASSES))
    return tuple(f.assign(class_name=f["label"].map(names)) for f in (curves, classes))  # type: ignore[return-value]


def end_stop(world: known.World, classes: pd.DataFrame) -> str:
    """From which trade-off on nothing changes, and what is even there and what is not."""
    ends = classes.set_index(["alpha", "class_name"])["error"]
    worst = classes[classes["alpha"] == 1.0]
    stop = known.exact_from(known.saddle_multipliers(world, 1.0))
    return (
        f"Nothing changes from α = {stop:.2f} on. At α = 1 all cross-entropies are "
        f"{worst['risk'].max():.2f} nats, yet the errors go from {worst['error'].min():.0f} to "
        f"{worst['error'].max():.0f} %; the rare class errs in {ends[0.0, 'rare']:.0f} % of its "
        f"cases when balanced and in {ends[1.0, 'rare']:.0f} % when robust."
    )


def too_sure(world: known.World) -> pd.DataFrame:
    """Robust students of the truth, and of a teacher with p proportional to eta squared."""
    sure = world.eta**2 / (world.eta**2).sum(axis=1, keepdims=True)
    pieces = []
    for name, seen in {
        "true probabilities": world, "a teacher too sure": known.World(world.mass, sure)
    }.items():  # fmt: skip
        best = known.optimum(seen, known.saddle_multipliers(seen, 1.0))
        columns = {
            "taught by": name, "class": CLASSES, "share": seen.prior,
            "true cross-entropy": known.class_risks(world, np.log(best)),
            "true error (%)": 100 * known.class_error(world, best),
        }  # fmt: skip
        pieces.append(pd.DataFrame(columns))
    return pd.concat(pieces, ignore_index=True)
