"""What the chapters on distillation compare: which measures, which pairs, on which images."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd
import torch
from torch import Tensor

from kdbook.studies import tables
from kdbook.studies.column_scales import difference_scale_of
from kdbook.studies.paired import paired_rows, with_holm
from kdbook.studies.profiles import PROFILES
from kdbook.studies.records import Record, read_records
from kdbook.studies.wording import change, named, overview, signed
from kdlib.metrics import FEWEST_REPEATS, POINTS, Scale
from kdlib.runs import RunResult
from kdlib.runs.build import dataset_for, training_split
from kdlib.training.predict import predict_logits

Pair = tuple[str, str]
"""A method and its baseline, as ``kdbook.studies.wording.method_name`` names them."""


def measures(num_classes: int) -> dict[str, str]:
    """The three measures of the chapters: columns of ``tables.per_seed`` and their names.

    The worst are the tenth of the classes with the lowest accuracy, at least one class.
    """
    k = max(1, round(0.1 * num_classes))
    worst = "worst class" if k == 1 else f"worst {k} classes"
    return {"mean": "mean of the classes", "rarest": "rarest fifth", f"worst_{k}": worst}


def compare(
    per_seed: pd.DataFrame, pairs: Sequence[Pair], wanted: Mapping[str, str]
) -> pd.DataFrame:
    """Paired differences for several pairs and measures.

    Args:
        per_seed: rows of ``kdbook.studies.tables.per_seed`` at one imbalance ratio.
        pairs: of a method and its baseline.
        wanted: measures, as ``measures`` gives them.

    Returns:
        One row a measure and pair: measure, comparison, mean, low, high (percentage points), seeds,
        p (of the paired t-test, not corrected), ``cell`` and ``said`` (the same as a cell and as a
        sentence).
    """
    rows = [
        _comparison(per_seed, pair, key, name) for key, name in wanted.items() for pair in pairs
    ]
    return pd.DataFrame(rows)


def holm_by_class(per_class: pd.DataFrame, pair: Pair, value: str = "accuracy") -> pd.DataFrame:
    """The paired difference of two methods in every class, corrected for looking at all of them.

    Args:
        per_class: rows of ``kdbook.studies.tables.per_class`` at one imbalance ratio.
        pair: of a method and its baseline.
        value: the column to compare.

    Returns:
        One row a class, by label: label, mean, low, high (95 % interval over seeds, percentage
        points, not corrected), seeds, ``p`` (paired t-test), ``p_holm`` (Holm's correction over the
        classes). With one seed the intervals and both p-values are NaN.
    """
    differences = paired_rows(named(per_class), value, pair, ["label"])
    ordered = differences.sort_values("label", kind="stable")
    return with_holm(ordered, ["label"], difference_scale_of(value))


def classes_said(
    by_class: pd.DataFrame, names: Sequence[str] | None = None, level: float = 0.05
) -> str:
    """Which classes change, as a sentence.

    Args:
        by_class: as ``holm_by_class`` gives it.
        names: of the classes, by label; by default the labels.
        level: a class changes where its corrected p-value is at most this.
    """
    count, corrected = len(by_class), f"Holm, {100 * level:g} %"
    if by_class["seeds"].min() < FEWEST_REPEATS or by_class["p_holm"].isna().any():
        return f"Too few seeds to test the {count} classes."
    changed = by_class[by_class["p_holm"] <= level]
    if changed.empty:
        return f"Of {count} classes, none can be told from no change ({corrected})."
    pairs = zip(changed["label"].astype(int), changed["mean"], strict=True)
    words = [f"{names[label] if names else label} by {mean:+.1f}" for label, mean in pairs]
    verb = "changes" if len(words) == 1 else "change"
    return f"Of {count} classes, {len(words)} {verb}: {', '.join(words)} points ({corrected})."


def over_seeds(values: Sequence[float], scale: Scale = POINTS) -> pd.Series:
    """As ``kdbook.studies.tables.over_seeds``; by default of differences in percentage points."""
    return pd.Series(tables.over_seeds(values, scale))


def training_logits(result: RunResult) -> tuple[Tensor, Tensor]:
    """Logits ``[N, L]`` and labels ``[N]`` of the images that trained the run, unshifted."""
    spec, dataset = result.spec, dataset_for(result.spec)
    split, scaling = training_split(spec, dataset), spec.recipe.input_scaling
    logits = predict_logits(
        result.model(), split.images, scaling=scaling, dataset_name=spec.data.name
    )
    return logits, split.labels


def class_averages(values: Tensor, labels: Tensor, num_classes: int) -> list[float]:
    """Mean of ``values [N]`` in each class; every class needs an example."""
    sums = torch.zeros(num_classes, dtype=values.dtype).index_add(0, labels, values)
    return (sums / torch.bincount(labels, minlength=num_classes)).tolist()


def recorded(
    study: str,
    folder: Path | None = None,
    show: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
) -> pd.DataFrame | str:
    """What the book has recorded of a study on the paper's data, at the paper's ratio.

    Records at the ``paper`` profile come first, then those at ``standard``, each under a heading
    that says which it is, where it ran and what it changed.

    Args:
        study: its name.
        folder: where the records lie; by default the book's own.
        show: what to show of a record's table; by default an overview of methods and measures at
            the paper's ratio. A study whose rows differ in more than that needs its own.

    Returns:
        What ``show`` makes of each record, or a line of Markdown that says how to
        make one.

    Raises:
        RecordError: a record is malformed.
    """
    found = [
        record
        for profile in ("paper", "standard")
        for record in read_records(folder)
        if (record.about.study, record.about.profile) == (study, profile)
    ]
    if not found:
        return f"Not run yet. To run and record it: `kdlib study record {study} --profile paper`"
    shown = show or _at_papers_ratio
    return pd.concat({_heading(r): shown(r.table) for r in found}, names=["recorded"])


def _heading(record: Record) -> str:
    """What tells a record from others of its study, and whether it is whole."""
    about = record.about
    changed = [f"{key} = {value}" for key, value in about.settings.items()]
    lacking = [f"{about.missing_runs} runs missing"] if about.missing_runs else []
    return ", ".join([about.profile, about.device, *changed, *lacking])


def _at_papers_ratio(table: pd.DataFrame) -> pd.DataFrame:
    rows = table[table["imbalance"] == PROFILES["paper"].imbalance]
    # After short trainings the worst ten score 0 whatever is done: half of the classes tell more.
    more = {"worst_50": "worst 50 classes"} if "worst_50" in rows else {}
    return overview(rows, measures(100) | more)


def _comparison(per_seed: pd.DataFrame, pair: Pair, key: str, name: str) -> dict[str, object]:
    method, baseline = pair
    table = named(per_seed).assign(temperature=0.0)  # named already: both must agree on it
    both = table[table["method"].isin(pair)]
    row = tables.paired_differences(both, key, baseline).iloc[0]
    said = f"From {baseline} to {method} it {change(row)}."
    kept = {column: row[column] for column in ("mean", "low", "high", "seeds", "p")}
    return {
        "measure": name,
        "comparison": _minus(method, baseline),
        **kept,
        "cell": signed(row),
        "said": said,
    }


def _minus(method: str, baseline: str) -> str:
    """The pair as a label; a temperature that both share is named once."""
    name, _, setting = method.partition(", ")
    shared = setting and baseline.endswith(f", {setting}")
    return f"{name if shared else method} − {baseline}"
