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
    def parse(cls, **values: Any) -> Self:
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
    reason = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{name} = {detail['input']!r} is not allowed: {reason}"
