"""A random share of the classes of a data set, as if the others had never been there."""

from __future__ import annotations

import torch

from kdlib.data.longtail import select_rows
from kdlib.data.split import Source, Split
from kdlib.seeds import generator

MIN_CLASSES = 2


def kept_classes(name: str, num_classes: int, share: float, seed: int) -> list[int]:
    """The classes that are kept, ascending: ``share`` of them, at least two.

    The classes have one random order, a function of the data set and the seed, and a share keeps
    its start. So a smaller share of the same seed keeps a subset of what a larger one keeps.

    Args:
        name: the data set.
        num_classes: L, at least 2.
        share: above 0, at most 1; the number is rounded to the nearest.
        seed: which classes.
    """
    count = max(MIN_CLASSES, round(share * num_classes))
    order = torch.randperm(num_classes, generator=generator("classes", name, seed))
    return sorted(order[:count].tolist())


def select_classes(source: Source, share: float, seed: int) -> Source:
    """The data set with a share of its classes, renumbered from 0 in their old order."""
    if share == 1:
        return source
    kept = kept_classes(source.name, len(source.class_names), share, seed)
    names = tuple(source.class_names[label] for label in kept)
    return Source(source.name, names, *(_only(split, kept) for split in source.splits))


def _only(split: Split, kept: list[int]) -> Split:
    rows = [(split.labels == label).nonzero()[:, 0] for label in kept]
    part = select_rows(split, split.name, rows)
    new_labels = torch.full((split.num_classes,), -1)
    new_labels[kept] = torch.arange(len(kept))
    return Split(part.name, part.images, new_labels[part.labels], part.index, len(kept))
