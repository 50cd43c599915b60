"""Targets of params.yaml."""

import pytest
from pydantic import ValidationError

from sceneset.schemas.params import Params
from sceneset.schemas.targets import Targets
from sceneset.schemas.terms import Persons, Phase


def test_targets_differ_by_persons_and_a_missing_one_is_no_target():
    targets = Targets.model_validate({"train": 100, "multi": {"train": 0, "val": 7}})
    assert targets.of_persons(Persons.SINGLE, Phase.TRAIN) == 100
    assert targets.of_persons(Persons.MULTI, Phase.TRAIN) == 0
    assert targets.of_persons(Persons.MULTI, Phase.VAL) == 7
    assert targets.of_persons(Persons.SINGLE, Phase.TEST) is None


@pytest.mark.parametrize(
    ("fields", "is_set"),
    [
        ({}, False),
        ({"max_source": 0.5, "shares": {"train": 1}}, False),
        ({"test": 0}, True),
        ({"scenes": {"ski": {"multi": {"val": 3}}}}, True),
    ],
)
def test_targets_are_set_when_any_number_is_given(fields, is_set):
    assert Targets.model_validate(fields).is_set == is_set


@pytest.mark.parametrize(
    "fields",
    [
        {"train": -1},
        {"train": 1.5},
        {"train": True},
        {"train": 10_000_001},
        {"shares": {"train": 0.8}},
        {"shares": {"train": 0.8, "val": 0.3, "test": -0.1}},
        {"max_source": 0},
        {"max_source": float("nan")},
        {"scenes": {"": {"train": 1}}},
        {"scenes": {"ski": {"persons": 1}}},
    ],
)
def test_targets_are_refused_when_a_value_is_invalid(fields):
    with pytest.raises(ValidationError):
        Targets.model_validate(fields)


def test_params_without_targets_have_none():
    for content in ({}, {"targets": None}, {"targets": {"scenes": None}}):
        assert Params.model_validate(content).targets == Targets()
