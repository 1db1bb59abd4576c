"""Which temperature a method gets: chosen on images that no reported number is of.

Which these are is the paper's protocol (``kdbook.protocol``); a table says it by the column
that chooses. The criterion is made as large as possible; of equal ones the smaller temperature is
taken. A temperature at which a training diverged (NaN) loses to every one at which none did. A
method without a teacher has no temperature, so nothing is chosen for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from kdlib.errors import SettingError

DEV = "dev"
"""Column: mean accuracy over the classes on dev, in percent, of students that have not seen it."""
VALIDATION_WORST = "validation_worst"
"""Column: accuracy of the worst class on validation, in percent."""
VALIDATION = "validation"
"""Column: mean accuracy over the classes on validation, in percent."""

CRITERIA = (DEV, VALIDATION_WORST, "select_worst", VALIDATION)
"""Columns that may choose: the first of them that a table has does."""

VALIDATION_TEMPERATURE = "validation_temperature"
"""Column: of the teacher's probabilities on validation images; NaN where these are not asked."""

ARM = ["method", "imbalance"]
_CHOSEN = ["temperature", VALIDATION_TEMPERATURE]


def criterion(per_seed: pd.DataFrame) -> str:
    """The column of a table that chooses.

    Raises:
        SettingError: it has none of ``CRITERIA``.
    """
    found = [name for name in CRITERIA if name in per_seed]
    if not found:
        raise SettingError(f"nothing chooses a temperature: no column of {', '.join(CRITERIA)}")
    return found[0]


def chosen_settings(per_seed: pd.DataFrame) -> list[str]:
    """The columns of a table among whose values a choice is made."""
    return [name for name in _CHOSEN if name in per_seed]


def choose_temperature(per_seed: pd.DataFrame, by: str | None = None) -> pd.DataFrame:
    """One temperature per method and ratio, by the mean of ``by`` over all seeds.

    Args:
        per_seed: rows of ``kdbook.tables.per_seed``. Each temperature of a method must have
            the same seeds. Where there is a column ``validation_temperature``, it is chosen along.
        by: the column that is made as large as possible; by default the table's ``criterion``.

    Returns:
        One row per method and ratio: method, imbalance, temperature (and
        ``validation_temperature``), score (the mean of ``by``).

    Raises:
        SettingError: two temperatures of a method were trained for different seeds, or nothing
            chooses.
    """
    taught, settings = _taught(per_seed), chosen_settings(per_seed)
    _check_same_seeds(taught)
    by = by or criterion(per_seed)
    scores = taught.groupby([*ARM, *settings], sort=False, dropna=False)[by].agg(_mean_or_nan)
    return _best(scores.rename("score").reset_index(), ARM)


def choose_by_seed(per_seed: pd.DataFrame, by: str | None = None) -> pd.DataFrame:
    """One temperature per method, ratio and seed, by that seed's ``by`` alone.

    So the choice is part of what is repeated, and an interval over seeds covers its luck too.

    Args:
        per_seed: rows of ``kdbook.tables.per_seed``.
        by: the column that is made as large as possible; by default the table's ``criterion``.

    Returns:
        One row per method, ratio and seed: method, imbalance, seed, temperature, score.

    Raises:
        SettingError: as ``choose_temperature``.
    """
    taught = _taught(per_seed)
    _check_same_seeds(taught)
    return _best(taught.assign(score=taught[by or criterion(per_seed)]), [*ARM, "seed"])


def at_best(per_seed: pd.DataFrame, by: str | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Each method at its chosen temperature, as if it had no other.

    Args:
        per_seed: rows of ``kdbook.tables.per_seed``.
        by: as for ``choose_temperature``.

    Returns:
        The rows that are kept, with ``temperature`` NaN since each method has one; and the choice.
    """
    choice = choose_temperature(per_seed, by)
    return at_chosen(per_seed, choice).assign(temperature=float("nan")), choice


def at_chosen(per_seed: pd.DataFrame, choice: pd.DataFrame) -> pd.DataFrame:
    """The rows at the chosen temperatures, and all rows of methods without one.

    Args:
        per_seed: rows of ``kdbook.tables.per_seed`` or ``per_class``.
        choice: from ``choose_temperature`` or ``choose_by_seed``.
    """
    keys = [name for name in (*ARM, "seed", *_CHOSEN) if name in choice.columns]
    wanted, found = (pd.MultiIndex.from_frame(_comparable(t[keys])) for t in (choice, per_seed))
    return per_seed[found.isin(wanted) | per_seed["temperature"].isna()].reset_index(drop=True)


def gap_to_peeking(per_seed: pd.DataFrame, measure: str) -> pd.DataFrame:
    """What would have been printed had the printed measure itself chosen the temperature.

    Each seed chooses for itself, once by validation and once by ``measure``. The second choice can
    only look better: part of the gap is luck on just these test images.

    Args:
        per_seed: rows of ``kdbook.tables.per_seed``.
        measure: a column of test results, the larger the better.

    Returns:
        One row per method, ratio and seed: method, imbalance, seed, honest, peeked (``measure`` at
        either choice), gap (peeked minus honest, 0 or more).
    """
    keys = [*ARM, "seed"]
    taught = _taught(per_seed)
    honest = at_chosen(taught, choose_by_seed(taught)).set_index(keys)[measure]
    peeked = at_chosen(taught, choose_by_seed(taught, measure)).set_index(keys)[measure]
    both = pd.DataFrame({"honest": honest, "peeked": peeked}).reset_index()
    return both.assign(gap=both["peeked"] - both["honest"])


def _comparable(keys: pd.DataFrame) -> pd.DataFrame:
    """No validation temperature is as good as itself; NaN would differ from NaN."""
    if VALIDATION_TEMPERATURE not in keys:
        return keys
    return keys.fillna({VALIDATION_TEMPERATURE: 0.0})


def _taught(per_seed: pd.DataFrame) -> pd.DataFrame:
    return per_seed[per_seed["temperature"].notna()]


def _as_tuple(seeds: pd.Series) -> tuple[int, ...]:
    return tuple(sorted(seeds))


def _mean_or_nan(values: pd.Series) -> float:
    return float(values.mean(skipna=False))


def _best(scores: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """The row of highest score in each group; NaN is lowest, and ties go to the smaller T."""
    settings = chosen_settings(scores)
    group = scores.groupby(list(by), sort=False).ngroup()
    ranked = scores.assign(group=group, rank=scores["score"].fillna(-np.inf))
    order = [True, False, *(True for _ in settings)]
    best = ranked.sort_values(["group", "rank", *settings], ascending=order)
    return best.drop_duplicates("group")[[*by, *settings, "score"]].reset_index(drop=True)


def _check_same_seeds(taught: pd.DataFrame) -> None:
    arms = taught.groupby([*ARM, *chosen_settings(taught)], dropna=False)
    kinds = arms["seed"].agg(_as_tuple).groupby(level=ARM).nunique()
    for method in kinds[kinds > 1].index.get_level_values("method"):
        raise SettingError(
            f"{method} has other seeds at other temperatures: train each for the same seeds"
        )
