"""Averages over buckets of classes, best for the teacher first: Figures 3 to 5 and 7."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from kdbook.compare import (
    Pair,
    bucket_of,
    difference_scale_of,
    over_seeds,
    scale_of,
    with_intervals,
)
from kdbook.tables import Member, training_counts, training_logits
from kdlib.errors import SettingError
from kdlib.metrics import class_means, holm, log_loss, margin
from kdlib.names import choices
from kdlib.runs import RunResult

STATISTICS = {"accuracy": "accuracy (%)", "log_loss": "log-loss (nats)", "margin": "margin"}
"""The three statistics of section 3.6, with their units."""
ORDERS = {
    "test": "teacher's accuracy on test",
    "validation": "teacher's accuracy on validation",
    "frequency": "training images of the class",
}
"""What may sort the classes: the best for the teacher come first, or the most frequent."""
OWN_IMAGES = "training"
"""The split of the statistics on the images that trained the network itself."""

_RUN = ["method", "temperature", "seed"]


def class_statistics(members: Sequence[Member], results: Sequence[RunResult]) -> pd.DataFrame:
    """The three statistics of every run, held-out split and class.

    Probabilities are the softmax of the raw logits, at temperature 1, also of a student that was
    taught at another temperature.

    Returns:
        Columns: method, temperature, seed, split (``dev``, ``validation`` or ``test``), label,
        train_count, accuracy (percent), log_loss (nats), margin (-1 to 1). NaN for a run that
        diverged, and for a class without examples. ``dev`` is held out from an initial teacher
        only: the other runs were trained on it.
    """
    pairs = zip(members, results, strict=True)
    return pd.concat([_held_out(m, r) for m, r in pairs], ignore_index=True)


def own_image_statistics(members: Sequence[Member], results: Sequence[RunResult]) -> pd.DataFrame:
    """The same on the images that trained each run; ``split`` is ``training``.

    It passes those images through the stored network once. Augmentation is off.
    """
    pairs = zip(members, results, strict=True)
    return pd.concat([_own_images(m, r) for m, r in pairs], ignore_index=True)


def class_places(by_class: pd.DataFrame, ordered_by: str) -> pd.DataFrame:
    """The place of each class in each seed, from 0: where the teacher does best, or most images.

    Ties go to the class with more training images, then to the smaller label.

    Args:
        by_class: from ``class_statistics``, with the teachers in it.
        ordered_by: one of ``ORDERS``.

    Returns:
        Columns: seed, label, place.

    Raises:
        SettingError: an unknown order.
    """
    if ordered_by not in ORDERS:
        raise SettingError(f"order {ordered_by!r} is not known: {choices(ordered_by, ORDERS)}")
    split = "test" if ordered_by == "frequency" else ordered_by
    rows = by_class[(by_class["method"] == "teacher") & (by_class["split"] == split)]
    keys = ["train_count"] if ordered_by == "frequency" else ["accuracy", "train_count"]
    falling = [False] * len(keys)
    ordered = rows.sort_values(["seed", *keys, "label"], ascending=[True, *falling, True])
    places = ordered.assign(place=ordered.groupby("seed").cumcount())
    return places[["seed", "label", "place"]].reset_index(drop=True)


def bucket_statistics(
    by_class: pd.DataFrame, places: pd.DataFrame, num_buckets: int
) -> pd.DataFrame:
    """The mean of each statistic over the classes of each bucket, for each run.

    Args:
        by_class: rows of ``class_statistics`` of one split.
        places: from ``class_places``; a seed's classes may be fewer than all, as in a tail.
        num_buckets: from 1 to the number of classes that a seed has in ``places``.

    Returns:
        Columns: method, temperature, seed, statistic, bucket (from 1, best for the teacher),
        value.
    """
    # Of a tail each seed has classes of its own, so together they are more than a seed has.
    bucket = bucket_of(int(places["seed"].value_counts().max()), num_buckets)
    ranks = places.groupby("seed")["place"].rank(method="first").astype(int)
    placed = places.assign(bucket=bucket[ranks - 1])
    rows = by_class.merge(placed, on=["seed", "label"])
    kept = [*_RUN, "bucket"]
    long = rows.melt(kept, list(STATISTICS), var_name="statistic")
    keys = [*_RUN, "statistic", "bucket"]
    return long.groupby(keys, dropna=False, sort=False)["value"].mean().reset_index()


def tail_places(places: pd.DataFrame, num_buckets: int) -> pd.DataFrame:
    """The rows of ``places`` that lie in the last of ``num_buckets`` buckets: Figure 4's zoom."""
    bucket = bucket_of(places["label"].nunique(), num_buckets)
    return places[bucket[places["place"]] == num_buckets]


