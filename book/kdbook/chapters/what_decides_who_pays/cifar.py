"""The share off the label on CIFAR-100-LT: the plan's pilots, and the classes of two blocks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from pandas.io.formats.style import Styler

from kdbook.chapters.what_decides_who_pays import fits
from kdbook.chapters.what_decides_who_pays.findings import clear
from kdbook.compare import signed
from kdbook.evidence.blocks import BLOCKS
from kdbook.evidence.outcomes import blocks_folder, rows_of
from kdbook.evidence.records import read_block
from kdbook.tables import shown

SHORT, LONG = "b", "b2"
"""The blocks of 60 and of 200 epochs."""
MEASURES = {"accuracy": "difference", "log_loss": "log_loss", "margin": "margin"}
"""By column of a block's classes what its change is called in ``classes``."""
IMBALANCE = 100.0
RAREST_FIFTH = 0.8
"""Of the labels, which are sorted by size: where it begins."""
_PAIR = ("label", "seed")


def classes(
    folder: Path | None = None, methods: tuple[str, ...] = ("distilled",), block: str = SHORT
) -> pd.DataFrame:
    """What each class of a block's students changes by, beside the share off its label.

    Args:
        folder: as ``kdbook.evidence.outcomes.blocks_folder``.
        methods: whose changes against the one-hot student of the seed, each at one temperature.
        block: ``SHORT`` or ``LONG``.

    Returns:
        A row per method, seed and class, as ``fits`` takes them: method, seed, label, train_count,
        off_label (percent), teacher_epochs, student_epochs, temperature, one_hot (accuracy in
        percent); ``difference`` of the accuracy in points, of the ``log_loss`` in nats, of the
        ``margin``. Empty where fewer than three seeds have all of the methods.
    """
    found = rows_of(folder or blocks_folder(), block, (*methods, "one-hot"))
    if found is None:
        return pd.DataFrame()
    rows, every = found
    plain = (
        every[every["method"] == "one-hot"]
        .set_index(list(_PAIR))[list(MEASURES)]
        .add_suffix("_plain")
    )
    taught = every[every["method"] != "one-hot"].join(plain, on=list(_PAIR))
    changes = {
        name: taught[measure] - taught[f"{measure}_plain"] for measure, name in MEASURES.items()
    }
    epochs = BLOCKS[block].runs[0].recipe.epochs
    columns = ["method", "seed", "label", "train_count", "off_label"]
    return taught[columns].assign(
        temperature=taught["run"].map(rows.set_index("run")["temperature"]),
        teacher_epochs=epochs, student_epochs=epochs, one_hot=taught["accuracy_plain"], **changes,
    )  # fmt: skip


def both_lengths(folder: Path | None = None) -> pd.DataFrame:
    """``classes`` of the distilled students of 60 and of 200 epochs."""
    return pd.concat([classes(folder, block=block) for block in (SHORT, LONG)], ignore_index=True)


def headline(both: pd.DataFrame) -> str:
    """The title of the figure: which classes gain and which lose, by their share, at each length.

    Args:
        both: ``both_lengths``.
    """
    said = _at_each_length(both, _gains_and_losses)
    return f"CIFAR-100-LT by share off the label: classes {said}"


def _at_each_length(both: pd.DataFrame, said: Callable[[pd.DataFrame], str]) -> str:
    lengths = both.groupby("teacher_epochs")
    return "; ".join(f"at {epochs:.0f} epochs {said(rows)}" for epochs, rows in lengths)


def _gains_and_losses(rows: pd.DataFrame) -> str:
    bins = fits.binned(rows)
    gains, losses = bins[bins["low"] > 0], bins[bins["high"] < 0]
    said = [
        f"{verb} with {_ends(some)}"
        for verb, some in (("gain", gains), ("lose", losses))
        if len(some)
    ]
    return " and ".join(said) if said else "do not clearly change"


def _ends(bins: pd.DataFrame) -> str:
    low, high = bins["bin"].iloc[0].partition("–")[0], bins["bin"].iloc[-1].partition("–")[2]
    return f"{low} to {high}"


