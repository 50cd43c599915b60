"""Look-ups in Python: what is asked for, and what answers."""

import pytest

from sceneset import Registry
from sceneset.catalog import query
from sceneset.catalog.query import Query, ask
from sceneset.errors import UnknownNameError
from sceneset.schemas.subset import SplitRow
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Persons, Phase

SINGLE, MULTI = Persons.SINGLE, Persons.MULTI


def tag(scenes: str, persons: str = "", phase: str = "train") -> Tag:
    fields = {"phase": phase, "stem": "a", "scenes": scenes, "persons": persons}
    return Tag.model_validate(fields)


@pytest.mark.parametrize(
    ("asked", "made", "wanted"),
    [
        pytest.param(Query(), tag(""), True, id="nothing asked"),
        pytest.param(Query(phases=(Phase.VAL,)), tag("ski"), False, id="other phase"),
        pytest.param(Query(phases=(Phase.VAL, Phase.TRAIN)), tag("ski"), True, id="phases"),
        pytest.param(Query(("ski",)), tag("city;ski"), True, id="one of its scenes"),
        pytest.param(Query(("ski", "sea")), tag("city;ski"), True, id="one of two"),
        pytest.param(Query(("sea",)), tag("city;ski"), False, id="none of its scenes"),
        pytest.param(Query(("ski",), SINGLE), tag("ski;city:multi", "single"), True, id="single"),
        pytest.param(Query(("city",), SINGLE), tag("ski;city:multi", "single"), False,
                     id="multi there"),
        pytest.param(Query(("ski",), MULTI), tag("ski"), False, id="persons not said"),
        pytest.param(Query((), MULTI), tag("ski;city:multi", "single"), True, id="multi anywhere"),
        pytest.param(Query(("total",), MULTI), tag("", "multi"), True, id="total"),
        pytest.param(Query((), SINGLE), tag("", "multi"), False, id="other persons"),
    ],
)  # fmt: skip
def test_samples(asked, made, wanted):
    assert asked.wants_sample(made) is wanted


@pytest.mark.parametrize(
    ("asked", "fields", "wanted"),
    [
        pytest.param(Query(), {}, True, id="nothing asked"),
        pytest.param(Query(("ski",)), {}, True, id="scene"),
        pytest.param(Query(("sea",)), {}, False, id="other scene"),
        pytest.param(Query((), MULTI), {"persons": "multi"}, True, id="persons"),
        pytest.param(Query((), MULTI), {}, False, id="row of both"),
        pytest.param(Query(phases=(Phase.VAL,)), {}, False, id="phase"),
    ],
)
def test_rows(asked, fields, wanted):
    row = SplitRow.model_validate({"scene": "ski", "file": "ski.txt"} | fields)
    assert asked.wants_row(row) is wanted


def test_names_are_checked_when_asking(added):
    registry = Registry(added)
    [name] = registry.names
    asked = ask(registry, ["滑雪", "High-Jump"], persons="multi", phases=["val"], subsets=["WEB"])
    assert asked == Query(("ski", "high_jump"), MULTI, (Phase.VAL,), (name,))
    for scenes, subsets in ((["skki"], []), ([], ["CustomSeg_Person_20240115_wbe"])):
        with pytest.raises(UnknownNameError, match=r"Nearest: (ski|CustomSeg)"):
            ask(registry, scenes, subsets=subsets)


def test_a_part_that_several_subsets_hold_is_refused():
    names = ("CustomSeg_Person_20240115_a", "CustomSeg_Person_20240115_ab")
    assert query._subset(names, names[0]) == names[0]
    assert query._subset(names, "_ab") == names[1]
    with pytest.raises(UnknownNameError, match="write more of it"):
        query._subset(names, "20240115")
    with pytest.raises(UnknownNameError, match="registry is empty"):
        query._subset((), "a")


def test_hashes_are_those_of_the_scan(added):
    registry = Registry(added)
    hashes = query.content_hashes(registry, registry.names[0])
    assert sorted(hashes) == [("train", stem) for stem in "abcd"]
    assert all(len(md5) == 32 for pair in hashes.values() for md5 in pair)
