"""Which training examples a long-tailed set keeps, and which of those make its dev split."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
from torch import Tensor

from kdlib.data.split import Split
from kdlib.seeds import generator

DEV_PER_CLASS = 20
NATURAL_TAILS = {"imagenet_lt": 50, "inaturalist2018": 20}
"""Sets whose tail is their own, and the k of their dev split ("Teacher's pet", section 5).

For iNaturalist the paper states no k: 20, as for long-tailed CIFAR-100, is our choice.
"""


def long_tailed_counts(head: int, num_classes: int, imbalance: float) -> list[int]:
    """Class sizes that fall exponentially from ``head`` to ``head / imbalance``.

    Class i of L keeps ``floor(head * imbalance ** (-i / (L - 1)))`` examples, at least one
    (Cui et al. 2019). CIFAR-100 at ratio 100 has 10,847 training examples.

    Args:
        head: examples of class 0, at least 1.
        num_classes: number of classes L, at least 1.
        imbalance: largest over smallest class size, at least 1.
    """
    last = max(num_classes - 1, 1)
    return [_floor(head * imbalance ** (-i / last)) for i in range(num_classes)]


def _floor(size: float) -> int:
    # 428 * 107 ** -1.0 is 3.9999999999999996: without the slack an exact 4 would become 3.
    return max(1, math.floor(size + 1e-9))


def refuse_second_tail(name: str, imbalance: float) -> None:
    """Refuse to make a set long-tailed that is so by itself.

    Raises:
        ValueError: ``imbalance`` is above 1 and ``name`` is one of ``NATURAL_TAILS``.
    """
    if imbalance > 1 and name in NATURAL_TAILS:
        raise ValueError(f"imbalance = {imbalance:g}: {name} has a long tail of its own, so 1")


def dev_count(count: int, imbalance: float, name: str = "") -> int:
    """How many of a class's ``count`` training examples go to the dev split of set ``name``.

    "Teacher's pet", section 5: 20 % of a balanced set; of a long-tailed one k per class, or half of
    a class that has at most 2k; k is 20, or as in ``NATURAL_TAILS``. The paper draws the 20 % at
    random from all classes together; ours are of each class.
    """
    if imbalance == 1 and name not in NATURAL_TAILS:
        return count // 5
    return min(NATURAL_TAILS.get(name, DEV_PER_CLASS), count // 2)


def permuted_rows(labels: Tensor, num_classes: int, *stream: object) -> list[Tensor]:
    """For each class its rows in ``labels`` (int64 ``[N]``), in the random order of ``stream``."""
    return [
        _permuted((labels == label).nonzero()[:, 0], *stream, label) for label in range(num_classes)
    ]


def _permuted(rows: Tensor, *stream: object) -> Tensor:
    return rows[torch.randperm(len(rows), generator=generator(*stream))]


def training_splits(
    train: Split, name: str, imbalance: float, subset_seed: int
) -> tuple[Split, Split, Split]:
    """The long-tailed ``train`` and its parts ``train_minus_dev`` and ``dev``.

    Every class has one random order, a function of the data set, the subset seed and the class. A
    subset keeps the order's start, so a larger imbalance keeps a subset of a smaller one's
    examples; dev is the start of what is kept. At imbalance 1 all examples are kept, also where
    the classes differ in size; above it, the smallest class is the head.
    """
    orders = permuted_rows(train.labels, train.num_classes, "subset", name, subset_seed)
    counts = list(map(len, orders))
    if imbalance > 1:
        counts = long_tailed_counts(min(counts), len(orders), imbalance)
    kept = [order[:count] for order, count in zip(orders, counts, strict=True)]
    dev_counts = [dev_count(len(rows), imbalance, name) for rows in kept]
    dev = [rows[:k] for rows, k in zip(kept, dev_counts, strict=True)]
    rest = [rows[k:] for rows, k in zip(kept, dev_counts, strict=True)]
    return (
        select_rows(train, "train", kept),
        select_rows(train, "train_minus_dev", rest),
        select_rows(train, "dev", dev),
    )


def select_rows(split: Split, name: str, rows_of_classes: list[Tensor]) -> Split:
    """Those rows of ``split``, in their old order, as a split called ``name``."""
    rows = torch.cat(rows_of_classes).sort().values
    if len(rows) == len(split):
        return replace(split, name=name)  # all of it, in order: no second copy of the images
    return split.select(name, rows)
