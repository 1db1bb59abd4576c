"""Frozen values: what is no number, in every model of the library that has numbers."""

import json

import numpy as np
import pytest
from pydantic import ValidationError

from kdlib.data.image_lists import read_annotations
from kdlib.errors import SettingError
from kdlib.models import ModelSpec
from kdlib.models.imagenet import ImageNetResNet
from kdlib.runs.spec import (
    AdaptiveMix,
    ConstantMix,
    DataSpec,
    HardestRemovedMix,
    MarginCost,
    Objective,
    RobustCost,
    RunSpec,
    ShuffledMix,
)
from kdlib.training import MultiplierRule, Recipe, StepDecay
from kdlib.validated import Frozen, allowed, check_choice, is_number

MODELS = (
    AdaptiveMix, ConstantMix, DataSpec, HardestRemovedMix, ImageNetResNet, MarginCost, ModelSpec,
    MultiplierRule, Objective, Recipe, RobustCost, RunSpec, ShuffledMix, StepDecay,
)  # fmt: skip
NUMBERS = [
    (model, field)
    for model in MODELS
    for field in model.model_fields
    if allowed(model, field).startswith(("number", "integer", "list of: number", "list of: integ"))
]


class Example(Frozen):
    number: float = 1.0
    whole: int | None = None
    several: tuple[float, ...] = ()
    switch: bool = False
    either: bool | float = 0.5


def test_there_are_numbers_to_look_at():
    assert {model for model, _ in NUMBERS} >= {DataSpec, MultiplierRule, Recipe, Objective}


@pytest.mark.parametrize(("model", "field"), NUMBERS)
@pytest.mark.parametrize("value", [True, False, np.True_])
def test_no_number_of_a_specification_may_be_a_boolean(model, field, value):
    for given in (value, [value], (1, value)):
        with pytest.raises(ValidationError) as error:
            model(**{field: given})
        assert any(detail["loc"][0] == field for detail in error.value.errors())


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"number": True}, "number = True is not allowed: number"),
        ({"whole": False}, "whole = False is not allowed: integer or null"),
        ({"several": [1, True]}, "several.1 = True is not allowed: list of: number"),
    ],
)
def test_the_refusal_says_what_is_allowed(values, words):
    with pytest.raises(SettingError) as error:
        Example.parse(**values)
    assert str(error.value) == words


def test_booleans_are_taken_where_they_are_meant_and_numbers_as_before():
    found = Example.parse(switch=True, either=True, number="1e-3", whole=np.int64(3), several=[1])
    assert (found.switch, found.either, found.number) == (True, True, 0.001)
    assert (found.whole, found.several) == (3, (1.0,))


def test_json_takes_no_boolean_for_a_number_either(tmp_path):
    with pytest.raises(ValidationError):
        Example.model_validate_json('{"number": true}')
    path = tmp_path / "train2018.json"
    content = {
        "images": [{"id": 1, "file_name": "a.jpg"}],
        "annotations": [{"image_id": True, "category_id": 0}],
        "categories": [{"id": 0, "name": "a"}],
    }
    path.write_text(json.dumps(content))
    wrong = []
    read_annotations(path, wrong)
    assert "annotations.0.image_id" in wrong[0]


@pytest.mark.parametrize("value", [1, 0.5, np.float32(2), np.int64(3)])
def test_numbers_are_numbers(value):
    assert is_number(value)


@pytest.mark.parametrize("value", [True, np.False_, "1", None, [1.0], 1j])
def test_other_things_are_none(value):
    assert not is_number(value)


@pytest.mark.parametrize("value", ["c", "", None, 1, ["a"]])
def test_an_option_that_nobody_knows_is_refused(value):
    check_choice("option", "a", ("a", "b"))
    with pytest.raises(SettingError, match=r"option = .* is not allowed: 'a', 'b'"):
        check_choice("option", value, ("a", "b"))
