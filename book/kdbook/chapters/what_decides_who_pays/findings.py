"""What the record says, in sentences that follow from it by rule."""

from __future__ import annotations

import pandas as pd
from pandas.io.formats.style import Styler

from kdbook.chapters.what_decides_who_pays import LENGTHS, RATIOS, fits
from kdbook.compare import LEVEL, Row, signed
from kdbook.tables import shown, unbroken

OTHERS = ("size", "temperature", "length")
WITHOUT, BESIDE = "without the share", "beside the share"


def family(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """The rows of one family of runs."""
    return table[table["family"] == name]


def headline(bins: pd.DataFrame) -> str:
    """The title of the first figure: below which share nothing clear is lost, and what is above.

    Args:
        bins: as ``fits.binned`` gives it, all classes together.
    """
    harmed = bins[bins["high"] < -1]
    if harmed.empty:
        return "No share of the target off the label costs a class a clear point"
    first, last = harmed.iloc[0], harmed.iloc[-1]
    return (
        f"With {_bound(first)} % of its target off the label or more, a class loses "
        f"{-first['mean']:.0f} to {-last['mean']:.0f} points of accuracy"
    )


def in_short(table: pd.DataFrame) -> list[str]:
    """Two sentences: what the share does, and what is left of the rest beside it."""
    lengths = family(table, LENGTHS)
    share = fits.coefficients(lengths, ["share"]).iloc[0]
    first = (
        f"For every ten points more of a class's target off the label its accuracy changes by "
        f"{signed(share)} points."
    )
    return [first, size_said(lengths)]


def margin_said(table: pd.DataFrame) -> str:
    """What the teacher's margin on held-out images adds to all the others."""
    row = fits.coefficients(family(table, LENGTHS), ("share", *OTHERS, "margin")).iloc[-1]
    return (
        f"Beside all of these, a class whose teacher has a margin larger by 0.1 on validation "
        f"images changes by {signed(row)}{clear(row)}."
    )


def size_said(lengths: pd.DataFrame) -> str:
    """What the size of a class says by itself, and what is left of it beside the share."""
    alone = fits.coefficients(lengths, OTHERS).set_index("factor").loc["size"]
    beside = fits.coefficients(lengths, ("share", *OTHERS)).set_index("factor").loc["size"]
    left = "no clear difference is left" if beside["p_holm"] > LEVEL else "a difference is left"
    span = f"{beside['mean']:+.1f} points, {beside['low']:+.1f} to {beside['high']:+.1f}"
    return (
        f"A class with twice as many images loses {alone['mean']:.1f} points less; between classes "
        f"with the same share off the label {left} ({span})."
    )


def both_models(table: pd.DataFrame) -> pd.DataFrame:
    """Coefficients of size, temperature and length without the share and beside it, in words."""
    lengths = family(table, LENGTHS)
    models = {WITHOUT: OTHERS, BESIDE: ("share", *OTHERS)}
    rows = [fits.coefficients(lengths, f).assign(model=name) for name, f in models.items()]
    return pd.concat(rows, ignore_index=True)


def models_headline(models: pd.DataFrame) -> str:
    """The title of the second figure: what the size of a class says beside the share."""
    row = _row(models, BESIDE, "size")
    if row["p_holm"] > LEVEL:
        return "Beside the share, the size of a class says nothing clear"
    return f"Beside the share, the size of a class still counts: {signed(row)}"


def _row(models: pd.DataFrame, model: str, factor: str) -> pd.Series:
    return models[(models["model"] == model) & (models["factor"] == factor)].iloc[0]


def explained_said(table: pd.DataFrame) -> str:
    """How much of the changes the share explains, against all the others together."""
    lengths = family(table, LENGTHS)
    share, others = (100 * fits.explained(lengths, f) for f in (["share"], OTHERS))
    both = 100 * fits.explained(lengths, ("share", *OTHERS))
    return (
        f"Alone the share explains {share:.0f} % of the variance of the changes within a seed; "
        f"size, temperature and length together {others:.0f} %; all four {both:.0f} %."
    )


def same_class_said(table: pd.DataFrame) -> str:
    """What the share moves in one class of one seed, where only teacher and temperature change."""
    lengths, fixed = family(table, LENGTHS), fits.CLASS_OF_A_SEED
    row = fits.coefficients(lengths, ["share"], fixed).iloc[0]
    return (
        f"In the same class of the same seed, ten points more off the label go with {signed(row)} "
        "points of accuracy."
    )


def foretold(table: pd.DataFrame) -> pd.DataFrame:
    """The sweep of imbalance ratios, but for the ratio that the bins were taken at."""
    lengths, ratios = family(table, LENGTHS), family(table, RATIOS)
    hot = lengths[lengths["temperature"] == ratios["temperature"].max()]
    return fits.foretold(hot, ratios[ratios["imbalance"] != hot["imbalance"].max()])


def foretold_table(rows: pd.DataFrame) -> Styler:
    """``foretold`` as a page shows it: a row per imbalance ratio, headings in words."""
    cells = {
        "imbalance ratio": [f"{ratio:g}" for ratio in rows["imbalance"]],
        "mean: foretold": [f"{value:+.1f}" for value in rows["foretold"]],
        "mean: found": [signed(row) for _, row in rows.iterrows()],
        "rarest: foretold": [f"{value:+.1f}" for value in rows["rarest_foretold"]],
        "rarest: found": [f"{value:+.1f}" for value in rows["rarest"]],
        "rarest: one-hot (%)": [f"{value:.1f}" for value in rows["rarest_one_hot"]],
    }
    caption = (
        "Change of accuracy in points, distilled minus one-hot; accuracy of one-hot in percent."
    )
    return shown(unbroken(pd.DataFrame(cells)), caption)


def _bound(row: Row) -> str:
    return str(row["bin"]).partition("–")[0]


def clear(row: Row) -> str:
    """Nothing, or that the difference is no clear one."""
    return "" if row["p_holm"] <= LEVEL else ", no clear difference"
