"""The model of params.yaml: its default values and its validation."""

import pytest
import yaml
from pydantic import ValidationError

from sceneset import Registry
from sceneset.schemas.params import Algorithms, Params
from support.build import ROOT

NAME = "CustomSeg_Person_20240115_web"


def test_params_have_no_subsets_and_default_limits_when_empty():
    params = Params()
    assert params.subsets == ()
    assert set(Algorithms.model_fields) == set(params.algorithms.model_dump())
    assert params.limits.max_pixels == 80_000_000


def test_params_file_of_this_registry_lists_every_setting():
    content = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    assert Registry(ROOT).params.model_dump(mode="json") == content


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        pytest.param({"subsets": [NAME, NAME]}, "listed twice", id="subset listed twice"),
        pytest.param(
            {"subsets": [NAME, NAME[:-3] + "WEB"]},
            "differs only in case",
            id="names differ only in case",
        ),
        pytest.param({"subsets": ["web"]}, "not a subset name", id="invalid name"),
        pytest.param({"subsets": NAME}, "tuple", id="not a list"),
        pytest.param({"algorithms": {"scan": 0}}, "greater", id="algorithm 0"),
        pytest.param({"algorithms": {"scna": 1}}, "not permitted", id="misspelled stage"),
        pytest.param({"limits": {"max_pixels": 180_000_000}}, "less", id="above Pillow's limit"),
        pytest.param({"limits": {"max_bytes": 0}}, "greater", id="zero bytes"),
        pytest.param({"workers": 4}, "not permitted", id="unknown field"),
    ],
)
def test_params_are_rejected_when_a_value_is_invalid(fields, message):
    with pytest.raises(ValidationError, match=message):
        Params.model_validate(fields)
