"""Where the images of each large set lie, and which list says what: as published.

What is wrong is gathered, one line each, so that a user hears of all of it at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kdlib.data import torchvision_import
from kdlib.data.image_lists import (
    Labelled,
    check_labelled,
    lines_of,
    one_spelling,
    read_annotations,
    read_list,
)
from kdlib.data.same_files import is_left_behind

LAYOUTS = {
    "imagenet": "imagenet/train/CLASS/*.JPEG and imagenet/val/CLASS/*.JPEG; or imagenet/val/*.JPEG "
    "with Caffe's list imagenet/val.txt",
    "imagenet_lt": "imagenet_lt/ImageNet_LT_train.txt, and the images as for imagenet",
    "inaturalist2018": "inaturalist2018/train_val2018/..., with train2018.json and val2018.json, "
    "or iNaturalist18_train.txt and iNaturalist18_val.txt, beside it",
    "tinyimagenet": "tiny-imagenet-200/train/CLASS/images/*.JPEG, tiny-imagenet-200/val/images/"
    "*.JPEG with tiny-imagenet-200/val/val_annotations.txt, and tiny-imagenet-200/wnids.txt",
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


def read_layout(name: str, root: Path, wrong: list[str]) -> Listing:
    """What the folders and lists of the set ``name`` (one of ``LAYOUTS``) say.

    Args:
        name: the data set.
        root: data folder.
        wrong: takes a line for each fault of folders and lists.
    """
    return _READERS[name](root, wrong)


def _imagenet(root: Path, wrong: list[str]) -> Listing:
    folder = root / "imagenet"
    class_names, train = _class_folders(folder, "train", wrong)
    place, held_out = _imagenet_val(folder, class_names, wrong)
    return Listing(folder, class_names, train, held_out, (folder / "train", place))


def _imagenet_val(
    folder: Path, class_names: tuple[str, ...], wrong: list[str]
) -> tuple[Path, Labelled]:
    """Class folders; or one folder and Caffe's list, whose labels number the sorted classes."""
    place, listed = folder / "val", folder / "val.txt"
    if not _is_flat(place):
        return place, _held_out(folder, class_names, wrong)
    if not listed.exists():
        wrong.append(
            f"{place} holds images without folders of classes: sort them into val/CLASS, or put "
            f"the list {listed} there, whose lines are ILSVRC2012_val_00000001.JPEG 65"
        )
        return place, []
    found = [
        (f"val/{name.removeprefix('val/')}", label) for name, label in read_list(listed, wrong)
    ]
    wrong += check_labelled(found, len(class_names), folder, listed)
    return listed, found


def _is_flat(place: Path) -> bool:
    """Whether images lie in the folder itself."""
    shown = (
        [path for path in place.iterdir() if not is_left_behind(path.name)]
        if place.is_dir()
        else []
    )
    return bool(shown) and not any(path.is_dir() for path in shown)


def _imagenet_lt(root: Path, wrong: list[str]) -> Listing:
    folder, place = root / "imagenet", root / "imagenet_lt" / "ImageNet_LT_train.txt"
    class_names, listed = _classes_of_val(folder, wrong)
    train = read_list(place, wrong)
    held_place, held_out = listed
    wrong += check_labelled(train, len(class_names), folder, place)
    for name, label in train:
        if label < len(class_names) and class_names[label] not in name.split("/")[:-1]:
            wrong.append(
                f"{place} gives {name} the label {label}, but class {label} of {held_place} is "
                f"{class_names[label]}: list and folders must number the classes alike"
            )
    return Listing(folder, class_names, train, held_out, (place, held_place))


def _classes_of_val(
    folder: Path, wrong: list[str]
) -> tuple[tuple[str, ...], tuple[Path, Labelled]]:
    """The classes by the folders of val; where val has none, by those of train."""
    if _is_flat(folder / "val"):
        class_names, _ = _class_folders(folder, "train", wrong)
        return class_names, _imagenet_val(folder, class_names, wrong)
    class_names, held_out = _class_folders(folder, "val", wrong)
    return class_names, (folder / "val", held_out)


