"""The same run trained twice: what a processor's rounding alone does to its accuracies.

A run's id says what is trained, not where. On another kind of processor, or with another number of
threads, sums round otherwise, and a training amplifies that as it amplifies a seed.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from kdbook.records import Record
from kdlib.errors import SettingError

MEASURES = {"mean": "mean of the classes", "rarest": "rarest fifth", "worst_1": "worst class"}
FILE = "replicates/processors.csv"
_KEYS = ["run", "method", "imbalance", "temperature", "seed"]


def paired_runs(first: Iterable[Record], second: Iterable[Record]) -> pd.DataFrame:
    """The runs that both sets of records hold, each once.

    Args:
        first: records of trainings on one machine.
        second: of the same on another.

    Returns:
        One row per run and measure: run, method, imbalance, temperature, seed, measure, and the
        accuracy in percent on either machine, ``first`` and ``second``.

    Raises:
        SettingError: they have no run in common.
    """
    both = _long(first).merge(_long(second)[["run", "measure", "value"]], on=["run", "measure"])
    if both.empty:
        raise SettingError("the two sets of records have no run in common")
    return both.rename(columns={"value_x": "first", "value_y": "second"})


def read_replicates(folder: Path) -> pd.DataFrame:
    """The recorded pairs, as ``paired_runs`` gives them."""
    return pd.read_csv(folder / FILE)


def noise(pairs: pd.DataFrame) -> pd.DataFrame:
    """How far two trainings of one run lie apart, in percentage points.

    Beside it stands what a seed does: the standard deviation over seeds within a method, ratio and
    temperature. Both are per training, so the former is the SD of the differences over sqrt(2).

    Args:
        pairs: from ``paired_runs``.

    Returns:
        One row per measure: measure, runs, shift (mean of second minus first), rounding (SD of a
        training over machines), seeds (SD of a training over seeds), largest difference.
    """
    return pd.DataFrame([_noise_of(name, rows) for name, rows in pairs.groupby("measure")])


def _noise_of(name: object, rows: pd.DataFrame) -> dict[str, object]:
    apart = rows["second"] - rows["first"]
    return {
        "measure": MEASURES[str(name)],
        "runs": len(rows),
        "shift": float(apart.mean()),
        "rounding": float(apart.std(ddof=1) / np.sqrt(2)),
        "seeds": _spread_over_seeds(rows),
        "largest": float(apart.abs().max()),
    }


def _spread_over_seeds(rows: pd.DataFrame) -> float:
    """Pooled over the groups of runs that differ in their seed only."""
    groups = rows.groupby(["method", "imbalance", "temperature"], dropna=False)["first"]
    squares = groups.transform(lambda values: (values - values.mean()) ** 2).sum()
    return float(np.sqrt(squares / (len(rows) - groups.ngroups)))


def _long(records: Iterable[Record]) -> pd.DataFrame:
    tables = [r.table[[*_KEYS, *MEASURES]] for r in records if {*_KEYS, *MEASURES} <= {*r.table}]
    if not tables:
        return pd.DataFrame(columns=[*_KEYS, "measure", "value"])
    once = pd.concat(tables, ignore_index=True).drop_duplicates("run")
    return once.melt(id_vars=_KEYS, var_name="measure", value_name="value").dropna(subset="value")
