"""Further tables of the chapter: temperatures, the images that judge a teacher, and records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from pandas.io.formats.style import Styler

from kdbook import compare
from kdbook.chapters.where_the_teacher_errs import TEACHER_VIEWS, agreement, mistakes
from kdbook.records import read_records
from kdbook.tables import shown
from kdlib import metrics

if TYPE_CHECKING:
    from kdbook.chapters.where_the_teacher_errs import WhereTheTeacherErrs

_SCALES = {
    "bias": metrics.DIFFERENCE,
    "distance": metrics.NOT_NEGATIVE,
    "correlation": metrics.SIGNED,
}
_LAST = {
    "tail_accuracy": "accuracy (%)", "tail_log_loss": "log-loss (nats)", "tail_margin": "margin",
    "repeated": "mistakes repeated (%)",
}  # fmt: skip


def scaled(study: WhereTheTeacherErrs) -> pd.DataFrame:
    """Mean over seeds of each method's fitted temperature and of its log-losses."""
    rows = mistakes.rescaled_log_loss(study.members(), study.results())
    return rows.groupby("method", sort=False)[["fitted", "raw", "rescaled"]].mean()


def scaled_table(means: pd.DataFrame) -> Styler:
    """``scaled`` with headings in words."""
    heads = {"fitted": "fitted temperature", "raw": "raw log-loss", "rescaled": "after the fit"}
    caption = (
        "Log-loss on test images in nats, as it is and at the temperature that fits validation."
    )
    return shown(means.rename(columns=heads).map("{:.2f}".format), caption)


def scaled_said(means: pd.DataFrame) -> str:
    """What of the distilled student's log-loss is left after the fit."""
    gap = means.loc["distilled"] - means.loc["teacher"]
    return (
        f"Distilled minus teacher, mean over seeds: {gap['raw']:+.2f} nats on the raw logits, "
        f"{gap['rescaled']:+.2f} with fitted temperatures."
    )


def agreement_table(views: pd.DataFrame) -> Styler:
    """How well each view of the teacher foretells its margins on test images."""
    heard = agreement(views)
    cells = {
        name: compare.with_intervals(heard, name, ["method"], scale)
        .set_index("method")
        .apply(compare.level, axis=1, digits=2)
        for name, scale in _SCALES.items()
    }
    caption = (
        "Class margins of a view against the final teacher's on test images: mean difference, "
        "mean absolute difference, and Spearman's correlation over the classes."
    )
    return shown(pd.DataFrame(cells).rename_axis("view"), caption)


def dev_said(views: pd.DataFrame) -> str:
    """Whether dev images are the better judge, paired within seeds."""
    heard = agreement(views)
    own = views[views["method"] == TEACHER_VIEWS["teacher, training"]]
    seen, unseen = (
        rows.groupby("seed")["accuracy"].mean().mean()
        for rows in (own, views[views["method"] == TEACHER_VIEWS["teacher, test"]])
    )
    return (
        f"In the mean over the classes, the teachers are right on {seen:.1f} % of their own "
        f"training images and {unseen:.1f} % of the test images. Dev minus training, within "
        f"seeds: {_foretold(heard, 'distance')} in the distance (below 0, dev is nearer) and "
        f"{_foretold(heard, 'correlation')} in the correlation (above 0, dev ranks better)."
    )


def _foretold(heard: pd.DataFrame, column: str) -> str:
    wide = heard.pivot(index="seed", columns="method", values=column)
    gap = wide[TEACHER_VIEWS["initial teacher, dev"]] - wide[TEACHER_VIEWS["teacher, training"]]
    return compare.signed(compare.mean_over_seeds(gap.tolist(), metrics.DIFFERENCE), digits=2)


def recorded_tails() -> Any:
    """The last bucket in the records on CIFAR-100, each network and distilled minus one-hot."""
    kept = [r for r in read_records() if r.about.study == "where_the_teacher_errs"]
    larger = [r for r in kept if r.about.dataset != "digits"]
    rows = pd.concat([_levels(r.table) for r in larger] or [pd.DataFrame()])
    caption = (
        "Recorded on CIFAR-100: the last bucket of ten (by the teacher's accuracy on "
        "validation), and the share of the teacher's test mistakes that each network makes too. "
        "Means over seeds."
    )
    return shown(rows, caption) if larger else compare.listed(["Not run yet."])


def _levels(table: pd.DataFrame) -> pd.DataFrame:
    means = table.groupby("method", sort=False)[list(_LAST)].mean().map("{:.2f}".format)
    wide = {name: table.pivot(index="seed", columns="method", values=name) for name in _LAST}
    gaps = {
        name: compare.mean_over_seeds(
            (rows["distilled"] - rows["one-hot"]).tolist(), metrics.DIFFERENCE
        )
        for name, rows in wide.items()
    }
    means.loc["distilled − one-hot"] = {n: compare.signed(row, digits=2) for n, row in gaps.items()}
    return means.rename(columns=_LAST)
