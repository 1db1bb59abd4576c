"""What an audit looks at, checked: the examples that count, the models, groups and names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kdlib.aligned import IGNORED, check_aligned, check_class_order, is_table
from kdlib.audit.checks import KINDS, Kind, check_labels
from kdlib.audit.groups import Grouping, groupings
from kdlib.audit.measured import Model, measure
from kdlib.audit.rows import Rows, split_seeds
from kdlib.errors import DataError, SettingError
from kdlib.metrics import FEWEST_REPEATS
from kdlib.names import first_twice, shown
from kdlib.validated import check_choice

BASELINES = ("baseline", "one_hot", "teacher")
"""The student is compared with the first of these that is there."""


@dataclass(frozen=True)
class Audited:
    """The examples that count, and what is known of them.

    Attributes:
        labels: ``[N]``.
        num_classes: L.
        ignored: how many examples were left out.
        models: by role.
        baseline: the role that the student is compared with.
        groups: ways to part the examples.
        names: of the classes.
        train_counts: training examples by class, or None.
    """

    labels: NDArray[np.int64]
    num_classes: int
    ignored: int
    models: dict[str, Model]
    baseline: str
    groups: list[Grouping]
    names: list[str]
    train_counts: NDArray[np.float64] | None

    @property
    def differences(self) -> NDArray[np.int8]:
        """Right or wrong of the student minus the same of its baseline, ``[S, N]``."""
        return self.models["student"].right - self.models[self.baseline].right

    @property
    def counts(self) -> NDArray[np.int64]:
        """Examples by class, ``[L]``."""
        return np.bincount(self.labels, minlength=self.num_classes)


def gather(
    given: Mapping[str, Any],
    places: Mapping[str, str],
    cross: Sequence[Sequence[str]],
    kind: Kind,
) -> Audited:
    """Check everything that was given.

    Args:
        given: by role: labels, student, one_hot, teacher, baseline, groups, class_names,
            train_counts; None where there is none.
        places: where it is from, for messages; else its role.
        cross: columns of the groups to cross.
        kind: of the scores.

    Raises:
        DataError: something does not fit; the message names it.
        SettingError: there is nothing to compare, or a setting is unknown.
    """
    check_choice("scores", kind, KINDS)
    _check_indexes(given)
    tables = _tables(given, places)
    size, num_classes = next(iter(tables.values()))[0].shape
    labels = check_labels(place_of("labels", places), given["labels"], num_classes, size)
    kept = labels != IGNORED
    parts = groupings(place_of("groups", places), given.get("groups"), cross, size)
    models = {
        role: measure(role, place_of(role, places), seeds, labels, kind, role == "teacher")
        for role, seeds in tables.items()
    }
    return Audited(
        labels[kept],
        num_classes,
        int((~kept).sum()),
        models,
        _baseline(models),
        [Grouping(part.names, part.codes[kept]) for part in parts],
        class_names(place_of("class_names", places), given.get("class_names"), num_classes),
        _train_counts(place_of("train_counts", places), given.get("train_counts"), num_classes),
    )


def _check_indexes(given: Mapping[str, Any]) -> None:
    """Refuse data frames whose rows or classes may come in another order than the rest."""
    models = {
        name: table
        for role in ("student", *BASELINES)
        for name, table in _each_table(role, given.get(role))
    }
    check_aligned(0, labels=given.get("labels"), **models, groups=given.get("groups"))
    check_class_order(-1, **models)


def _each_table(role: str, values: Any) -> list[tuple[str, Any]]:
    """The data frames in a list of seeds, by name; anything else as it is."""
    if isinstance(values, list | tuple) and any(map(is_table, values)):
        return [(f"{role}, seed {seed}", table) for seed, table in enumerate(values)]
    return [(role, values)]


def place_of(role: str, places: Mapping[str, str]) -> str:
    """Where a role's values are from."""
    return places.get(role, role)


def _tables(given: Mapping[str, Any], places: Mapping[str, str]) -> dict[str, list[Rows]]:
    if given.get("student") is None or given.get("labels") is None:
        raise SettingError("labels and student are needed: true classes, and scores [N, L]")
    tables = {
        role: split_seeds(place_of(role, places), given[role])
        for role in ("student", *BASELINES)
        if given.get(role) is not None
    }
    if len(tables) == 1:
        raise SettingError(
            "student has nothing to be compared with: give one_hot, teacher or baseline"
        )
    shape = tables["student"][0].shape
    for role, seeds in tables.items():
        if seeds[0].shape != shape:
            raise DataError(
                f"{place_of(role, places)} has shape {seeds[0].shape}, "
                f"{place_of('student', places)} {shape}: expected the same [N, L]"
            )
        _check_seeds(place_of(role, places), len(seeds), len(tables["student"]))
    return tables


def _check_seeds(where: str, seeds: int, of_student: int) -> None:
    if 1 < seeds < FEWEST_REPEATS:
        raise DataError(
            f"{where} has {seeds} seeds: allowed are 1, or {FEWEST_REPEATS} and more, since two "
            "say next to nothing of how far seeds spread"
        )
    if seeds not in (1, of_student) and of_student != 1:
        raise DataError(f"{where} has {seeds} seeds: expected 1 or {of_student}, as the student")


def _baseline(models: Mapping[str, Model]) -> str:
    return next(role for role in BASELINES if role in models)


def class_names(where: str, names: Any, num_classes: int) -> list[str]:
    """Names of the classes; their numbers where there are none.

    Raises:
        DataError: there are more or fewer than classes, one is empty, or two are the same.
    """
    if names is None:
        return [str(label) for label in range(num_classes)]
    found = [shown(name) for name in np.asarray(names, dtype=object).ravel()]
    if len(found) != num_classes:
        raise DataError(f"{where} has {len(found)} names: expected {num_classes}, one per class")
    if not all(name.strip() for name in found):
        place = [name.strip() for name in found].index("")
        raise DataError(f"{where}, class {place} has an empty name: expected one for each class")
    twice = first_twice(found)
    if twice is not None:
        raise DataError(f"{where} names two classes {twice!r}: expected different names")
    return found


def _train_counts(where: str, counts: Any, num_classes: int) -> NDArray[np.float64] | None:
    if counts is None:
        return None
    found = np.asarray(counts)
    if found.shape != (num_classes,) or found.dtype.kind not in "iuf":
        raise DataError(
            f"{where} has shape {found.shape} and type {found.dtype}: "
            f"expected {num_classes} numbers, the training examples of each class"
        )
    wrong = ~(np.isfinite(found) & (found >= 0))
    if wrong.any():
        place = int(wrong.argmax())
        raise DataError(f"{where}, class {place}: {found[place]} is no number of examples")
    return found.astype(np.float64)
