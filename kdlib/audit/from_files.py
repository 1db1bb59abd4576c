"""An audit whose arguments lie in files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from kdlib.audit.advice import listed
from kdlib.audit.files import Content, Field, read_names
from kdlib.audit.report import Report
from kdlib.audit.run import audit
from kdlib.errors import DataError, SettingError
from kdlib.names import shown

SCORES = ("student", "one_hot", "teacher", "baseline", "dev_teacher")
VECTORS = ("labels", "train_counts", "dev_labels")
_GROUP = "group_"
_ONE_FILE = "one with such a field"


def audit_files(data: str | None, named: Mapping[str, Sequence[str]], **settings: Any) -> Report:
    """As ``kdlib.audit``, with files in the place of arrays.

    Args:
        data: a file with fields (or columns) named after the arguments; those that begin with
            ``group_`` are groups. None: everything is named.
        named: files, or ``FILE:FIELD``, by argument: labels, student, one_hot, teacher, baseline,
            groups, class_names, train_counts, dev_labels, dev_teacher. Several for several seeds.
        settings: the other arguments of ``kdlib.audit``.

    Raises:
        DataError: a file cannot be read or does not fit.
        SettingError: labels or student are missing, or a setting is out of range.
    """
    texts = {role: list(found) for role, found in named.items()}
    values: dict[str, Any] = {}
    places: dict[str, str] = {}
    scores: list[Field] = []
    if data is not None:
        scores += _from_one(data, texts, values, places)
    for role, files in texts.items():
        values[role], places[role], found = _from_files(role, files)
        scores += found
    _check_one_order(scores)
    for role in ("labels", "student"):
        if role not in values:
            raise SettingError(f"{role} is missing: name a file with --{role}, or {_ONE_FILE}")
    return audit(**_arguments(values), places=places, **settings)


def _arguments(values: dict[str, Any]) -> dict[str, Any]:
    """With dev labels and dev scores in one argument."""
    labels, scores = values.pop("dev_labels", None), values.pop("dev_teacher", None)
    if (labels is None) != (scores is None):
        raise SettingError("dev_labels and dev_teacher belong together: give both or neither")
    return values if labels is None else {**values, "dev": (labels, scores)}


def _from_one(
    data: str, texts: Mapping[str, Any], values: dict[str, Any], places: dict[str, str]
) -> list[Field]:
    """Take what the one file has and no other file is named for; returns the fields of scores."""
    whole, scores = Field(data, "labels"), []
    there = _fields(whole.path, whole.content)
    for role in ("labels", "student"):
        if role not in there and role not in texts:
            found = listed([shown(name) for name in there])
            raise SettingError(
                f"{data} has no field {role}: name a file with --{role}, or {_ONE_FILE}; it has "
                f"{found or 'none'}"
            )
    for role in (*SCORES, *VECTORS, "class_names"):
        if role in there and role not in texts:
            field = whole.sibling(role)
            values[role] = field.scores() if role in SCORES else field.vector()
            scores += [field] if role in SCORES else []
            places[role] = f"{whole.path}, field {role}"
    groups = [name for name in there if name.startswith(_GROUP)]
    if groups and "groups" not in texts:
        values["groups"] = whole.columns({name.removeprefix(_GROUP): name for name in groups})
        places["groups"] = f"{whole.path}, fields {_GROUP}..."
    return scores


def _check_one_order(fields: Sequence[Field]) -> None:
    """Refuse tables whose columns name the same classes in different orders."""
    first: dict[frozenset[str], tuple[list[str], str]] = {}
    for field in fields:
        order = field.class_order()
        other, where = first.setdefault(frozenset(order), (order, field.where))
        if order != other:
            raise DataError(
                f"{field.where} has the classes in the order {listed(order)}, {where} in the order "
                f"{listed(other)}: expected one order"
            )


def _fields(path: object, content: Content) -> list[str]:
    """Names of fields; of a table those of its columns, and what they begin with."""
    if isinstance(content, pd.DataFrame):
        names = [str(name) for name in content.columns]
        starts = [name.rpartition("_")[0] for name in names if not name.startswith(_GROUP)]
        return list(dict.fromkeys(names + [start for start in starts if start]))
    if isinstance(content, np.ndarray):
        raise DataError(f"{path} is one array: name it with --student, --labels, ...")
    return list(content)


def _from_files(role: str, files: Sequence[str]) -> tuple[Any, str, list[Field]]:
    """The values, where they are from, and their fields where they are scores."""
    if role == "class_names":
        return read_names(files[0]), files[0], []
    fields = [Field(text, role) for text in files]
    where = ", ".join(field.where for field in fields)
    if role == "groups":
        return fields[0].frame(), where, []
    if role in VECTORS:
        return fields[0].vector(), where, []
    tables = [field.scores() for field in fields]
    return (tables[0] if len(tables) == 1 else tables), where, fields
