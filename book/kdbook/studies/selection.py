"""Which temperature a method gets: chosen on validation images, never on test images.

The criterion is the highest mean validation accuracy; of equal ones the smaller temperature is
taken. A temperature at which a training diverged (NaN) loses to every one at which none did. A
method without a teacher has no temperature, so nothing is chosen for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from kdlib.errors import SettingError

CRITERION = "validation"
"""The column that chooses: mean validation accuracy of the classes, in percent."""

ARM = ["method", "imbalance"]


def choose_temperature(per_seed: pd.DataFrame, by: str = CRITERION) -> pd.DataFrame:
    """One temperature a method and ratio, by the mean of ``by`` over all seeds.

    Args:
        per_seed: rows of ``kdbook.studies.tables.per_seed``. Each temperature of a method must have
            the same seeds.
        by: the column that is made as large as possible.

    Returns:
        One row a method and ratio: method, imbalance, temperature, score (the mean of ``by``).

    Raises:
        SettingError: two temperatures of a method were trained for different seeds.
    """
    taught = _taught(per_seed)
    _check_same_seeds(taught)
    scores = taught.groupby([*ARM, "temperature"], sort=False)[by].agg(_mean_or_nan)
    return _best(scores.rename("score").reset_index(), ARM)


def choose_by_seed(per_seed: pd.DataFrame, by: str = CRITERION) -> pd.DataFrame:
    """One temperature a method, ratio and seed, by that seed's ``by`` alone.

    So the choice is part of what is repeated, and an interval over seeds covers its luck too.

    Args:
        per_seed: rows of ``kdbook.studies.tables.per_seed``.
        by: the column that is made as large as possible.

    Returns:
        One row a method, ratio and seed: method, imbalance, seed, temperature, score.

    Raises:
        SettingError: two temperatures of a method were trained for different seeds.
    """
    taught = _taught(per_seed)
    _check_same_seeds(taught)
    return _best(taught.assign(score=taught[by]), [*ARM, "seed"])


def at_chosen(per_seed: pd.DataFrame, choice: pd.DataFrame) -> pd.DataFrame:
    """The rows at the chosen temperatures, and all rows of methods without one.

    Args:
        per_seed: rows of ``kdbook.studies.tables.per_seed`` or ``per_class``.
        choice: from ``choose_temperature`` or ``choose_by_seed``.
    """
    keys = [name for name in (*ARM, "seed", "temperature") if name in choice.columns]
    kept = pd.MultiIndex.from_frame(choice[keys])
    chosen = pd.MultiIndex.from_frame(per_seed[keys]).isin(kept)
    return per_seed[chosen | per_seed["temperature"].isna()].reset_index(drop=True)


def gap_to_peeking(per_seed: pd.DataFrame, measure: str) -> pd.DataFrame:
    """What would have been printed had the printed measure itself chosen the temperature.

    Each seed chooses for itself, once by validation and once by ``measure``. The second choice can
    only look better: part of the gap is luck on just these test images.

    Args:
        per_seed: rows of ``kdbook.studies.tables.per_seed``.
        measure: a column of test results, the larger the better.

    Returns:
        One row a method, ratio and seed: method, imbalance, seed, honest, peeked (``measure`` at
        either choice), gap (peeked minus honest, 0 or more).
    """
    keys = [*ARM, "seed"]
    taught = _taught(per_seed)
    honest = at_chosen(taught, choose_by_seed(taught)).set_index(keys)[measure]
    peeked = at_chosen(taught, choose_by_seed(taught, measure)).set_index(keys)[measure]
    both = pd.DataFrame({"honest": honest, "peeked": peeked}).reset_index()
    return both.assign(gap=both["peeked"] - both["honest"])


def _taught(per_seed: pd.DataFrame) -> pd.DataFrame:
    return per_seed[per_seed["temperature"].notna()]


def _as_tuple(seeds: pd.Series) -> tuple[int, ...]:
    return tuple(sorted(seeds))


def _mean_or_nan(values: pd.Series) -> float:
    return float(values.mean(skipna=False))


def _best(scores: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The row of highest score in each group; NaN is lowest, and ties go to the smaller T."""
    group = scores.groupby(list(by), sort=False).ngroup()
    ranked = scores.assign(group=group, rank=scores["score"].fillna(-np.inf))
    ranked = ranked.sort_values(["group", "rank", "temperature"], ascending=[True, False, True])
    best = ranked.drop_duplicates("group")
    return best[[*by, "temperature", "score"]].reset_index(drop=True)


def _check_same_seeds(taught: pd.DataFrame) -> None:
    seeds = taught.groupby([*ARM, "temperature"])["seed"].agg(_as_tuple)
    kinds = seeds.groupby(level=ARM).nunique()
    for method in kinds[kinds > 1].index.get_level_values("method"):
        raise SettingError(
            f"{method} has other seeds at other temperatures: train each for the same seeds"
        )
