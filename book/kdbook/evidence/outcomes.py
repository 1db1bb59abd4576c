"""What the plan asked of its blocks, in its order, and what the records answer.

The questions are those of ``book/results/plan.md``, written before the first run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from kdbook.compare import compare, paired_differences, with_intervals
from kdbook.evidence.records import TWO_CORES, read_block
from kdbook.places import records_folder
from kdlib.metrics import FEWEST_REPEATS, holm

TENTHS = 10
_OF_TENTHS = ("method", "label", "class_name", "mean", "low", "high", "seeds", "p")


@dataclass(frozen=True)
class Outcome:
    """A difference of two methods of one block.

    Attributes:
        number: in the plan.
        block: whose runs answer it.
        method: by the block's names.
        baseline: taken from it, seed by seed.
        column: of the block's table.
        measure: the same in words.
    """

    number: int
    block: str
    method: str
    baseline: str
    column: str
    measure: str


_WORST_10 = ("worst_10", "ten worst classes")
PRIMARY = (
    Outcome(1, "b", "distilled", "one-hot", "mean", "mean of the classes"),
    Outcome(2, "b", "distilled", "one-hot", *_WORST_10),
    Outcome(3, "b", "AdaAlpha", "distilled", *_WORST_10),
    Outcome(4, "b", "AdaMargin", "distilled", *_WORST_10),
    Outcome(5, "c", "std/rob-d", "std/std-d", "worst_1", "worst class"),
    Outcome(6, "c", "rob/rob-d", "std/rob-d", "worst_1", "worst class"),
)

LONGER = tuple(replace(outcome, block="b2") for outcome in PRIMARY[:3])
"""The first three at 200 epochs: a family of its own, by the plan's line of 2026-11-27."""

LATER = (Outcome(7, "c", "bal/rob-d", "rob/rob-d", "worst_1", "worst class"),)
"""The pair on which the paper rests that robust twice is not best: a family of its own as well, by
a later line of that day. One of the two is a cell of block d2."""

_ASKED = (*PRIMARY, *LONGER, *LATER)

_FURTHER = {"c": ("d2",)}
"""Blocks whose cells stand beside those of another, with its seeds and images."""


def _without_floor(worst: str, words: str) -> dict[str, str]:
    return {
        "rarest": "rarest fifth of the classes",
        worst: words,
        "log_loss_rarest": "log-loss in the rarest fifth (nats)",
        "margin_rarest": "margin in the rarest fifth",
        "off_label": "share of the target off the label (points)",
    }


SECONDARY = {
    "b": _without_floor("worst_20", "20 worst classes"),
    "b2": _without_floor("worst_20", "20 worst classes"),
    "c": {**_without_floor("worst_2", "two worst classes"), "mean": "mean (not in the plan)"},
}
"""By block the measures without a floor, and the share off the label; columns of its table."""


def blocks_folder() -> Path:
    """Where the book keeps the records of blocks."""
    return records_folder() / "evidence"


Rows = tuple[pd.DataFrame, pd.DataFrame]
"""Rows per run, and rows per run and class with the run's method and seed."""


def rows_of(folder: Path, block: str, methods: tuple[str, ...]) -> Rows | None:
    """A block's rows of these methods, of the seeds that have all of them, from one machine.

    Args:
        folder: as ``blocks_folder``. What two cores have trained lies in a folder of its own below.
            By the plan the blocks of primary outcomes are read there, and nowhere else once they
            are begun there; others where a GPU has trained them.
        block: its name.
        methods: by the block's names.

    Returns:
        ``None`` where fewer seeds have all of the methods than an interval needs.
    """
    planned = block in {outcome.block for outcome in PRIMARY}
    places = (folder / TWO_CORES, folder) if planned else (folder, folder / TWO_CORES)
    begun = (place for place in places if read_block(place, block) is not None)
    return _rows_in(next(begun, folder), block, methods)


