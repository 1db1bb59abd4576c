"""Published lists of images: text files of "path label" lines, and COCO-style JSON.

Read as editors and archives leave them: with a byte-order mark, empty lines, other line ends, and
spaces or tabs around a path and its label.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from kdlib.data.same_files import is_left_behind
from kdlib.errors import DataError
from kdlib.validated import NoBooleans

Labelled = list[tuple[str, int]]
"""Paths below a folder, with ``/`` between their parts, and their labels."""


class _Image(NoBooleans):
    id: int
    file_name: str


class _Annotation(NoBooleans):
    image_id: int
    category_id: int


class _Category(NoBooleans):
    id: int
    name: str


class _Annotations(NoBooleans):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


def read_list(path: Path) -> Labelled:
    """The lines "path label" of a list, e.g. ``train/n01440764/n01440764_190.JPEG 0``.

    Raises:
        DataError: the file is missing or no text, or a line is of another form.
    """
    lines = enumerate(_text(path).split("\n"), start=1)
    return [_parse_line(line, f"{path}, line {n}") for n, line in lines if line.strip()]


def _text(path: Path) -> str:
    """What the file holds, without a byte-order mark and with one kind of line end."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise unreadable(path, error) from error


def _parse_line(line: str, place: str) -> tuple[str, int]:
    *path, label = line.strip().rsplit(maxsplit=1)
    if not path or not (label.isascii() and label.isdecimal()):
        raise DataError(f"{place} is {line!r}: expected a path, a space and a label from 0")
    return one_spelling(path[0]), int(label)


def one_spelling(name: str) -> str:
    """The path without what says nothing: ``./a//b`` is ``a/b``."""
    return PurePosixPath(name).as_posix()


def read_annotations(path: Path) -> tuple[tuple[str, ...], Labelled]:
    """Class names and labelled paths of a JSON file as iNaturalist publishes them.

    Labels number the category ids in ascending order, from 0.

    Raises:
        DataError: the file is missing or of another form, names an unknown image or category, or
            gives two of them one id.
    """
    try:
        found = _Annotations.model_validate_json(_text(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise DataError(f"{path} is no list of annotations: {where}: {first['msg']}") from error
    categories = sorted(found.categories, key=lambda category: category.id)
    labels = {category.id: label for label, category in enumerate(categories)}
    names = {image.id: one_spelling(image.file_name) for image in found.images}
    if len(labels) < len(categories) or len(names) < len(found.images):
        raise DataError(f"{path} gives one id to two images or categories")
    try:
        labelled = [(names[a.image_id], labels[a.category_id]) for a in found.annotations]
    except KeyError as error:
        raise DataError(f"{path} annotates the unknown image or category {error}") from error
    return tuple(category.name for category in categories), labelled


def check_labelled(labelled: Labelled, num_classes: int, root: Path, place: Path) -> None:
    """Check what a list says by itself; ``kdlib.data.same_files`` looks at its files.

    Args:
        labelled: what the list says.
        num_classes: labels run from 0 to one less.
        root: the folder that the paths start from.
        place: the list, for messages.

    Raises:
        DataError: a path leaves the folder, comes twice or is of what archives leave behind; a
            label is out of range; a class has no image.
    """
    if not labelled:
        raise DataError(f"{place} names no image")
    for name, label in labelled:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise DataError(
                f"{place} names {name!r}, which leaves {root}: paths must stay below it"
            )
        if is_left_behind(name):
            raise DataError(f"{place} names {name}, which is no image but left by an archive")
        if label >= num_classes:
            raise DataError(
                f"{place} gives {name} the label {label}: allowed 0 to {num_classes - 1}"
            )
    twice = [name for name, count in Counter(name for name, _ in labelled).items() if count > 1]
    if twice:
        raise DataError(f"{place} names {twice[0]} more than once")
    empty = sorted(set(range(num_classes)) - {label for _, label in labelled})
    if empty:
        raise DataError(f"{place} has no image of class {empty[0]}: every class needs one")


def unreadable(path: Path, error: Exception) -> DataError:
    """The one line for a list that is missing or cannot be read."""
    if isinstance(error, FileNotFoundError):
        return DataError(f"{path} is missing: put the published list there")
    reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
    return DataError(f"{path} cannot be read: {reason}")
