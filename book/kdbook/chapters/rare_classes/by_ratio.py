"""The sweep of imbalance ratios: counts, changes, targets and repeated mistakes, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kdbook import compare, tables
from kdbook.published import DATASETS
from kdlib.losses import teacher_probabilities
from kdlib.runs import RunResult

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

    from kdbook.chapters.rare_classes import RareClasses


def counts(study: RareClasses) -> pd.DataFrame:
    """Training images: one row per ratio (in words) and class."""
    rows = [
        {"label": label, "class_name": study.class_names[label], "ratio": f"ratio {ratio:g}",
         "images": int(images)}
        for ratio in study.ratios()
        for label, images in enumerate(study.data_at(ratio).train.class_counts)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def sweep(study: RareClasses) -> pd.DataFrame:
    """Distilled minus one-hot in the rarest fifth, a row per ratio, beside the level of one-hot."""
    wanted = {"rarest": "rarest fifth"}
    rows = [study.compare("distilled", "one-hot", measures=wanted, ratio=r) for r in study.ratios()]
    plain = study.table[study.table["method"] == "one-hot"].groupby("imbalance")["rarest"].mean()
    found = pd.concat(rows, ignore_index=True).assign(ratio=study.ratios())
    found["one-hot"] = [plain[ratio] for ratio in study.ratios()]
    found["comparison"] = [
        f"ratio {row.ratio:g} (one-hot {level:.0f} %)"
        for row, level in zip(found.itertuples(), found["one-hot"], strict=True)
    ]
    return found


def sweep_headline(found: pd.DataFrame) -> str:
    """The title of the sweep: at which ratios rare classes lose."""
    lost = found[[compare.verdict(row) == "down" for _, row in found.iterrows()]]
    if lost.empty:
        return "At no ratio do rare classes lose clearly"
    ratios = ", ".join(f"{ratio:g}" for ratio in lost["ratio"])
    return f"Rarest fifth: a clear loss at ratio {ratios} of {len(found)} ratios"


def sweep_shown(found: pd.DataFrame) -> Styler:
    """The sweep in numbers."""
    rows = pd.DataFrame(
        {
            "ratio": [f"{ratio:g}" for ratio in found["ratio"]],
            "one-hot (%)": found["one-hot"],
            "distilled − one-hot (points)": found["cell"],
            "seeds": found["seeds"],
        }
    )
    return tables.shown(rows, "Rarest fifth of the classes, at every ratio.")


def trained(study: RareClasses) -> Styler:
    """How many networks were trained of each kind."""
    rows = study.table.groupby(["imbalance", "method"])["run"].nunique().unstack()
    rows.index = pd.Index([f"{ratio:g}" for ratio in rows.index], name="ratio")
    return tables.shown(rows.rename_axis(columns=None), "Networks trained, by ratio and method.")


def worst_classes(study: RareClasses) -> Styler:
    """How often each class is the worst at the study's ratio, by method."""
    at = study.class_table[study.class_table["imbalance"] == study.ratio]
    lowest = at.loc[at.groupby(["method", "seed"])["accuracy"].idxmin()]
    names = "class " + lowest["label"].map(dict(enumerate(study.class_names)))
    rows = pd.crosstab(lowest["method"], names).rename_axis(columns=None)
    return tables.shown(rows, "In how many seeds a class is the worst.")


def off_label(teacher: RunResult, temperature: float, alpha: float) -> np.ndarray:
    """Percent of the target off the label, mean over the training images of each class, ``[L]``."""
    logits, labels = tables.training_logits(teacher)
    own = teacher_probabilities(logits, temperature).gather(1, labels[:, None])[:, 0]
    return np.array(tables.class_averages(100 * alpha * (1 - own), labels, logits.shape[1]))


def told(study: RareClasses) -> pd.DataFrame:
    """``off_label`` of the teachers, mean over the seeds: a row per ratio, a column per class."""
    heat, alpha = study.settings.temperature, study.settings.alpha
    rows = [
        np.mean([off_label(r, heat, alpha) for r in study.results_of("teacher", ratio)], axis=0)
        for ratio in study.ratios()
    ]
    index = pd.Index([f"{ratio:g}" for ratio in study.ratios()], name="ratio")
    return pd.DataFrame(rows, index, list(study.class_names))


def told_shown(shares: pd.DataFrame) -> Styler:
    """``told`` as a table, at most ten of the classes."""
    few = shares.iloc[:, :: max(1, shares.shape[1] // 10)]
    return tables.shown(few, "Percent of the target off the label, by class and ratio.")


def told_said(study: RareClasses, shares: pd.DataFrame) -> str:
    """The two ends of the tail at the study's ratio."""
    row = shares.loc[f"{study.ratio:g}"]
    return (
        f"At ratio {study.ratio:g}, {row.iloc[0]:.1f} % of the target lies off the label in the "
        f"most frequent class, and {row.iloc[-1]:.1f} % in the rarest."
    )


def repeated_said(study: RareClasses) -> str:
    """How often students repeat their teacher's mistakes in the rarest fifth of the classes."""
    teachers, plain, taught = map(study.results_of, ("teacher", "one-hot", "distilled"))
    by_plain = [_repeated(study, *pair) for pair in zip(teachers, plain, strict=True)]
    by_taught = [_repeated(study, *pair) for pair in zip(teachers, taught, strict=True)]
    gap = compare.mean_over_seeds(np.subtract(by_taught, by_plain).tolist())
    return (
        f"The one-hot student repeats {np.mean(by_plain):.0f} % of these mistakes, the distilled "
        f"one {np.mean(by_taught):.0f} %. The share {compare.change(gap)}."
    )


def printed(study: RareClasses) -> Styler:
    """What Table 1 prints of a ResNet-56: a row per data set, a column per measure."""
    rows = study.published(table="Table 1", teacher="resnet56")
    wide = rows.pivot(index="dataset", columns="metric", values="value").rename(
        index=DATASETS,
        columns={
            "delta_mean_accuracy": "mean", "delta_worst_1": "worst class",
            "delta_worst_10": "worst 10 classes",
        },
    )  # fmt: skip
    text = wide.map("{:+.2f}".format, na_action="ignore")
    text = text.rename_axis(index="data set", columns=None)
    return tables.shown(text, "Distilled minus one-hot in points, as Table 1 prints it.")


def beside_paper(study: RareClasses) -> Styler:
    """Our differences beside those that Table 1 prints of CIFAR-100-LT."""
    claim = study.published(table="Table 1", teacher="resnet56")
    printed = claim[claim["dataset"] == "cifar100_lt"]["value"].to_numpy()
    here = study.compare("distilled", "one-hot")
    here = here[here["measure"] != "rarest fifth"].set_index("measure")
    columns = {
        "paper": [f"{value:+.2f}" for value in printed],
        "here": here["cell"],
        "sign": study.beside_paper(here, list(printed)),
    }
    ours = f"{study.profile.dataset}, ratio {study.ratio:g}, {study.profile.model.title}"
    return tables.shown(
        tables.unbroken(pd.DataFrame(columns)),
        "Distilled minus one-hot, in points. Paper: CIFAR-100-LT, ratio 100, ResNet-56. "
        f"Here: {ours}.",
    )


def _repeated(study: RareClasses, teacher: RunResult, student: RunResult) -> float:
    guess, copy = (r.logits("test").argmax(axis=1) for r in (teacher, student))
    labels, size = teacher.labels("test"), len(study.class_names)
    wrong = (guess != labels) & (labels >= size - max(1, size // 5))
    return float(100 * (copy == guess)[wrong].mean())