def _rows_in(place: Path, block: str, methods: tuple[str, ...]) -> Rows | None:
    names = (block, *_FURTHER.get(block, ()))
    found = [read for name in names if (read := read_block(place, name)) is not None]
    if not found:
        return None
    rows = pd.concat([rows[rows["method"].isin(methods)] for rows, _, _ in found])
    rows = rows[rows.groupby("seed")["method"].transform("nunique") == len(methods)]
    if rows["seed"].nunique() < FEWEST_REPEATS:
        return None
    classes = pd.concat([classes for _, classes, _ in found])
    return rows, rows[["run", "method", "seed"]].merge(classes, on="run")


def primary(folder: Path | None = None) -> pd.DataFrame:
    """One row for each primary outcome, in the order of the plan.

    Args:
        folder: by default the book's.

    Returns:
        Columns: number, block, comparison, measure, mean, low, high (95 % interval, percentage
        points), seeds, p (paired t-test) and p_corrected. Of what has not been run the numbers are
        NaN. P-values are corrected by Holm's procedure where all outcomes are there; before,
        each is multiplied by their number, which is at least as strict.
    """
    return _family(PRIMARY, partial(rows_of, folder or blocks_folder()))


def longer(folder: Path | None = None) -> pd.DataFrame:
    """The same of ``LONGER``, corrected for these three alone.

    Args:
        folder: by default the book's.
    """
    return _family(LONGER, partial(rows_of, folder or blocks_folder()))


def later(folder: Path | None = None) -> pd.DataFrame:
    """The same of ``LATER``, tested by itself.

    Args:
        folder: by default the book's.
    """
    return _family(LATER, partial(rows_of, folder or blocks_folder()))


def again(folder: Path | None = None) -> pd.DataFrame:
    """The outcomes of block c once more, as a GPU trained them; their p-values decide nothing.

    Args:
        folder: by default the book's.
    """
    return _family(PRIMARY[4:], partial(_rows_in, folder or blocks_folder()))


UNPLANNED = {
    "distilling alone": (("std/std-d", "one-hot"),),
    "a balanced student": tuple(
        ("std/bal-d", other) for other in ("std/rob-d", "rob/rob-d", "bal/rob-d")
    ),
}
"""By question the pairs of block c that were compared afterwards."""


def unplanned(question: str, folder: Path | None = None) -> pd.DataFrame:
    """Worst class and mean of pairs on CIFAR-10-LT: asked afterwards, so they decide nothing.

    Args:
        question: of ``UNPLANNED``.
        folder: by default the book's.
    """
    measures = (("worst_1", "worst class"), ("mean", "mean"))
    asked = [Outcome(0, "c", *pair, *one) for pair in UNPLANNED[question] for one in measures]
    return _family(asked, partial(rows_of, folder or blocks_folder()))


CELLS = ("std/std-d", "std/bal-d", "std/rob-d", "bal/rob-d", "rob/rob-d")
"""Teacher and student of block c, and of d2 beside it, with teacher labels."""


def cells(folder: Path | None = None) -> pd.DataFrame:
    """What students of ``CELLS`` reach, as far as enough seeds are there.

    Args:
        folder: by default the book's.

    Returns:
        One row per cell and measure (``worst_1``, ``mean``): method, measure, mean, low, high (95 %
        interval over seeds, in percent) and seeds.
    """
    place = folder or blocks_folder()
    rows = [found[0] for name in CELLS if (found := rows_of(place, "c", (name,))) is not None]
    if not rows:
        return pd.DataFrame(columns=["method", "measure", "mean", "low", "high", "seeds"])
    each = [
        with_intervals(pd.concat(rows), column, ["method"]).assign(measure=column)
        for column in ("worst_1", "mean")
    ]
    return pd.concat(each, ignore_index=True)


Find = Callable[[str, tuple[str, ...]], Rows | None]
"""From a block and methods to their rows."""


def _family(outcomes: Sequence[Outcome], find: Find) -> pd.DataFrame:
    rows = pd.DataFrame([_measured(find, outcome) for outcome in outcomes])
    return rows.assign(p_corrected=_corrected(rows["p"].to_numpy(dtype=float)))