def bucket_intervals(buckets: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds with 95 % t-intervals: method, temperature, statistic, bucket, mean, ..."""
    keys = ["method", "temperature", "statistic", "bucket"]
    pieces = [
        with_intervals(rows, "value", keys, scale_of(str(statistic)))
        for statistic, rows in buckets.groupby("statistic", sort=False)
    ]
    return pd.concat(pieces, ignore_index=True)


def bucket_differences(buckets: pd.DataFrame, pairs: Sequence[Pair]) -> pd.DataFrame:
    """One method minus another in every bucket, paired within seeds.

    Args:
        buckets: from ``bucket_statistics``; each method at one temperature.
        pairs: of a method and its baseline.

    Returns:
        Columns: comparison, statistic, bucket, mean, low, high, seeds, and ``holm``: the p-value
        of the paired t-test, adjusted by Holm's procedure over all buckets of that comparison and
        statistic.
    """
    pieces = [_differences(buckets, pair) for pair in pairs]
    table = pd.concat(pieces, ignore_index=True)
    groups = table.groupby(["comparison", "statistic"], sort=False)["p"]
    return table.assign(holm=groups.transform(holm)).drop(columns="p")


def bucket_ranges(buckets: pd.DataFrame) -> pd.DataFrame:
    """Largest minus smallest bucket of each run and statistic: how far from flat it is.

    Noise alone makes a range, and more of it the fewer test images a bucket has.
    Columns: method, temperature, seed, statistic, value.
    """
    keys = [*_RUN, "statistic"]
    groups = buckets.groupby(keys, dropna=False, sort=False)["value"]
    # A run that diverged has no value in any bucket, and so no range.
    return (groups.max() - groups.min()).reset_index()


def explorer_frame(
    by_class: pd.DataFrame, teachers: pd.DataFrame, bucket_counts: Sequence[int]
) -> pd.DataFrame:
    """Every order and number of buckets at once, as ``charts.bucket_explorer`` takes it.

    Args:
        by_class: rows of ``class_statistics`` to average, one split per method.
        teachers: the rows that ``class_places`` sorts by.
        bucket_counts: numbers of buckets; one above the number of classes means all of them.
    """
    most = teachers["label"].nunique()
    pieces = [
        bucket_intervals(bucket_statistics(by_class, class_places(teachers, order), count)).assign(
            buckets=count, order=words
        )
        for order, words in ORDERS.items()
        for count in sorted({min(count, most) for count in bucket_counts})
    ]
    return pd.concat(pieces, ignore_index=True)


def _differences(buckets: pd.DataFrame, pair: Pair) -> pd.DataFrame:
    method, baseline = pair
    wide = buckets.pivot(index=["statistic", "bucket", "seed"], columns="method", values="value")
    groups = (wide[method] - wide[baseline]).groupby(["statistic", "bucket"], sort=False)
    rows = [
        {"comparison": f"{method} − {baseline}", "statistic": statistic, "bucket": bucket}
        | over_seeds(values, difference_scale_of(str(statistic)))
        for (statistic, bucket), values in groups
    ]
    return pd.DataFrame(rows)


def _held_out(member: Member, result: RunResult) -> pd.DataFrame:
    rows = result.per_class
    counts = training_counts(member.spec)
    return pd.DataFrame(
        {
            **{name: getattr(member, name) for name in _RUN},
            "split": rows["split"],
            "label": rows["label"],
            "train_count": counts[rows["label"].to_numpy()],
            "accuracy": 100 * rows["accuracy"],
            "log_loss": rows["log_loss"],
            "margin": rows["margin"],
        }
    )


def _own_images(member: Member, result: RunResult) -> pd.DataFrame:
    logits, labels = (tensor.numpy() for tensor in training_logits(result))
    num_classes = logits.shape[1]
    values = [logits.argmax(axis=1) == labels, log_loss(logits, labels), margin(logits, labels)]
    right, losses, margins = class_means(values, labels, num_classes)
    counts = np.bincount(labels, minlength=num_classes)
    return pd.DataFrame(
        {
            **{name: getattr(member, name) for name in _RUN},
            "split": OWN_IMAGES,
            "label": np.arange(num_classes),
            "train_count": counts,
            "accuracy": 100 * right,
            "log_loss": losses,
            "margin": margins,
        }
    )
