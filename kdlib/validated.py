"""Frozen, validated values: the base of every recipe, run spec and study setting."""

from __future__ import annotations

import json
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from kdlib.errors import SettingError


class Frozen(BaseModel):
    """A value that is checked once, cannot change, and has one canonical JSON form.

    Unknown fields, NaN and infinities are refused.
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
        return f"unknown parameter {name!r}: allowed are {', '.join(model.model_fields)}"
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
        return f"list of: {_allowed_kind(kind['items'])}"
    if kind.get("type") == "null":
        return "null"
    plain = kind.get("type") in ("number", "integer", "boolean", "string")
    return f"{kind['type']}{_range(kind)}" if plain else ""


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
