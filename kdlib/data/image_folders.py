"""ImageNet, ImageNet-LT, TinyImageNet and iNaturalist 2018, as they lie in folders, checked.

Nothing here is downloaded: ImageNet needs an account, and iNaturalist 2018 has 120 GB.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from kdlib.data.cores import cores
from kdlib.data.image_files import ImageFiles, read_image
from kdlib.data.image_lists import Labelled
from kdlib.data.layouts import Listing, read_layout
from kdlib.data.same_files import files_of, is_same
from kdlib.data.split import SplitWarning
from kdlib.errors import DataError

PUBLISHED = {
    "imagenet": (1000, 1_281_167, 50_000),
    "imagenet_lt": (1000, 115_846, 50_000),
    "inaturalist2018": (8142, 437_513, 24_426),
    "tinyimagenet": (200, 100_000, 10_000),
}
"""Classes, training images and held-out images as published, by data set."""
_MOST_TOLD = 10
_AT_ONCE = 500


@dataclass(frozen=True, eq=False)
class FolderSet:
    """A data set in files, before its held-out images are halved."""

    class_names: tuple[str, ...]
    train: tuple[ImageFiles, Tensor]
    held_out: tuple[ImageFiles, Tensor]


def read_folder_set(name: str, root: Path, image_size: int) -> FolderSet:
    """Find the images of ``name`` (one of ``PUBLISHED``); none is opened yet.

    Args:
        name: the data set.
        root: data folder; ``kdlib.data.layouts`` says what lies below it.
        image_size: side of what is shown of an image, in pixels.

    Raises:
        DataError: a folder, list or image is missing, a list is damaged, or a class is empty; all
            that is wrong is told at once.
        SettingError: ``image_size`` is out of range.
    """
    wrong: list[str] = []
    listing = checked_listing(name, root, wrong)
    if wrong:
        raise DataError(_told(name, wrong))
    _compare_with_published(name, listing)
    parts = (_files(listing.root, part, image_size) for part in (listing.train, listing.held_out))
    return FolderSet(listing.class_names, *parts)


def checked_listing(name: str, root: Path, wrong: list[str]) -> Listing:
    """What folders and lists say, and every file of them looked for; none is opened.

    Args:
        name: the data set.
        root: data folder.
        wrong: takes a line for each fault.
    """
    listing = read_layout(name, root, wrong)
    parts = (listing.train, listing.held_out)
    train, held_out = (
        files_of((path for path, _ in part), listing.root, place, wrong)
        for part, place in zip(parts, listing.places, strict=True)
    )
    for file in train.keys() & held_out.keys():
        if is_same(train[file], held_out[file], listing.root):
            also = "" if train[file] == held_out[file] else f" (there it is {held_out[file]})"
            wrong.append(f"{name}: {train[file]} is both a training and a held-out image{also}")
    return listing


def paths_of(listing: Listing) -> list[Path]:
    """The images that are there, each once."""
    names = dict.fromkeys(name for name, _ in (*listing.train, *listing.held_out))
    return [path for name in names if (path := listing.root / name).is_file()]


def unreadable_images(paths: Sequence[Path], seen: Callable[[int], object]) -> Iterator[str]:
    """Decode every image, one thread per core; a line for each that cannot be.

    Args:
        paths: of the images.
        seen: is told, now and then, of how many more were decoded.
    """
    with ThreadPoolExecutor(cores()) as pool:
        for start in range(0, len(paths), _AT_ONCE):
            part = paths[start : start + _AT_ONCE]
            yield from filter(None, pool.map(_complaint, part))
            seen(len(part))


def _complaint(path: Path) -> str:
    try:
        read_image(path)
    except DataError as error:
        return str(error)
    return ""


def _told(name: str, wrong: list[str]) -> str:
    """One line with the first faults, and how to see the others."""
    more = len(wrong) - _MOST_TOLD
    rest = f"; and {more:,} more, which `kdlib data {name}` lists" if more > 0 else ""
    return "; ".join(wrong[:_MOST_TOLD]) + rest


def _files(root: Path, labelled: Labelled, size: int) -> tuple[ImageFiles, Tensor]:
    names = np.array([name for name, _ in labelled], dtype=object)
    return ImageFiles(root, names, size), torch.tensor([label for _, label in labelled])


def _compare_with_published(name: str, listing: Listing) -> None:
    found = len(listing.class_names), len(listing.train), len(listing.held_out)
    if found != PUBLISHED[name]:
        words = "{:,} classes, {:,} training and {:,} held-out images"
        warnings.warn(
            f"{name} in {listing.root} has {words.format(*found)}, the published set "
            f"{words.format(*PUBLISHED[name])}: results do not compare with published ones",
            SplitWarning,
            stacklevel=2,
        )
