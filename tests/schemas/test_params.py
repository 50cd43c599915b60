"""params.yaml: what it may hold, and what it holds when it says nothing."""

import pytest
from pydantic import ValidationError

from sceneset import Registry
from sceneset.schemas.params import Algorithms, Params
from support.build import ROOT

NAME = "CustomSeg_Person_20240115_web"


def test_nothing_said_is_an_empty_registry():
    params = Params()
    assert params.subsets == ()
    assert set(Algorithms.model_fields) == set(params.algorithms.model_dump())
    assert params.limits.max_pixels == 80_000_000


def test_the_registry_s_own_file_says_everything():
    import yaml

    said = yaml.safe_load((ROOT / "params.yaml").read_text("utf-8"))
    assert Registry(ROOT).params.model_dump(mode="json") == said


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        pytest.param({"subsets": [NAME, NAME]}, "listed twice", id="twice"),
        pytest.param({"subsets": [NAME, NAME[:-3] + "WEB"]}, "case alone", id="case"),
        pytest.param({"subsets": ["web"]}, "not a subset name", id="name"),
        pytest.param({"subsets": NAME}, "tuple", id="no list"),
        pytest.param({"algorithms": {"scan": 0}}, "greater", id="algorithm 0"),
        pytest.param({"algorithms": {"scna": 1}}, "not permitted", id="stage misspelt"),
        pytest.param({"limits": {"max_pixels": 180_000_000}}, "less", id="beyond Pillow's own"),
        pytest.param({"limits": {"max_bytes": 0}}, "greater", id="no bytes"),
        pytest.param({"workers": 4}, "not permitted", id="unknown field"),
    ],
)
def test_what_is_refused(fields, said):
    with pytest.raises(ValidationError, match=said):
        Params.model_validate(fields)
