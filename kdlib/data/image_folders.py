"""ImageNet, ImageNet-LT and iNaturalist 2018: where their images lie, and which list says what.

Nothing here is downloaded: ImageNet needs an account, and iNaturalist 2018 has 120 GB.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from kdlib.data import torchvision_import
from kdlib.data.image_files import ImageFiles
from kdlib.data.image_lists import Labelled, check_labelled, read_annotations, read_list
from kdlib.data.same_files import files_of, is_left_behind, is_same
from kdlib.data.split import SplitWarning
from kdlib.errors import DataError

PUBLISHED = {
    "imagenet": (1000, 1_281_167, 50_000),
    "imagenet_lt": (1000, 115_846, 50_000),
    "inaturalist2018": (8142, 437_513, 24_426),
}
"""Classes, training images and held-out images as published, by data set."""

LAYOUTS = {
    "imagenet": "imagenet/train/CLASS/*.JPEG and imagenet/val/CLASS/*.JPEG",
    "imagenet_lt": "imagenet_lt/ImageNet_LT_train.txt, and the images as for imagenet",
    "inaturalist2018": "inaturalist2018/train_val2018/..., with train2018.json and val2018.json, "
    "or iNaturalist18_train.txt and iNaturalist18_val.txt, beside it",
}
"""What must lie below the data folder, in words."""


@dataclass(frozen=True)
class Listing:
    """Which images there are: labelled paths below ``root``, and the two places that name them."""

    root: Path
    class_names: tuple[str, ...]
    train: Labelled
    held_out: Labelled
    places: tuple[Path, Path]


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
        root: data folder; ``LAYOUTS`` says what lies below it.
        image_size: side of what is shown of an image, in pixels.

    Raises:
        DataError: a folder, list or image is missing, a list is damaged, or a class is empty.
        SettingError: ``image_size`` is out of range.
    """
    listing = _READERS[name](root)
    _check_files(name, listing)
    _compare_with_published(name, listing)
    parts = (_files(listing.root, part, image_size) for part in (listing.train, listing.held_out))
    return FolderSet(listing.class_names, *parts)


def _check_files(name: str, listing: Listing) -> None:
    """Every file is there, and none of them counts twice, whatever it is called."""
    root, parts = listing.root, (listing.train, listing.held_out)
    train, held_out = (
        files_of((path for path, _ in part), root, place)
        for part, place in zip(parts, listing.places, strict=True)
    )
    for file in train.keys() & held_out.keys():
        if is_same(train[file], held_out[file], root):
            also = "" if train[file] == held_out[file] else f" (there it is {held_out[file]})"
            raise DataError(f"{name}: {train[file]} is both a training and a held-out image{also}")


def _files(root: Path, labelled: Labelled, size: int) -> tuple[ImageFiles, Tensor]:
    names = np.array([name for name, _ in labelled], dtype=object)
    return ImageFiles(root, names, size), torch.tensor([label for _, label in labelled])


def _imagenet(root: Path) -> Listing:
    folder = root / "imagenet"
    class_names, train = _class_folders(folder, "train")
    held_out = _held_out(folder, class_names)
    return Listing(folder, class_names, train, held_out, (folder / "train", folder / "val"))


def _imagenet_lt(root: Path) -> Listing:
    folder, place = root / "imagenet", root / "imagenet_lt" / "ImageNet_LT_train.txt"
    class_names, held_out = _class_folders(folder, "val")
    train = read_list(place)
    check_labelled(train, len(class_names), folder, place)
    for name, label in train:
        if class_names[label] not in name.split("/")[:-1]:
            raise DataError(
                f"{place} gives {name} the label {label}, but class {label} of {folder / 'val'} is "
                f"{class_names[label]}: list and folders must number the classes alike"
            )
    return Listing(folder, class_names, train, held_out, (place, folder / "val"))


def _inaturalist2018(root: Path) -> Listing:
    folder = root / "inaturalist2018"
    if (folder / "train2018.json").exists():
        places = (folder / "train2018.json", folder / "val2018.json")
        (class_names, train), (others, held_out) = (read_annotations(place) for place in places)
        if class_names != others:
            raise DataError(f"{places[0]} and {places[1]} list different categories")
    else:
        places = (folder / "iNaturalist18_train.txt", folder / "iNaturalist18_val.txt")
        train, held_out = (read_list(place) for place in places)
        class_names = tuple(map(str, range(1 + max((label for _, label in train), default=-1))))
    for place, labelled in zip(places, (train, held_out), strict=True):
        check_labelled(labelled, len(class_names), folder, place)
    return Listing(folder, class_names, train, held_out, places)


_READERS = {
    "imagenet": _imagenet,
    "imagenet_lt": _imagenet_lt,
    "inaturalist2018": _inaturalist2018,
}


def _class_folders(folder: Path, part: str) -> tuple[tuple[str, ...], Labelled]:
    """The classes below ``folder / part``, sorted, and their images, as torchvision finds them.

    What archives leave behind is neither an image nor a class.
    """
    place = folder / part
    if not place.is_dir():
        raise DataError(
            f"{place} is missing: expected {part}/CLASS/*.JPEG below {folder}; put the images "
            "there, or set KDLIB_DATA to the folder that holds them"
        )
    reader, start = torchvision_import.module("torchvision.datasets.folder"), len(str(folder)) + 1

    def is_image(path: str) -> bool:
        shown = not is_left_behind(Path(path[start:]).as_posix())
        return shown and reader.has_file_allowed_extension(path, reader.IMG_EXTENSIONS)

    try:
        classes = [name for name in reader.find_classes(place)[0] if not is_left_behind(name)]
        labels = {name: label for label, name in enumerate(classes)}
        found = reader.make_dataset(str(place), labels, is_valid_file=is_image)
    except (OSError, ValueError) as error:  # no class, a class without an image, no right to read
        reason = " ".join(str(error).split())
        raise DataError(f"{place} cannot be taken as folders of classes: {reason}") from error
    return tuple(classes), [(Path(path[start:]).as_posix(), label) for path, label in found]


def _held_out(folder: Path, class_names: tuple[str, ...]) -> Labelled:
    others, held_out = _class_folders(folder, "val")
    different = sorted({*class_names} ^ {*others})
    if different:
        raise DataError(f"{folder}: class {different[0]} is only in one of train and val")
    return held_out


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
