"""What the ten recorded seeds say of distillation, and what is printed of it, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from kdbook import compare, tables
from kdbook.profiles import PROFILES
from kdbook.records import Record, book_record
from kdlib import metrics

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

    from kdbook.chapters.distillation import FirstPrinciples
    from kdlib.runs import RunResult

MEASURES = {"mean": "mean of the classes", "rarest": "rarest fifth"}


def ten_seeds(study: FirstPrinciples) -> tuple[Record, pd.DataFrame]:
    """The recorded students of the chapter on rare classes, at the profile's imbalance ratio.

    They differ from this chapter's in their mix: it is 1, so that the teacher's target is all.
    """
    record = book_record("rare_classes", study.settings.profile)
    rows = record.table[record.table["imbalance"] == PROFILES[record.about.profile].imbalance]
    return record, rows[rows["method"].isin(["one-hot", "distilled"])]


def effects(rows: pd.DataFrame) -> pd.DataFrame:
    """Distilled minus one-hot, paired by seed: a row per measure."""
    taught = compare.full_name(rows, "distilled")
    return compare.compare(rows, [(taught, "one-hot")], MEASURES)


def in_short(record: Record, rows: pd.DataFrame) -> str:
    """The answer, and what it does to students: from the record."""
    mean, rarest = (row for _, row in effects(rows).iterrows())
    heat = rows["temperature"].max()
    return (
        "A teacher tells its student how much an image resembles every other class, the "
        "temperature decides how loudly, and where the teacher is wrong it tells the wrong thing "
        f"just as loudly. Students of long-tailed {record.about.dataset} that heard only their "
        f"teacher (T = {heat:g}) show what that does: against students of the labels, their "
        f"accuracy in the mean of the classes {compare.moved(mean)}, and in the rarest fifth of "
        f"them it {compare.change(rarest)}."
    )


def seed_rows(rows: pd.DataFrame) -> pd.DataFrame:
    """One row per seed, method and measure, as ``pictures.seed_lines`` draws them."""
    long = rows.melt(["seed", "method"], list(MEASURES), "measure", "accuracy")
    long["measure"] = long["measure"].map(MEASURES)
    return long.sort_values("method", ascending=False, kind="stable")


def seeds_headline(rows: pd.DataFrame) -> str:
    """The title of the seeds' lines."""
    said = [f"the {row['measure']} {compare.moves(row)}" for _, row in effects(rows).iterrows()]
    return f"Taught by the teacher alone: {', '.join(said)}"


def remember(rows: pd.DataFrame) -> str:
    """The result as one line of a Markdown list."""
    mean, rarest = (compare.change(row) for _, row in effects(rows).iterrows())
    return (
        "* Students that heard their teacher alone, against students of the labels: "
        f"the mean {mean}; the rarest fifth {rarest}."
    )


def softened(logits: pd.DataFrame, temperature_names: list[str]) -> Styler:
    """Probabilities of one image, a row per temperature."""
    rows = logits.map("{:.3f}".format)
    rows.index = pd.Index(temperature_names, name="T")
    return tables.shown(rows, "What the teacher says of the first image, by class.")


def one_seed(study: FirstPrinciples) -> Styler:
    """Accuracies of the chapter's own trainings."""
    rows = study.table[study.table["seed"] == 0]
    wide = rows.set_index("method")[["mean", "rarest", "worst_1"]]
    wide.columns = pd.Index(["mean of the classes", "rarest fifth", "worst class"])
    settings = study.settings
    return tables.shown(
        wide,
        f"Accuracy in percent on the test images, one seed; T = {settings.temperature:g}, "
        f"α = {settings.alpha:g}.",
    )


def bootstrap_said(one_hot: RunResult, distilled: RunResult) -> str:
    """The difference of two networks in the mean, with its interval over test images."""
    plain, taught = (r.logits("test").argmax(axis=1) for r in (one_hot, distilled))
    labels = one_hot.labels("test")
    gain = metrics.paired_bootstrap(metrics.mean_accuracy, plain, taught, labels)
    mean, low, high = (100 * x for x in (gain.mean, gain.low, gain.high))
    return f"Distilled minus one-hot: {mean:+.1f} points ({low:+.1f} to {high:+.1f})."


def gradient_sizes(sizes: dict[str, dict[str, float]]) -> Styler:
    """Mean length of the gradient: a row per temperature, a column per convention."""
    rows = pd.DataFrame(sizes).T.map("{:.4f}".format).rename_axis("temperature")
    return tables.shown(rows, "Mean length of the teacher's gradient, by what is softened.")
