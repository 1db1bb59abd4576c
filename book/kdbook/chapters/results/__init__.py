"""Do the adaptive methods mend the worst classes? Section 5 of Teacher's pet, Table 3."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated

import pandas as pd
from pydantic import Field

from kdbook import tables
from kdbook.compare import Pair, method_name
from kdbook.families import Family, Named
from kdbook.settings import Alpha, FromText, Imbalance, Temperature
from kdbook.tuning import Results as Finished
from kdbook.tuning import TunedSettings, TunedStudy, rescored

TAUGHT = ("distilled", "AdaAlpha", "AdaMargin")
"""The methods with a temperature, in the order of Table 3."""


class Settings(TunedSettings):
    """What the chapter lets a reader set.

    Attributes:
        seeds: as in every study; ``None``: the profile's number, but 5 at most, since every
            temperature is trained anew for each.
        imbalance: long-tail ratio, 1 to 1000; ``None``: the profile's.
        temperatures: among which each method's is chosen, each 0.05 to 100.
        alpha: trust of plain distillation in the teacher, 0 to 1.
        offset: smallest a_y of AdaMargin, above 0, at most 1; the paper does not state it.
    """

    imbalance: Annotated[Imbalance | None, FromText] = None
    temperatures: Annotated[tuple[Temperature, ...], Field(min_length=1), FromText] = (
        1.0, 2.0, 3.0, 4.0, 5.0,
    )  # fmt: skip
    alpha: Alpha = 1.0
    offset: Annotated[float, Field(gt=0.0, le=1.0), FromText] = 0.01


def rarest_log_loss(by_class: pd.DataFrame) -> pd.DataFrame:
    """Mean log-loss over the rarest fifth of the classes: one row per run, keys and the value.

    Args:
        by_class: rows of ``kdbook.tables.per_class``.
    """
    rare = max(1, round(0.2 * by_class["label"].nunique()))
    ordered = by_class.sort_values(["train_count", "label"], ascending=[True, False])
    groups = ordered.groupby(tables.KEYS, dropna=False, sort=False)
    last = groups.head(rare).groupby(tables.KEYS, dropna=False, sort=False)["log_loss"]
    return last.agg(_strict_mean).rename("rarest_log_loss").reset_index()


def measures(num_classes: int) -> dict[str, str]:
    """Table 3's accuracies as columns of ``per_seed`` with names, and the rarest fifth.

    The worst class, and the worst 10 and 20 percent of the classes where those are more than one.
    """
    worst = {f"worst_{k}": f"worst {k} classes" for k in tables.worst_ks(num_classes)[1:-1]}
    return {
        "mean": "mean of the classes", "worst_1": "worst class", **worst, "rarest": "rarest fifth",
    }  # fmt: skip


def pairs(choice: pd.DataFrame) -> list[Pair]:
    """Each method against those before it in Table 3, at its chosen temperature.

    Args:
        choice: from ``kdbook.selection.choose_temperature``, at one ratio.
    """
    at = choice.set_index("method")["temperature"]
    names = ["one-hot", *(method_name(method, at[method]) for method in TAUGHT)]
    return [(later, early) for i, early in enumerate(names) for later in names[i + 1 :]]


def _strict_mean(values: pd.Series) -> float:
    return float(values.mean(skipna=False))


class Results(TunedStudy[Settings]):
    """Its runs and their tables."""

    seeds_by_default = 5
    question = "Do the adaptive methods mend the worst classes, each at its best temperature?"
    Settings = Settings

    def reported(self, results: Finished) -> pd.DataFrame:
        """One row per run of ``members``: ``kdbook.tables.per_seed`` with ``rarest_log_loss``.

        ``rarest_log_loss`` is the mean test log-loss, in nats, over the same classes as ``rarest``:
        unlike an accuracy of few images it moves before a prediction flips.
        """
        rows = super().reported(results)
        return rows.merge(rarest_log_loss(self.per_class(results)), on=tables.KEYS, how="left")

    def chosen_for(
        self, results: Finished, summary: pd.DataFrame, classes: Collection[int]
    ) -> pd.DataFrame:
        """``summary`` with another criterion: the same images choose, some classes count.

        Args:
            results: of ``runs``.
            summary: as ``per_seed`` gives it.
            classes: labels.
        """
        reported, judges = self.parted(results)
        parts = (self.members(), reported), (self.choosing(), judges)
        return rescored(summary, *parts, classes)

    def named_runs(self, family: Family) -> list[Named]:
        """Teacher and one-hot, then the three methods of ``TAUGHT`` at every temperature."""
        rows = family.blind_two()
        for t in self.settings.temperatures:
            rows.append(("distilled", t, family.distilled(t, self.settings.alpha)))
            rows.append(("AdaAlpha", t, family.ada_alpha(t)))
            rows.append(("AdaMargin", t, family.ada_margin(t, self.settings.offset)))
        return rows
