"""Entries: what a subset's scene table may hold."""

import pytest
from pydantic import ValidationError

from sceneset.schemas.subset import Subset, SubsetDraft
from sceneset.schemas.terms import Kind, Phase

NAME = "CustomSeg_Person_20240115_web"
TOTAL = {"scene": "total", "file": "total.txt"}


def entry(*rows: dict[str, object], **fields: object) -> dict[str, object]:
    return {"name": NAME, "kind": "full", "splits": [TOTAL, *rows]} | fields


def test_what_is_left_out_is_filled_in():
    made = Subset.model_validate(entry())
    assert (made.kind, made.category, made.img_suffix) == (Kind.FULL, "person", ".jpg")
    [row] = made.splits
    assert row.is_total
    assert (row.persons, row.phase, row.source, row.images) == (None, Phase.TRAIN, "", None)


def test_rows_that_differ_in_one_thing_are_different_rows():
    ski = {"scene": "ski"}
    rows = [
        ski | {"file": "a.txt"},
        ski | {"file": "b.txt", "persons": "multi"},
        ski | {"file": "c.txt", "phase": "val"},
        ski | {"file": "d.txt", "source": "clip-1"},
    ]
    assert len(Subset.model_validate(entry(*rows)).splits) == 5


@pytest.mark.parametrize(
    ("fields", "place", "said"),
    [
        pytest.param({"name": "CustomSeg_Person_20240231_a"}, ("name",), "no date", id="name"),
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
                     id="same file but for case"),
        pytest.param(entry({"scene": "Ski", "file": "a.txt"}), ("splits", 1, "scene"), "pattern",
                     id="scene is no key"),
        pytest.param(entry({"scene": "ski", "file": "../a.txt"}), ("splits", 1, "file"),
                     "plain name", id="file leaves its folder"),
        pytest.param(entry({"scene": "ski", "file": "a.txt", "images": -1}),
                     ("splits", 1, "images"), "greater", id="count below zero"),
        pytest.param(entry({"scene": "ski", "file": "a.txt", "phase": "trian"}),
                     ("splits", 1, "phase"), "'train', 'val' or 'test'", id="phase"),
    ],
)  # fmt: skip
def test_what_is_refused_says_where_and_why(fields, place, said):
    with pytest.raises(ValidationError) as caught:
        Subset.model_validate(entry() | fields)
    [error] = caught.value.errors()
    assert error["loc"] == place
    assert said in error["msg"]


def test_a_draft_may_leave_its_rows_to_the_split_files():
    assert SubsetDraft.model_validate({"name": NAME, "kind": "crop"}).splits == ()


def test_values_do_not_change():
    made = Subset.model_validate(entry())
    with pytest.raises(ValidationError, match="frozen"):
        made.kind = Kind.CROP