def secondary(folder: Path | None = None, block: str = "b") -> pd.DataFrame:
    """The pairs of the outcomes of a block on the measures without a floor; no verdicts.

    Columns: comparison, measure, mean, low, high, seeds. Pairs that were not run are left out, and
    so is the share off the label where one of the pair has no teacher or both are told the same.

    Args:
        folder: by default the book's.
        block: ``b``, ``b2`` or ``c``.
    """
    asked = [outcome for outcome in _ASKED if outcome.block == block]
    pairs = dict.fromkeys((o.method, o.baseline) for o in asked)
    found = [_secondary_of(folder or blocks_folder(), block, *pair) for pair in pairs]
    return pd.concat(found, ignore_index=True)


BASELINES = {"b": "one-hot", "b2": "one-hot", "c": "std/std-d"}
"""What the other students of a block are drawn against."""


def by_frequency(
    folder: Path | None = None, measure: str = "accuracy", block: str = "b"
) -> pd.DataFrame:
    """A block by tenths of its classes: how a measure changes against its baseline.

    Args:
        folder: by default the book's.
        measure: ``accuracy`` (percentage points), ``log_loss`` (nats) or ``margin`` (-1 to 1).
        block: of ``BASELINES``; a tenth of c is one class.

    Returns:
        One row per method and tenth, the most frequent classes first: method, label (from 0),
        class_name (most and fewest training images of its classes, in two lines, or their number),
        mean, low, high (95 % intervals over seeds), seeds, p (not corrected). Empty where nothing
        was run.
    """
    taught = dict.fromkeys(o.method for o in _ASKED if o.block == block)
    pairs = [(method, BASELINES[block]) for method in taught]
    each = [_tenths(folder or blocks_folder(), block, pair, measure) for pair in pairs]
    found = [rows for rows in each if not rows.empty]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=_OF_TENTHS)


def _tenths(folder: Path, block: str, pair: tuple[str, str], measure: str) -> pd.DataFrame:
    rows_and_classes = rows_of(folder, block, pair)
    if rows_and_classes is None:
        return pd.DataFrame()
    found = rows_and_classes[1]
    tenth = found["label"] * TENTHS // found["label"].nunique()
    means = found.assign(tenth=tenth).groupby(["method", "tenth", "seed"], as_index=False)
    rows = means[measure].mean().assign(temperature=np.nan)
    changes = paired_differences(rows, measure, pair[1], ["tenth"])
    images = found.groupby(tenth)["train_count"].agg(["max", "min"])
    counts = images.to_numpy()
    names = [str(high) if high == low else f"{high}–\n{low}" for high, low in counts]
    each = changes["tenth"].map(dict(enumerate(names)))
    return changes.assign(label=changes["tenth"], class_name=each)[list(_OF_TENTHS)]


def _measured(find: Find, outcome: Outcome) -> dict[str, object]:
    pair = (outcome.method, outcome.baseline)
    start = {"number": outcome.number, "block": outcome.block}
    names = {"comparison": " − ".join(pair), "measure": outcome.measure}
    found = find(outcome.block, pair)
    if found is None:
        nothing = dict.fromkeys(("mean", "low", "high", "p"), np.nan)
        return {**start, **names, **nothing, "seeds": 0}
    row = compare(_unheated(found[0]), [pair], {outcome.column: outcome.measure}).iloc[0]
    return {**start, **names, **{name: row[name] for name in ("mean", "low", "high", "seeds", "p")}}


def _unheated(rows: pd.DataFrame) -> pd.DataFrame:
    """Each method of a block has one temperature, so its name needs none."""
    return rows.assign(temperature=np.nan)


def _corrected(p: np.ndarray) -> np.ndarray:
    if np.isnan(p).any():
        return np.minimum(1.0, len(p) * p)
    return np.asarray(holm(list(p)))


def _secondary_of(folder: Path, block: str, method: str, baseline: str) -> pd.DataFrame:
    found = rows_of(folder, block, (method, baseline))
    if found is None:
        return pd.DataFrame()
    has = found[0][list(SECONDARY[block])].notna().all()
    wanted = {column: words for column, words in SECONDARY[block].items() if has[column]}
    rows = compare(_unheated(found[0]), [(method, baseline)], wanted)
    rows = rows[rows["low"].notna()]
    return rows[["comparison", "measure", "mean", "low", "high", "seeds"]]
