"""How much luck lies in the trust of the rarest class, and of each class by its own images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from kdbook import tables
from kdbook.chapters.trusting_the_teacher_less import estimates
from kdlib.data import long_tailed_counts

if TYPE_CHECKING:
    from pandas.io.formats.style import Styler

_IN_WORDS = {"true": "trust of the pool", "spread": "spread", "bias": "bias", "flips": "flips (%)"}


def rarest_class(pool: pd.DataFrame, drawn: pd.DataFrame) -> Styler:
    """The rarest class at each number of dev images: drawn, and by the formula of a normal margin.

    Args:
        pool: as ``estimates.held_out_margins`` gives it.
        drawn: as ``estimates.estimates`` gives it.
    """
    last, luck = pool["label"].max(), estimates.over_teachers(drawn)
    rows = luck[luck["label"] == last].set_index("n")[list(_IN_WORDS)].rename(columns=_IN_WORDS)
    margins = pool[pool["label"] == last]
    rows["bias by formula"] = [bias_by_formula(margins, n) for n in rows.index]
    rows["flips, all classes (%)"] = 100 * drawn.groupby("n")["flips"].mean()
    rows["flips (%)"] *= 100
    return tables.shown(_rounded(rows), "The rarest class, by its number n of dev images.")


def own_images(
    pool: pd.DataFrame, drawn: pd.DataFrame, held_out: Sequence[int], names: Sequence[str]
) -> pd.DataFrame:
    """Each class at the dev images that it has, beside 20 of them, and the luck of the teacher.

    Args:
        pool: as ``estimates.held_out_margins`` gives it.
        drawn: as ``estimates.estimates`` gives it; 20 is among its sizes.
        held_out: dev images of each class, by label.
        names: of the classes, by label.
    """
    own = estimates.over_teachers(estimates.estimates(pool, sorted({n for n in held_out if n})))
    own = own.set_index(["label", "n"]).reindex(list(enumerate(held_out))).reset_index()
    at_20 = drawn[drawn["n"] == 20].groupby("label")
    columns = {
        "dev images": own["n"], "spread": own["spread"], "spread at 20": at_20["spread"].mean(),
        "between teachers": at_20["true"].std(),
        "flips (%)": 100 * own["flips"], "flips at 20 (%)": 100 * at_20["flips"].mean(),
    }  # fmt: skip
    return pd.DataFrame(columns).set_axis(pd.Index(names, name="class"))


def own_images_shown(rows: pd.DataFrame) -> Styler:
    """``own_images`` as a table, at most ten of its classes."""
    few = rows.iloc[:: max(1, len(rows) // 10)]
    return tables.shown(
        _rounded(few), "The luck in the trust of each class, and what 20 images buy."
    )


def rarest_said(rows: pd.DataFrame) -> str:
    """What the paper's rule leaves to its rarest classes, and to that of ``own_images``."""
    few, last = sum(count < 40 for count in long_tailed_counts(500, 100, 100.0)), rows.iloc[-1]
    return (
        f"On the paper's CIFAR-100-LT, {few} of 100 classes have fewer than 40 images, and so "
        f"fewer than 20 dev images. The rarest class here has {last['dev images']:.0f}: its "
        f"decision flips in {last['flips (%)']:.0f} % of the draws, and with 20 images in "
        f"{last['flips at 20 (%)']:.0f} %."
    )


def bias_by_formula(margins: pd.DataFrame, n: int) -> float:
    """How far the mean trust from n normal margins of a class lies above that of all of them."""
    by_teacher = margins.groupby("seed")["margin"]
    pairs = zip(by_teacher.mean(), by_teacher.std(ddof=0) / np.sqrt(n), strict=True)
    return float(np.mean([estimates.clipped_normal_mean(m, s) - max(0.0, m) for m, s in pairs]))


def _rounded(rows: pd.DataFrame) -> pd.DataFrame:
    """Shares as text with three digits behind the point; counts and percent keep one or none."""
    forms = {"dev images": "{:.0f}"} | {name: "{:.1f}" for name in map(str, rows) if "(%)" in name}
    text = {c: rows[c].map(forms.get(str(c), "{:.3f}").format, na_action="ignore") for c in rows}
    return pd.DataFrame(text, rows.index)
