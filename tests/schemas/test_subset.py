"""Validation of subset entries and their scene tables."""

import pytest
from pydantic import ValidationError

from sceneset.schemas.subset import Subset, SubsetDraft
from sceneset.schemas.terms import Kind, Phase

NAME = "CustomSeg_Person_20240115_web"
TOTAL = {"scene": "total", "file": "total.txt"}


def entry(*rows: dict[str, object], **fields: object) -> dict[str, object]:
    return {"name": NAME, "kind": "full", "splits": [TOTAL, *rows]} | fields


def test_subset_has_default_values_when_fields_are_left_out():
    subset = Subset.model_validate(entry())
    assert (subset.kind, subset.category, subset.img_suffix) == (Kind.FULL, "person", ".jpg")
    [row] = subset.splits
    assert row.is_total
    assert (row.persons, row.phase, row.source, row.images) == (None, Phase.TRAIN, "", None)


def test_subset_accepts_rows_when_they_differ_in_one_condition():
    ski = {"scene": "ski"}
    rows = [
        ski | {"file": "a.txt"},
        ski | {"file": "b.txt", "persons": "multi"},
        ski | {"file": "c.txt", "phase": "val"},
        ski | {"file": "d.txt", "source": "clip-1"},
    ]
    assert len(Subset.model_validate(entry(*rows)).splits) == 5


@pytest.mark.parametrize(
    ("fields", "location", "message"),
    [
        pytest.param({"name": "CustomSeg_Person_20240231_a"}, ("name",), "not a valid date",
                     id="name"),
        pytest.param({"kind": "half"}, ("kind",), "'full' or 'crop'", id="kind"),
        pytest.param({"img_suffix": ".jpeg"}, ("img_suffix",), "'.jpg' or '.png'", id="suffix"),
        pytest.param({"splits": []}, ("splits",), "at least 1", id="no rows"),
        pytest.param({"owner": "me"}, ("owner",), "not permitted", id="unknown field"),
        pytest.param({"category": "a\nb"}, ("category",), "one line", id="two lines"),
        pytest.param({"description": {"fr": "x"}}, ("description", "fr"), "not permitted",
                     id="language"),
        pytest.param(entry(TOTAL | {"file": "b.txt"}), (), "rows 1 and 2 of splits are both",
                     id="same selection"),
        pytest.param(entry({"scene": "ski", "file": "TOTAL.txt"}), (), "rows 1 and 2",
                     id="files differ only in case"),
        pytest.param(entry({"scene": "Ski", "file": "a.txt"}), ("splits", 1, "scene"), "pattern",
                     id="scene is not a key"),
        pytest.param(entry({"scene": "ski", "file": "../a.txt"}), ("splits", 1, "file"),
                     "plain name", id="file in another folder"),
        pytest.param(entry({"scene": "ski", "file": "a.txt", "images": -1}),
                     ("splits", 1, "images"), "greater", id="negative count"),
        pytest.param(entry({"scene": "ski", "file": "a.txt", "phase": "trian"}),
                     ("splits", 1, "phase"), "'train', 'val' or 'test'", id="phase"),
    ],
)  # fmt: skip
def test_subset_error_names_the_field_and_the_reason_when_a_value_is_invalid(
    fields, location, message
):
    with pytest.raises(ValidationError) as caught:
        Subset.model_validate(entry() | fields)
    [error] = caught.value.errors()
    assert error["loc"] == location
    assert message in error["msg"]


def test_subset_draft_is_valid_when_it_has_no_rows():
    assert SubsetDraft.model_validate({"name": NAME, "kind": "crop"}).splits == ()


def test_subset_can_not_be_modified():
    subset = Subset.model_validate(entry())
    with pytest.raises(ValidationError, match="frozen"):
        subset.kind = Kind.CROP
