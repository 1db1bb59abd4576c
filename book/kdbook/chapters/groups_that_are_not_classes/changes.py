"""How accuracies of groups of people change from one-hot to distilled students.

Two things are random in a change: which people the test set holds, and the seed of the training.
``changes`` gives an interval over seeds alone and one over both; they answer different questions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from kdbook.compare import paired_differences, signed
from kdbook.places import records_folder
from kdbook.records import read_record, record_name
from kdlib.metrics import (
    POINTS,
    balanced_accuracy,
    class_means,
    crossed_interval,
    holm,
    sign_test,
    t_interval,
)

Booleans = NDArray[np.bool_]
Group = tuple[dict[str, Any], Booleans]
LABELS, SEXES = ("label",), ("label", "sex")
RACES = ("label", "sex", "race")


@dataclass(frozen=True, eq=False)
class Judged:
    """Who is judged right.

    Attributes:
        people: one row per test person: label (0 or 1), sex, race.
        right: of each method, ``[S, n]``: whether the person is predicted right, by seed.
    """

    people: pd.DataFrame
    right: Mapping[str, Booleans]

    def by_label(self, method: str) -> NDArray[np.float64]:
        """Accuracy of each label, ``[S, 2]`` in [0, 1]."""
        return class_means(self.right[method], self.people["label"].to_numpy(), 2)

    def balanced(self, method: str) -> NDArray[np.float64]:
        """Balanced accuracy in percent, ``[S]``."""
        return 100 * np.asarray(balanced_accuracy(self.by_label(method)))


@dataclass(frozen=True, eq=False)
class Scored:
    """Scores of the test people.

    Attributes:
        people: one row per test person: label (0 or 1), sex, race.
        scores: of each method, ``[S, n]`` float32 in [0, 1], one row per seed.
    """

    people: pd.DataFrame
    scores: Mapping[str, NDArray[np.float32]]

    def judged(self, threshold: float) -> Judged:
        """Everyone with a score of ``threshold`` or more is predicted to be a 1."""
        return self._judged(dict.fromkeys(self.scores, threshold))

    def judged_at_equal_rates(self, threshold: float) -> Judged:
        """As ``judged``, but every method predicts as many 1s as the one-hot student of its seed.

        So each seed of each other method gets a threshold of its own. It needs no labels. People
        whose scores tie with the threshold are all predicted to be 1s.
        """
        counts = (self.scores["one-hot"] >= np.float32(threshold)).sum(axis=1)
        cuts: dict[str, Any] = {
            name: _kth_largest(scores, counts)
            for name, scores in self.scores.items()
            if name != "one-hot"
        }
        return self._judged({**cuts, "one-hot": threshold})

    def positive_rate(self, method: str, threshold: float) -> NDArray[np.float64]:
        """The share in [0, 1] of people predicted to be a 1, ``[S]``."""
        return (self.scores[method] >= np.float32(threshold)).mean(axis=1)

    def _judged(self, cuts: Mapping[str, Any]) -> Judged:
        truth = self.people["label"].to_numpy() == 1
        # Both sides in float32: else a score of 0.7 would lie below a threshold of 0.7.
        return Judged(
            self.people,
            {name: (s >= np.float32(cuts[name])) == truth for name, s in self.scores.items()},
        )


def groups_of(people: pd.DataFrame, by: Sequence[str]) -> Iterator[Group]:
    """Each group that occurs, sorted: its values of the columns ``by`` and its members ``[n]``."""
    for key, rows in people.groupby(list(by), sort=True).indices.items():
        inside = np.zeros(len(people), dtype=bool)
        inside[rows] = True
        yield dict(zip(by, key if isinstance(key, tuple) else (key,), strict=True)), inside


def group_name(values: Mapping[str, Any]) -> str:
    """E.g. ``Black, Female, label 1``."""
    words = [str(values[name]) for name in ("race", "sex") if name in values]
    return ", ".join([*words, f"label {values['label']}"])


def changes(
    judged: Judged, by: Sequence[str], *, method: str = "distilled", baseline: str = "one-hot"
) -> pd.DataFrame:
    """The change of accuracy in each group, with intervals and tests.

    Args:
        judged: predictions of both methods.
        by: the columns that make the groups.
        method: whose change it is.
        baseline: from which.

    Returns:
        One row per group: ``by``, ``group`` (its name), ``people``, ``mean`` (percentage points),
        ``seeds_low``, ``seeds_high`` (95 %: would other seeds say the same of these people?),
        ``low``, ``high`` (95 %: of other people with other seeds?), ``p`` and ``holm`` (of the
        latter, and corrected over the groups of this table), ``fewest``, ``most`` (net number of
        people that a single seed gains) and ``seeds``. A group in which all differences are equal,
        and one of fewer than three seeds, has no interval and counts as p = 1 in the correction.
    """
    gain = judged.right[method].astype(np.int8) - judged.right[baseline].astype(np.int8)
    rows = [_change(values, gain[:, inside]) for values, inside in groups_of(judged.people, by)]
    found = pd.DataFrame(rows)
    return found.assign(holm=holm(found["p"].fillna(1.0)))


def one_seed(
    judged: Judged, by: Sequence[str], seed: int = 0, *, method: str = "distilled",
    baseline: str = "one-hot",
) -> pd.DataFrame:  # fmt: skip
    """What a single pair of students shows, as the paper has one: a sign test in each group.

    Returns:
        One row per group: ``by``, ``group``, ``people``, ``gained`` and ``lost`` (people that only
        ``method``, only ``baseline`` gets right), ``mean`` (percentage points), ``p`` and ``holm``.
    """
    new, old = judged.right[method][seed], judged.right[baseline][seed]
    rows = [
        values
        | {"group": group_name(values), "people": int(inside.sum())}
        | {"gained": int((new & ~old)[inside].sum()), "lost": int((old & ~new)[inside].sum())}
        for values, inside in groups_of(judged.people, by)
    ]
    found = pd.DataFrame(rows)
    p_values = sign_test(found["gained"], found["lost"])
    mean = 100 * (found["gained"] - found["lost"]) / found["people"]
    return found.assign(mean=mean, p=p_values, holm=holm(p_values))


def accuracies(judged: Judged) -> pd.DataFrame:
    """Accuracies in percent, one per row: method, group, seed, value.

    The groups are ``balanced`` (the mean of both labels), each label, label x sex and
    label x sex x race.
    """
    pieces = [_seed_rows(name, "balanced", judged.balanced(name)) for name in judged.right] + [
        _seed_rows(name, group_name(values), 100 * right[:, inside].mean(axis=1))
        for by in (LABELS, SEXES, RACES)
        for values, inside in groups_of(judged.people, by)
        for name, right in judged.right.items()
    ]
    return pd.concat(pieces, ignore_index=True)


def recorded(folder: Path | None = None) -> pd.DataFrame | str:
    """What the book has recorded at the paper profile: changes from one-hot to distilled.

    Args:
        folder: where the records lie; by default the book's own.

    Returns:
        One row per group of Table 7, and ``balanced``: a cell for each threshold, in percentage
        points with 95 % intervals over seeds; or a line of Markdown that says how to record it.

    Raises:
        RecordError: the record is malformed.
    """
    name = "groups_that_are_not_classes"
    path = records_folder(folder) / f"{record_name(name, 'paper', {})}.csv"
    if not path.exists():
        return f"Not run yet. To run and record it: `kdlib study record {name} --profile paper`"
    return _recorded_changes(read_record(path).table)


def _recorded_changes(table: pd.DataFrame) -> pd.DataFrame:
    students = table[table["method"] != "teacher"].assign(temperature=0.0)
    coarse = students[~students["group"].str.contains(", .*, ")]
    rows = paired_differences(coarse, "value", "one-hot", ["group", "threshold"], POINTS)
    rows = rows.assign(cell=rows.apply(signed, axis=1))
    wide = rows.pivot(index=["group", "seeds"], columns="threshold", values="cell")
    return wide.reset_index("seeds").loc[list(dict.fromkeys(coarse["group"]))]


def _seed_rows(method: str, group: str, values: NDArray[np.float64]) -> pd.DataFrame:
    seeds = range(len(values))
    return pd.DataFrame({"method": method, "group": group, "seed": seeds, "value": values})


def _change(values: dict[str, Any], gain: NDArray[np.int8]) -> dict[str, Any]:
    seeds = t_interval(100 * gain.mean(axis=1), scale=POINTS)
    both = crossed_interval(100.0 * gain, scale=POINTS)
    net = gain.sum(axis=1, dtype=np.int64)
    return values | {
        "group": group_name(values),
        "people": gain.shape[1],
        "mean": both.mean,
        "seeds_low": seeds.low,
        "seeds_high": seeds.high,
        "low": both.low,
        "high": both.high,
        "p": both.p_value,
        "fewest": int(net.min()),
        "most": int(net.max()),
        "seeds": gain.shape[0],
    }


def _kth_largest(scores: NDArray[np.float32], counts: NDArray[np.int64]) -> NDArray[np.float32]:
    """The ``counts[s]``-th largest score of row s, ``[S, 1]``; infinite for a count of 0."""
    ordered = np.sort(scores, axis=1)
    above = np.full((len(scores), 1), np.inf, dtype=np.float32)
    return np.take_along_axis(
        np.hstack([ordered, above]), (scores.shape[1] - counts)[:, None], axis=1
    )
