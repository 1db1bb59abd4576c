"""From finished runs to tidy tables: one row a seed, one row a class, means with intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from kdbook.studies.column_scales import difference_scale_of, scale_of
from kdbook.studies.protocol import Paper, protocol, reported_split
from kdlib import metrics
from kdlib.runs import RunResult, RunSpec
from kdlib.runs.build import dataset_for, training_split

KEYS = ["method", "imbalance", "temperature", "seed"]


@dataclass(frozen=True)
class Member:
    """A run's place in a study: which method, at which ratio and temperature, for which seed.

    ``temperature`` is NaN where the method listens to no teacher. ``place`` holds further columns
    of the study with their values, such as the network that teaches.
    """

    method: str
    imbalance: float
    temperature: float
    seed: int
    spec: RunSpec
    place: tuple[tuple[str, str | float], ...] = ()

    def key(self) -> dict[str, str | float]:
        """The columns that name this member."""
        return {name: getattr(self, name) for name in KEYS} | dict(self.place)


def per_seed(
    members: Sequence[Member],
    results: Sequence[RunResult | None],
    paper: Paper = "teachers_pet",
) -> pd.DataFrame:
    """One row a run: its key, status, and its test accuracies in percent.

    ``None`` stands for a run that is not finished: it has no row. The test images are those of the
    paper's protocol (``kdbook.studies.protocol``).

    ``mean`` is the mean over classes. ``worst_k`` is the mean of the k worst classes, for k of 1
    and 10, 20, 50 percent of the classes; ``best_tenth`` is that of the best 10 percent.
    ``rarest`` is the mean over the rarest 20 percent of the classes by training count, which no
    test example chose; of equally rare ones the later count. ``validation`` is the mean over
    classes on the validation split, where the protocol chooses settings by it
    (``kdbook.studies.selection``); it is no result.
    """
    pairs = zip(members, results, strict=True)
    return pd.DataFrame([m.key() | _summary(m, r, paper) for m, r in pairs if r is not None])


def per_class(
    members: Sequence[Member],
    results: Sequence[RunResult | None],
    paper: Paper = "teachers_pet",
) -> pd.DataFrame:
    """One row a run and class: key, label, train_count, accuracy, log_loss, margin.

    On the test images of the paper's protocol: accuracy in percent, mean log-loss in nats, mean
    margin from -1 to 1. ``None`` stands for a run that is not finished: it has no rows.
    """
    pairs = zip(members, results, strict=True)
    pieces = [_class_rows(m, r, paper).assign(**m.key()) for m, r in pairs if r is not None]
    table = pd.concat(pieces, ignore_index=True)
    return table[[*KEYS, *(c for c in table.columns if c not in KEYS)]]


def with_intervals(
    table: pd.DataFrame, value: str, by: Sequence[str], scale: metrics.Scale | None = None
) -> pd.DataFrame:
    """Mean of ``value`` over seeds in each group of ``by``, with its 95 % t-interval.

    Args:
        table: one row a seed and group.
        value: the column to average.
        by: columns that name a group.
        scale: what its numbers can be, so that intervals keep to it; by default what the name of
            the column says (``kdbook.studies.column_scales``).

    Returns:
        Columns: ``by``, and as ``over_seeds``: mean, low, high, seeds; for differences also ``p``.

    Raises:
        SettingError: the name of the column does not tell the scale, or a value lies outside of it.
    """
    known = scale or scale_of(value)
    groups = table.groupby(list(by), dropna=False, sort=False)[value]
    return pd.DataFrame([_named(by, key) | over_seeds(values, known) for key, values in groups])


def over_seeds(values: Any, scale: metrics.Scale) -> dict[str, Any]:
    """Mean of one value a seed with its 95 % t-interval: mean, low, high, seeds.

    For a difference also ``p``: of the paired t-test that its mean is zero, not corrected.
    """
    interval = metrics.t_interval(values, scale=scale)
    found = {"mean": interval.mean, "low": interval.low, "high": interval.high, "seeds": interval.n}
    return found | ({"p": metrics.paired_p_value(values, scale)} if scale.is_difference else {})


def paired_differences(
    table: pd.DataFrame,
    value: str,
    baseline: str,
    by: Sequence[str] = ("imbalance",),
    scale: metrics.Scale | None = None,
) -> pd.DataFrame:
    """Each method minus ``baseline``, seed by seed, averaged over seeds with a t-interval.

    Pairs share the seed, the subset, the initial weights and the data order. ``by`` are the columns
    that both must agree on, and ``scale`` what the differences can be; by default the name of the
    column tells. Columns: method, temperature, ``by``, mean, low, high, seeds, p (of the paired
    t-test, not corrected).
    """
    keys = [*by, "seed"]
    base = table[table["method"] == baseline].set_index(keys)[value].rename("base")
    others = table[table["method"] != baseline].join(base, on=keys, how="inner")
    others = others.assign(difference=others[value] - others["base"])
    keys = ["method", "temperature", *by]
    return with_intervals(others, "difference", keys, scale or difference_scale_of(value))


def worst_ks(num_classes: int) -> tuple[int, ...]:
    """1, and 10, 20, 50 percent of the classes, each once."""
    shares = (max(1, round(num_classes * share)) for share in (0.1, 0.2, 0.5))
    return tuple(dict.fromkeys((1, *shares)))


def _summary(member: Member, result: RunResult, paper: Paper) -> dict[str, object]:
    rule = protocol(member.spec.data.name, paper)
    accuracy = 100 * result.accuracy(rule.test)
    counts = training_counts(member.spec)
    worst = {f"worst_{k}": _measured(metrics.worst_k, accuracy, k) for k in worst_ks(len(accuracy))}
    mean = float(accuracy.mean())
    others = {
        "best_tenth": _measured(metrics.top_fraction, accuracy, 0.1),
        "rarest": float(accuracy[rarest_fifth(counts)].mean()),
    }
    if rule.chooses == "validation":
        others["validation"] = float(100 * result.accuracy("validation").mean())
    return {"mean": mean, **worst, **others, "status": result.status, "run": member.spec.id}


def rarest_fifth(counts: np.ndarray) -> np.ndarray:
    """Labels of the rarest 20 percent of the classes, at least one.

    Args:
        counts: training examples a class, ``[L]``. Of equally rare classes the last are taken,
            which are the rare ones at every ratio, so that at ratio 1 they stay the same.
    """
    return np.lexsort((-np.arange(len(counts)), counts))[: max(1, round(0.2 * len(counts)))]


def _measured(measure: Callable[..., Any], accuracy: np.ndarray, part: float) -> float:
    """The measure of that part of the classes, or NaN for a run that diverged."""
    return float("nan") if np.isnan(accuracy).all() else float(measure(accuracy, part))


def training_counts(spec: RunSpec) -> np.ndarray:
    """Training examples a class ``[L]`` of the spec's data."""
    return training_split(spec, dataset_for(spec)).class_counts.numpy()


def _class_rows(member: Member, result: RunResult, paper: Paper) -> pd.DataFrame:
    rows = result.class_rows(reported_split(member.spec, paper))
    return pd.DataFrame(
        {
            "label": rows["label"].to_numpy(),
            "train_count": training_counts(member.spec),
            "accuracy": 100 * rows["accuracy"].to_numpy(),
            "log_loss": rows["log_loss"].to_numpy(),
            "margin": rows["margin"].to_numpy(),
        }
    )


def _named(by: Sequence[str], key: object) -> dict[str, Any]:
    return dict(zip(by, key if isinstance(key, tuple) else (key,), strict=True))
