"""Frozen, validated values: the base of every recipe, run spec and study setting."""

from __future__ import annotations

import json
from collections.abc import Sequence
from numbers import Real
from typing import Any, Self, get_args

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from kdlib.errors import SettingError
from kdlib.names import choices


def is_number(value: object) -> bool:
    """Whether it is a real number; True and False are none, though Python counts them as such."""
    return isinstance(value, Real) and not is_boolean(value)


def is_boolean(value: object) -> bool:
    """Whether it is Python's or NumPy's True or False."""
    return type(value).__name__ in ("bool", "bool_")


def holds_boolean(value: object) -> bool:
    """Whether it is True or False, or a list of lists ... that holds one."""
    if isinstance(value, list | tuple | set | frozenset):
        return any(map(holds_boolean, value))
    return is_boolean(value)


def check_choice(name: str, value: object, allowed: Sequence[str]) -> None:
    """Refuse an option that is none of the ``allowed`` names.

    Raises:
        SettingError: it is another one.
    """
    if not isinstance(value, str) or value not in allowed:
        raise SettingError(f"{name} = {value!r} is not allowed: {', '.join(map(repr, allowed))}")


class NoBooleans(BaseModel):
    """A model whose numbers are never True or False, which pydantic alone would take for 1 and 0.

    YAML reads ``yes`` and ``on`` as True, so that ``temperature: yes`` would be T = 1.
    """

    @model_validator(mode="before")
    @classmethod
    def _booleans_are_no_numbers(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return {name: cls._without_booleans(name, value) for name, value in values.items()}

    @classmethod
    def _without_booleans(cls, name: str, value: Any) -> Any:
        about = cls.model_fields.get(name)
        known = about is not None and holds_boolean(value)
        return _as_no_number(value) if known and not _takes_booleans(about) else value


class _NoNumber:
    """Stands for a boolean where a number belongs: pydantic refuses it, and shows it as it was."""

    def __init__(self, boolean: object) -> None:
        self._boolean = boolean

    def __repr__(self) -> str:
        return repr(bool(self._boolean))


def _as_no_number(value: Any) -> Any:
    if isinstance(value, list | tuple | set | frozenset):
        return [_as_no_number(part) for part in value]
    return _NoNumber(value) if is_boolean(value) else value


def _takes_booleans(about: Any) -> bool:
    return any(kind in (bool, Any, object) for kind in _kinds(about.annotation))


def _kinds(annotation: Any) -> list[Any]:
    inner = get_args(annotation)
    return [kind for part in inner for kind in _kinds(part)] if inner else [annotation]


class Frozen(NoBooleans):
    """A value that is checked once, cannot change, and has one canonical JSON form.

    Unknown fields, NaN, infinities, and booleans in the place of numbers are refused.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False
    )

    @classmethod
    def parse(cls, /, **values: Any) -> Self:
        """Validate ``values``; raise a one-line ``SettingError`` that names what is wrong."""
        try:
            return cls(**values)
        except ValidationError as error:
            raise SettingError(_one_line(cls, error)) from None

    def canonical_json(self) -> str:
        """The same text for equal values: sorted keys, no spaces, every field written out."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))


def _one_line(model: type[BaseModel], error: ValidationError) -> str:
    return "; ".join(_complaint(model, detail) for detail in error.errors())


def _complaint(model: type[BaseModel], detail: Any) -> str:
    name = ".".join(str(part) for part in detail["loc"]) or model.__name__
    if detail["type"] == "extra_forbidden":
        return f"unknown parameter {name!r}: {choices(name, model.model_fields)}"
    if detail["type"] == "missing":
        return f"{name} is missing"
    return f"{name} = {detail['input']!r} is not allowed: {_reason(model, detail)}"


def _reason(model: type[BaseModel], detail: Any) -> str:
    """The whole allowed range where the field's schema has one, else pydantic's sentence."""
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if detail["type"] in ("value_error", "missing") or not detail["loc"]:
        return message
    return allowed(model, str(detail["loc"][0])) or message


def allowed(model: type[BaseModel], field: str) -> str:
    """What a field may hold, in words, e.g. ``number from 0.05 to 100``; empty if not simple."""
    schema = model.model_json_schema()
    schema = schema.get("$defs", {}).get(model.__name__, schema)  # a model that nests itself
    about = schema["properties"].get(field, {})
    kinds = [_allowed_kind(kind) for kind in about.get("anyOf", [about])]
    return " or ".join(kinds) if all(kinds) else ""


def _allowed_kind(kind: dict[str, Any]) -> str:
    if "enum" in kind:
        return ", ".join(map(str, kind["enum"]))
    if kind.get("type") == "array" and "items" in kind:
        return f"list of{_length(kind)}: {_allowed_kind(kind['items'])}"
    if kind.get("type") == "null":
        return "null"
    plain = kind.get("type") in ("number", "integer", "boolean", "string")
    return f"{kind['type']}{_range(kind)}" if plain else ""


def _length(kind: dict[str, Any]) -> str:
    """How many a list may hold, e.g. `` at least 2``; empty where any number will do."""
    least, most = kind.get("minItems", 0), kind.get("maxItems")
    if most is None:
        return f" at least {least}" if least else ""
    return f" {least}" if least == most else f" {least} to {most}"


def _range(kind: dict[str, Any]) -> str:
    words = {
        "minimum": "from",
        "exclusiveMinimum": "above",
        "maximum": "to",
        "exclusiveMaximum": "below",
    }
    return "".join(f" {word} {_plain(kind[key])}" for key, word in words.items() if key in kind)


def _plain(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"
