"""What ``load`` returns: splits of images, each tied to the rows of its source."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import torch
from torch import Tensor

from kdlib.data.image_files import ImageFiles, Images
from kdlib.errors import SettingError


class SplitWarning(UserWarning):
    """A split differs from the recorded one, so results do not compare with recorded results."""


@dataclass(frozen=True, eq=False)
class Split:
    """Images and labels, with the row that each has in its source.

    The tensors may be shared with other callers of ``load``: clone them before writing.

    Attributes:
        name: ``train``, ``train_minus_dev``, ``dev``, ``validation`` or ``test``.
        images: uint8 ``[N, C, H, W]``, 0 to 255; of the large sets, files in their place.
        labels: int64 ``[N]``, 0 to ``num_classes - 1``.
        index: int64 ``[N]``, the row in the source: the official training file for ``train`` and
            its parts, the official test file for ``validation`` and ``test``. The digits have one
            source for all.
        num_classes: number of classes L, also of those that have no example here.
    """

    name: str
    images: Images
    labels: Tensor
    index: Tensor
    num_classes: int

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def digest(self) -> str:
        """First 16 hex digits of the SHA-256 of ``index``, as little-endian 64-bit integers.

        Of images in files the paths count too: a folder's rows are no published numbering.
        """
        sha = hashlib.sha256(self.index.cpu().numpy().astype("<i8").tobytes())
        if isinstance(self.images, ImageFiles):
            sha.update(self.images.hash_of_names())
        return sha.hexdigest()[:16]

    @property
    def class_counts(self) -> Tensor:
        """Number of examples of each class, int64 ``[L]``."""
        return torch.bincount(self.labels, minlength=self.num_classes)

    def to(self, device: torch.device | str) -> Split:
        """The same split with images and labels on ``device``; ``index`` stays on the CPU."""
        images, labels = self.images.to(device), self.labels.to(device)
        return Split(self.name, images, labels, self.index, self.num_classes)

    def select(self, name: str, rows: Tensor) -> Split:
        """The examples at positions ``rows`` (int64 ``[M]``), as a split called ``name``."""
        parts = (self.images[rows], self.labels[rows], self.index[rows.to(self.index.device)])
        return Split(name, *parts, self.num_classes)


def check_split(split: Split) -> None:
    """See that a split is what ``Split`` promises; reads the labels once.

    Raises:
        SettingError: images are not uint8 ``[N, C, H, W]``, images, labels and index differ in
            number, or a label is no integer from 0 to ``num_classes - 1``.
    """
    name, labels = f"split {split.name!r}", split.labels
    check_images(name, split.images)
    counts = {"images": len(split.images), "labels": len(labels), "index": len(split.index)}
    if len(set(counts.values())) > 1:
        said = ", ".join(f"{count} {what}" for what, count in counts.items())
        raise SettingError(f"{name} has {said}: must be one of each per example")
    if labels.is_floating_point() or labels.dtype == torch.bool:
        raise SettingError(f"{name} has labels of type {labels.dtype}: must be int64")
    low, high = (int(end) for end in labels.aminmax()) if len(labels) else (0, 0)
    if low < 0 or high >= split.num_classes:
        bad = low if low < 0 else high
        raise SettingError(f"{name} holds the label {bad}: allowed 0 to {split.num_classes - 1}")


def check_images(name: str, images: Images) -> None:
    """See that images in memory are uint8 ``[N, C, H, W]``.

    Raises:
        SettingError: they are not. Names them by ``name``.
    """
    if not isinstance(images, torch.Tensor):
        return
    if images.dtype != torch.uint8 or images.ndim != 4:
        raise SettingError(
            f"{name} has images of type {images.dtype} and shape {tuple(images.shape)}: "
            "must be uint8 [N, C, H, W], from 0 to 255"
        )


def halves(split: Split) -> tuple[Split, Split]:
    """Every second example of each class, and the others; the first half is never the smaller.

    Which they are depends on the split's order alone.
    """
    rank = torch.zeros(len(split), dtype=torch.int64)
    for label in range(split.num_classes):
        rows = (split.labels.cpu() == label).nonzero()[:, 0]
        rank[rows] = torch.arange(len(rows))
    first, second = ((rank % 2 == part).nonzero()[:, 0] for part in (0, 1))
    return split.select(f"{split.name}, 1st half", first), split.select(
        f"{split.name}, 2nd half", second
    )


@dataclass(frozen=True, eq=False)
class Source:
    """A data set as published: all of its training examples and two held-out halves."""

    name: str
    class_names: tuple[str, ...]
    train: Split
    validation: Split
    test: Split

    @property
    def splits(self) -> tuple[Split, ...]:
        """All three splits."""
        return self.train, self.validation, self.test


@dataclass(frozen=True, eq=False)
class Dataset:
    """The splits of one data set at one imbalance and subset seed.

    ``train_minus_dev`` and ``dev`` are disjoint and together hold ``train``. ``validation`` and
    ``test`` are balanced and the same for every imbalance and subset seed.
    """

    name: str
    class_names: tuple[str, ...]
    train: Split
    train_minus_dev: Split
    dev: Split
    validation: Split
    test: Split

    @property
    def splits(self) -> tuple[Split, ...]:
        """All five splits."""
        return self.train, self.train_minus_dev, self.dev, self.validation, self.test

    @property
    def num_classes(self) -> int:
        """Number of classes L."""
        return len(self.class_names)

    @property
    def channels(self) -> int:
        """Colour channels of an image: 1 or 3."""
        return self.train.images.shape[1]

    @property
    def image_size(self) -> int:
        """Height and width of an image in pixels."""
        return self.train.images.shape[2]