def said(both: pd.DataFrame) -> str:
    """Share and size on CIFAR, each beside the other, at each length.

    Args:
        both: ``both_lengths``.
    """
    return (
        "Per ten points more of its target off the label a class changes "
        f"{_at_each_length(both, _slopes_said)} ({both['seed'].nunique()} seeds)."
    )


def _slopes_said(rows: pd.DataFrame) -> str:
    alone = fits.coefficients(rows, ["share"]).iloc[0]
    beside = fits.coefficients(rows, ["share", "size"]).iloc[0]
    return f"by {signed(alone)} points, beside its size by {signed(beside)}{clear(beside)}"


def foretold_said(both: pd.DataFrame) -> str:
    """What the bins of the shorter training foretell of the longer, and what was found there.

    Args:
        both: ``both_lengths``.
    """
    few, many = both["teacher_epochs"].min(), both["teacher_epochs"].max()
    share = both.groupby("teacher_epochs")["off_label"].mean()
    short = both[both["teacher_epochs"] == few]
    long = both[both["teacher_epochs"] == many].assign(imbalance=IMBALANCE)
    rare = long["label"] >= RAREST_FIFTH * (long["label"].max() + 1)
    mean, rarest = (fits.foretold(short, rows).iloc[0] for rows in (long, long[rare]))
    return (
        f"From {few:.0f} epochs to {many:.0f} the mean share falls from {share[few]:.0f} to "
        f"{share[many]:.0f} %. By the bins of {few:.0f} epochs the mean of the classes should "
        f"change by {mean['foretold']:+.1f} points at {many:.0f}, and it does by {signed(mean)}; "
        f"the rarest fifth by {rarest['foretold']:+.1f}, and it does by {signed(rarest)}."
    )


def same_class_said(both: pd.DataFrame) -> str:
    """What the share moves in one class of one seed, where AdaAlpha lowers it.

    Args:
        both: ``classes`` of distilled and AdaAlpha students.
    """
    share = both.groupby("method")["off_label"].mean()
    row = fits.coefficients(both, ["share"], ("seed", "label")).iloc[0]
    return (
        f"AdaAlpha takes the mean share from {share['distilled']:.0f} to "
        f"{share['AdaAlpha']:.0f} %; in the same class of the same seed ten points more go with "
        f"{signed(row)} points of accuracy{clear(row)}."
    )


def pilot(folder: Path | None = None) -> pd.DataFrame:
    """A row per length and temperature: share of the target off the label, and what it came with.

    Args:
        folder: as ``kdbook.evidence.outcomes.blocks_folder``.

    Returns:
        Index: epochs (of teacher and student alike) and temperature. Columns in words: the share in
        percent, its mean over classes and that in the rarest fifth; mean accuracy over the classes
        on dev images, distilled minus one-hot, in percentage points.
    """
    found = [read_block(folder or blocks_folder(), name) for name in ("a", "a2")]
    table = pd.concat([one[0] for one in found if one is not None])
    plain = table[table["method"] == "one-hot"].set_index("epochs")["dev"]
    taught = table[table["method"] == "distilled"].sort_values(["epochs", "temperature"])
    change = taught["dev"] - taught["epochs"].map(plain)
    shown = pd.DataFrame(
        {
            "off the label (%)": taught["off_label"].map("{:.1f}".format),
            "rarest fifth (%)": taught["off_label_rarest"].map("{:.1f}".format),
            "distilled − one-hot": change.map("{:+.1f}".format),
        }
    )
    shown.index = pd.MultiIndex.from_frame(taught[["epochs", "temperature"]])
    return shown


def pilot_table(folder: Path | None = None) -> Styler:
    """``pilot`` as a page shows it."""
    return shown(
        pilot(folder),
        "CIFAR-100-LT, one seed: share of the target off the label, and the mean accuracy on dev "
        "images, distilled minus one-hot, in points.",
    )
