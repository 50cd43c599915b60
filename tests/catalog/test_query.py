"""Names as users type them become a query, or an error that lists the nearest names."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from sceneset import Registry
from sceneset.catalog.query import Query, resolve_query
from sceneset.errors import UnknownNameError
from sceneset.schemas.params import Params
from sceneset.schemas.terms import Persons, Phase


def resolve_subset(names: tuple[str, ...], name: str) -> str:
    catalog = SimpleNamespace(names=names, params=Params(), root=Path("nowhere"))
    [resolved] = resolve_query(catalog, subsets=[name]).subsets
    return resolved


def test_resolve_query_accepts_any_name_of_a_scene_and_a_part_of_a_subset(added):
    registry = Registry(added)
    [name] = registry.names
    query = resolve_query(
        registry, ["滑雪", "High-Jump"], persons="multi", phases=["val"], subsets=["WEB"]
    )
    assert query == Query(("ski", "high_jump"), Persons.MULTI, (Phase.VAL,), (name,))


@pytest.mark.parametrize(
    ("options", "nearest"),
    [({"scenes": ["skki"]}, "ski"), ({"subsets": ["CustomSeg_Person_20240115_wbe"]}, "CustomSeg")],
    ids=["scene", "subset"],
)
def test_resolve_query_lists_the_nearest_names_when_a_name_is_unknown(options, nearest, added):
    with pytest.raises(UnknownNameError, match=f"Nearest: {nearest}"):
        resolve_query(Registry(added), **options)


@pytest.mark.parametrize("options", [{"persons": "both"}, {"phases": ["Train"]}])
def test_resolve_query_raises_value_error_when_a_word_is_not_allowed(options, added):
    with pytest.raises(ValueError, match="is not a valid"):
        resolve_query(Registry(added), **options)


def test_resolve_query_refuses_a_part_of_a_name_when_several_subsets_have_it():
    names = ("CustomSeg_Person_20240115_a", "CustomSeg_Person_20240115_ab")
    assert resolve_subset(names, names[0]) == names[0]
    assert resolve_subset(names, "_ab") == names[1]
    with pytest.raises(UnknownNameError, match=r"matches 2 subsets.*longer part"):
        resolve_subset(names, "20240115")
    with pytest.raises(UnknownNameError, match="is empty"):
        resolve_subset(names, " ")
    with pytest.raises(UnknownNameError, match="registry is empty"):
        resolve_subset((), "a")


def test_queries_are_equal_when_their_fields_are_equal():
    assert Query(("ski",)) == Query(scenes=("ski",))
    assert hash(Query(("ski",))) == hash(Query(scenes=("ski",)))
    assert Query(("ski",)) != Query(("sea",))
    assert Query() != ()
    assert repr(Query(("ski",))) == "Query(scenes=('ski',), persons=None, phases=(), subsets=())"