def _inaturalist2018(root: Path, wrong: list[str]) -> Listing:
    folder = root / "inaturalist2018"
    if (folder / "train2018.json").exists():
        places = (folder / "train2018.json", folder / "val2018.json")
        read = [read_annotations(place, wrong) for place in places]
        (class_names, train), (others, held_out) = read
        if class_names and others and class_names != others:
            wrong.append(f"{places[0]} and {places[1]} list different categories")
    else:
        places = (folder / "iNaturalist18_train.txt", folder / "iNaturalist18_val.txt")
        train, held_out = (read_list(place, wrong) for place in places)
        class_names = tuple(map(str, range(1 + max((label for _, label in train), default=-1))))
    for place, labelled in zip(places, (train, held_out), strict=True):
        wrong += check_labelled(labelled, len(class_names), folder, place)
    return Listing(folder, class_names, train, held_out, places)


def _tinyimagenet(root: Path, wrong: list[str]) -> Listing:
    folder = root / "tiny-imagenet-200"
    class_names, train = _class_folders(folder, "train", wrong, "CLASS/images/*.JPEG")
    listed = {line.strip() for _, line in lines_of(folder / "wnids.txt", wrong)}
    for name in sorted({*class_names} ^ listed) if listed and class_names else ():
        wrong.append(f"{folder}: class {name} is only in one of train and wnids.txt")
    place = folder / "val" / "val_annotations.txt"
    held_out = _tiny_val(place, class_names, wrong)
    wrong += check_labelled(held_out, len(class_names), folder, place)
    return Listing(folder, class_names, train, held_out, (folder / "train", place))


def _tiny_val(place: Path, class_names: tuple[str, ...], wrong: list[str]) -> Labelled:
    """Lines "val_0.JPEG n03444034 0 32 44 62": an image of ``val/images``, a class and a box."""
    labels = {name: label for label, name in enumerate(class_names)}
    found = []
    for number, line in lines_of(place, wrong):
        name, *rest = line.split()
        if not rest or (labels and rest[0] not in labels):
            wrong.append(f"{place}, line {number} is {line!r}: expected an image and its class")
        else:
            found.append((one_spelling(f"val/images/{name}"), labels.get(rest[0], 0)))
    return found


_READERS = {
    "imagenet": _imagenet,
    "imagenet_lt": _imagenet_lt,
    "inaturalist2018": _inaturalist2018,
    "tinyimagenet": _tinyimagenet,
}


def _class_folders(
    folder: Path, part: str, wrong: list[str], images: str = "CLASS/*.JPEG"
) -> tuple[tuple[str, ...], Labelled]:
    """The classes below ``folder / part``, sorted, and their images, as torchvision finds them.

    What archives leave behind is neither an image nor a class. ``images`` is where they lie below
    the part, for the message where it is missing.
    """
    place = folder / part
    if not place.is_dir():
        wrong.append(
            f"{place} is missing: expected {part}/{images} below {folder}; put the images "
            "there, or set KDLIB_DATA to the folder that holds them"
        )
        return (), []
    reader, start = torchvision_import.module("torchvision.datasets.folder"), len(str(folder)) + 1

    def is_image(path: str) -> bool:
        shown = not is_left_behind(Path(path[start:]).as_posix())
        return shown and reader.has_file_allowed_extension(path, reader.IMG_EXTENSIONS)

    try:
        classes = [name for name in reader.find_classes(place)[0] if not is_left_behind(name)]
        labels = {name: label for label, name in enumerate(classes)}
        found = reader.make_dataset(str(place), labels, is_valid_file=is_image, allow_empty=True)
    except (OSError, ValueError) as error:  # no class, or no right to read
        reason = " ".join(str(error).split())
        wrong.append(f"{place} cannot be taken as folders of classes: {reason}")
        return (), []
    for label in sorted(set(range(len(classes))) - {label for _, label in found}):
        wrong.append(f"{place} has no image of class {classes[label]}: every class needs one")
    return tuple(classes), [(Path(path[start:]).as_posix(), label) for path, label in found]


def _held_out(folder: Path, class_names: tuple[str, ...], wrong: list[str]) -> Labelled:
    others, held_out = _class_folders(folder, "val", wrong)
    for name in sorted({*class_names} ^ {*others}) if class_names and others else ():
        wrong.append(f"{folder}: class {name} is only in one of train and val")
    return held_out
