"""Published lists of images: text files of "path label" lines, and COCO-style JSON.

Read as editors and archives leave them: with a byte-order mark, empty lines, other line ends, and
spaces or tabs around a path and its label.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from kdlib.data.same_files import is_left_behind
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


def read_list(path: Path, wrong: list[str]) -> Labelled:
    """The lines "path label" of a list, e.g. ``train/n01440764/n01440764_190.JPEG 0``.

    ``wrong`` takes a line where the file is missing or no text, and for each of another form.
    """
    found = []
    for number, line in lines_of(path, wrong):
        *name, label = line.strip().rsplit(maxsplit=1)
        if name and label.isascii() and label.isdecimal():
            found.append((one_spelling(name[0]), int(label)))
        else:
            wrong.append(
                f"{path}, line {number} is {line!r}: expected a path, a space and a label from 0"
            )
    return found


def lines_of(path: Path, wrong: list[str]) -> list[tuple[int, str]]:
    """The lines of a text that are not empty, with their numbers; none where it cannot be read."""
    text = _text(path, wrong)
    lines = enumerate((text or "").split("\n"), start=1)
    found = [(number, line) for number, line in lines if line.strip()]
    if text is not None and not found:
        wrong.append(f"{path} is empty")
    return found


def _text(path: Path, wrong: list[str]) -> str | None:
    """What the file holds, without a byte-order mark and with one kind of line end."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        wrong.append(_unreadable(path, error))
        return None


def one_spelling(name: str) -> str:
    """The path without what says nothing: ``./a//b`` is ``a/b``."""
    return PurePosixPath(name).as_posix()


def read_annotations(path: Path, wrong: list[str]) -> tuple[tuple[str, ...], Labelled]:
    """Class names and labelled paths of a JSON file as iNaturalist publishes them.

    Labels number the category ids in ascending order, from 0. ``wrong`` takes a line where the file
    is missing or of another form, names unknown images or categories, or gives two of them one id.
    """
    text = _text(path, wrong)
    if text is None:
        return (), []
    try:
        found = _Annotations.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        wrong.append(f"{path} is no list of annotations: {where}: {first['msg']}")
        return (), []
    return _labelled(path, found, wrong)


def _labelled(
    path: Path, found: _Annotations, wrong: list[str]
) -> tuple[tuple[str, ...], Labelled]:
    categories = sorted(found.categories, key=lambda category: category.id)
    labels = {category.id: label for label, category in enumerate(categories)}
    names = {image.id: one_spelling(image.file_name) for image in found.images}
    if len(labels) < len(categories) or len(names) < len(found.images):
        wrong.append(f"{path} gives one id to two images or categories")
    if not found.annotations:
        wrong.append(f"{path} annotates no image")
    labelled = []
    for one in found.annotations:
        if one.image_id in names and one.category_id in labels:
            labelled.append((names[one.image_id], labels[one.category_id]))
        else:
            unknown = one.category_id if one.image_id in names else one.image_id
            wrong.append(f"{path} annotates the unknown image or category {unknown}")
    return tuple(category.name for category in categories), labelled


def check_labelled(labelled: Labelled, num_classes: int, root: Path, place: Path) -> Iterator[str]:
    """What is wrong with a list by itself; ``kdlib.data.same_files`` looks at its files.

    Args:
        labelled: what the list says.
        num_classes: labels run from 0 to one less; 0 where it is not known.
        root: the folder that the paths start from.
        place: the list, for messages.

    Yields:
        A line for each path that leaves the folder, comes twice or is of what archives leave
        behind, each label out of range and each class without an image.
    """
    if not labelled:  # of which its reader told
        return
    for name, label in labelled:
        yield from _about_path(name, root, place)
        if num_classes and label >= num_classes:
            yield f"{place} gives {name} the label {label}: allowed 0 to {num_classes - 1}"
    for name, count in Counter(name for name, _ in labelled).items():
        if count > 1:
            yield f"{place} names {name} more than once"
    for label in sorted(set(range(num_classes)) - {label for _, label in labelled}):
        yield f"{place} has no image of class {label}: every class needs one"


def _about_path(name: str, root: Path, place: Path) -> Iterator[str]:
    if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
        yield f"{place} names {name!r}, which leaves {root}: paths must stay below it"
    elif is_left_behind(name):
        yield f"{place} names {name}, which is no image but left by an archive"


def _unreadable(path: Path, error: Exception) -> str:
    """The one line for a list that is missing or cannot be read."""
    if isinstance(error, FileNotFoundError):
        return f"{path} is missing: put the published list there"
    reason = error.strerror if isinstance(error, OSError) else "it is no text in UTF-8"
    return f"{path} cannot be read: {reason}"
