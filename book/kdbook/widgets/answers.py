"""What a panel shows of finished runs: accuracy by class, the change, and one sentence."""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import pandas as pd

from kdbook import compare, tables
from kdbook.charts.classes import change_by_class, per_class_accuracy
from kdbook.charts.style import describe, methods_in
from kdbook.study import Study
from kdbook.tables import Member
from kdlib.metrics import POINTS
from kdlib.runs import RunResult


def by_class(
    study: Study, members: Sequence[Member], results: Sequence[RunResult], baseline: str
) -> alt.VConcatChart:
    """Accuracy by class over its change to the baseline, both with intervals over seeds.

    Args:
        study: at the settings of the runs.
        members: of one ratio, with the baseline among them.
        results: of the members' runs.
        baseline: what is subtracted, seed by seed.
    """
    table = tables.per_class(members, results, study.paper)
    names = dict(enumerate(study.class_names))
    lines = compare.with_intervals(table, "accuracy", ["method", "label"])
    lines = lines.assign(class_name=lines["label"].map(names))
    changes = _changes(table, baseline).assign(class_name=lambda rows: rows["label"].map(names))
    title = "Accuracy by class"
    upper = per_class_accuracy(lines, title=title)
    below = f"Change from {baseline}"
    lower = change_by_class(changes, methods=methods_in(lines), title=below)
    return describe(
        alt.vconcat(upper, lower), "", f"{title}. {upper.description} {below}. {lower.description}"
    )


def said(
    study: Study, members: Sequence[Member], results: Sequence[RunResult], baseline: str
) -> str:
    """One sentence of the change from the baseline: its mean and its tail, of several the tail."""
    table, known = tables.per_seed(members, results, study.paper), _measures(study)
    students = _students(methods_in(table), baseline)
    if len(students) == 1:
        pair = students[0], baseline
        parts = [f"the {name} {_change(table, key, pair)}" for key, name in known.items()]
        return f"From {baseline} to {students[0]}, {' and '.join(parts)}."
    key, name = list(known.items())[-1]
    parts = [f"{_change(table, key, (method, baseline))} with {method}" for method in students]
    return f"From {baseline}, the {name} {', '.join(parts[:-1])} and {parts[-1]}."


def _students(methods: Sequence[str], baseline: str) -> list[str]:
    return [method for method in methods if method not in (baseline, "teacher")]


def _change(table: pd.DataFrame, key: str, pair: tuple[str, str]) -> str:
    differences = compare.paired_rows(table, key, pair, [])["difference"]
    return compare.change(compare.over_seeds(differences, POINTS))


def _measures(study: Study) -> dict[str, str]:
    """The mean, and the tail that the study's paper looks at."""
    known = compare.measures(len(study.class_names))
    worst = next(key for key in known if key.startswith("worst"))
    tail = "rarest" if study.paper == "teachers_pet" else worst
    return {"mean": known["mean"], tail: known[tail]}


def _changes(table: pd.DataFrame, baseline: str) -> pd.DataFrame:
    pieces = [
        compare.with_intervals(rows, "difference", ["label"], POINTS).assign(method=method)
        for method in _students(methods_in(table), baseline)
        for rows in [compare.paired_rows(table, "accuracy", (method, baseline), ["label"])]
    ]
    return pd.concat(pieces, ignore_index=True)
