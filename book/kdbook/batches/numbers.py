"""A batch's main numbers: means over seeds with 95 % intervals, at each point of the grid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from kdbook.batches.items import Item
from kdbook.chapters import study
from kdbook.compare import with_intervals
from kdlib.metrics.scales import Scale
from kdlib.runs import Store

_METRICS = ("mean", "worst_1", "worst_10", "rarest", "rarest_tenth")
_NO_KEYS = {"seed", "status", "run", "value"}
COLUMNS = ("study", "arm", "metric", "mean", "low", "high", "seeds")


def numbers(items: Iterable[Item], store: Store) -> pd.DataFrame:
    """One row per study, point, arm and metric: ``COLUMNS``, a column per parameter of the grid.

    ``arm`` is what the study compares, in words: method, ratio, temperature. Of a run that the
    store lacks there is no number. A study without runs is asked where it was named itself.
    """
    pieces = [_of_item(item, store) for item in items if item.study is not None]
    found = [piece for piece in pieces if not piece.empty]
    if not found:
        return pd.DataFrame(columns=list(COLUMNS))
    table = pd.concat(found, ignore_index=True)
    parameters = [name for name in table if name not in COLUMNS]
    return table[["study", *parameters, *COLUMNS[1:]]].drop_duplicates(ignore_index=True)


def _of_item(item: Item, store: Store) -> pd.DataFrame:
    assert item.study is not None, "only studies have numbers"
    asked = study(item.study)(item.settings)
    if asked.trains:
        results = [store.get(spec) for spec in item.runs]
        if not any(results):
            return pd.DataFrame()
        table = asked.per_seed(results)
        metrics: dict[str, Scale | None] = {name: None for name in _METRICS if name in table}
    elif item.page is None:
        table, metrics = asked.table, {"value": asked.scale}
    else:
        return pd.DataFrame()
    return _averaged(table, metrics, item.point).assign(study=item.study, **_shown(item.point))


def _averaged(
    table: pd.DataFrame, metrics: Mapping[str, Scale | None], apart: Iterable[str]
) -> pd.DataFrame:
    """Mean and interval over seeds of each metric, for each arm; ``apart`` is told elsewhere."""
    keys = [name for name in _keys(table) if name not in {*metrics, *apart}]
    arms = table.assign(arm=[_arm(row) for _, row in table[keys].iterrows()])
    pieces = [
        with_intervals(arms, name, ["arm"], scale).assign(metric=name)
        for name, scale in metrics.items()
    ]
    return pd.concat(pieces, ignore_index=True)[list(COLUMNS[1:])] if pieces else pd.DataFrame()


def _keys(table: pd.DataFrame) -> list[str]:
    """The columns that say what a row is of: method, ratio, temperature and all that is text."""
    named = ("method", "imbalance", "temperature")
    texts = [str(c) for c in table if not pd.api.types.is_numeric_dtype(table[c])]
    wanted = [*(c for c in named if c in table), *texts]
    return [c for c in dict.fromkeys(wanted) if c not in _NO_KEYS]


def _arm(row: pd.Series) -> str:
    words = {"imbalance": "1:{:g}", "temperature": "T={:g}"}
    there = {str(name): value for name, value in row.items() if not pd.isna(value)}
    return ", ".join(words.get(name, "{}").format(value) for name, value in there.items())


def _shown(point: Mapping[str, Any]) -> dict[str, Any]:
    """A point's values as cells of a table; a list is one value."""
    return {k: str(v) if isinstance(v, list) else v for k, v in point.items()}
