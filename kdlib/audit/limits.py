"""Limits that a gate holds: how many points of accuracy may be lost, and by whom."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kdlib.errors import DataError, SettingError
from kdlib.names import choices, shown
from kdlib.validated import is_number

WHOLE = ("mean", "balanced", "worst-class", "worst-group")
NAMED = ("class", "group")
_FORM = (
    "allowed are mean, balanced, worst-class, worst-group, class=NAME and group=NAME, "
    "each with a colon and points, e.g. worst-class:-1.0"
)


@dataclass(frozen=True)
class Limit:
    """The least gain that is allowed.

    Attributes:
        kind: one of ``WHOLE`` or ``NAMED``.
        points: percentage points; below 0 for a loss that is allowed.
        name: of the class or group, for ``NAMED``.
    """

    kind: str
    points: float
    name: str | None = None

    def __str__(self) -> str:
        about = self.kind if self.name is None else f"{self.kind}={self.name}"
        return f"{about}:{self.points:+g}"


def parse_limit(text: str) -> Limit:
    """A limit from text such as ``worst-class:-1.0`` or ``group=sex=Female:-2``.

    Raises:
        SettingError: it is no such text.
    """
    about, colon, points = str(text).rpartition(":")
    kind, equals, name = about.partition("=")
    known = kind in NAMED and bool(name) if equals else kind in WHOLE
    if not (colon and known):
        raise SettingError(f"gate = {text!r} is not allowed: {_FORM}")
    try:
        value = float(points)
    except ValueError:
        value = float("nan")
    return _checked(f"gate = {text!r}", kind, value, name or None)


def read_limits(path: str | Path) -> list[Limit]:
    """Limits from a TOML file: those of the whole at the top, then tables of names.

    .. code-block:: toml

        worst-class = -2.0

        [classes]
        cat = -1.0

        [groups]
        "sex=Female & age=old" = -1.5

    Raises:
        DataError: it cannot be read, or holds something else.
    """
    try:
        found = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"{path} is no readable file of limits (TOML): {error}") from None
    limits = list(_from_tables(str(path), found))
    if not limits:
        raise DataError(f"{path} holds no limit: {_FORM}")
    return limits


def _from_tables(path: str, found: dict[str, Any]) -> Iterable[Limit]:
    tables = {"classes": "class", "groups": "group"}
    for key, value in found.items():
        if key in WHOLE:
            yield _checked(f"{path}, {key} = {value!r}", key, value, None)
        elif key in tables and isinstance(value, dict):
            for name, points in value.items():
                where = f"{path}, {key}, {name!r} = {points!r}"
                yield _checked(where, tables[key], points, name)
        elif key in tables:
            raise DataError(f"{path}, {key} = {value!r}: expected a table of names and points")
        else:
            known = [*WHOLE, *tables]
            raise DataError(f"{path} holds {key!r}: {choices(key, known)}")


def _checked(where: str, kind: str, points: Any, name: str | None) -> Limit:
    if not (is_number(points) and -100 <= points <= 100):
        raise SettingError(f"{where} is not allowed: points from -100 to 100")
    return Limit(kind, float(points), None if name is None else shown(name))
