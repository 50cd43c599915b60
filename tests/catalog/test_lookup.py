"""Which samples and rows a query selects, and what a scan says of them."""

import pytest

from sceneset import Registry
from sceneset.catalog.lookup import matches_row, matches_sample
from sceneset.catalog.query import Query
from sceneset.catalog.scanned_files import content_hashes, scanned_files
from sceneset.schemas.subset import SplitRow
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Persons, Phase

SINGLE, MULTI = Persons.SINGLE, Persons.MULTI


def tag(scenes: str, persons: str = "", phase: str = "train") -> Tag:
    fields = {"phase": phase, "stem": "a", "scenes": scenes, "persons": persons}
    return Tag.model_validate(fields)


@pytest.mark.parametrize(
    ("query", "sample", "is_match"),
    [
        pytest.param(Query(), tag(""), True, id="empty query"),
        pytest.param(Query(phases=(Phase.VAL,)), tag("ski"), False, id="other phase"),
        pytest.param(Query(phases=(Phase.VAL, Phase.TRAIN)), tag("ski"), True, id="two phases"),
        pytest.param(Query(("ski",)), tag("city;ski"), True, id="one of its scenes"),
        pytest.param(Query(("ski", "sea")), tag("city;ski"), True, id="one of two scenes"),
        pytest.param(Query(("sea",)), tag("city;ski"), False, id="none of its scenes"),
        pytest.param(Query(("ski",), SINGLE), tag("ski;city:multi", "single"), True, id="single"),
        pytest.param(Query(("city",), SINGLE), tag("ski;city:multi", "single"), False,
                     id="multi in this scene"),
        pytest.param(Query(("ski",), MULTI), tag("ski"), False, id="persons unknown"),
        pytest.param(Query((), MULTI), tag("ski;city:multi", "single"), True,
                     id="multi in any scene"),
        pytest.param(Query(("total",), MULTI), tag("", "multi"), True, id="total"),
        pytest.param(Query((), SINGLE), tag("", "multi"), False, id="other persons"),
    ],
)  # fmt: skip
def test_query_matches_a_sample_when_phase_scene_and_persons_match(query, sample, is_match):
    assert matches_sample(query, sample) is is_match


@pytest.mark.parametrize(
    ("query", "fields", "is_match"),
    [
        pytest.param(Query(), {}, True, id="empty query"),
        pytest.param(Query(("ski",)), {}, True, id="scene"),
        pytest.param(Query(("sea",)), {}, False, id="other scene"),
        pytest.param(Query((), MULTI), {"persons": "multi"}, True, id="persons"),
        pytest.param(Query((), MULTI), {}, False, id="row without persons"),
        pytest.param(Query(phases=(Phase.VAL,)), {}, False, id="other phase"),
    ],
)
def test_query_matches_a_row_when_phase_scene_and_persons_match(query, fields, is_match):
    row = SplitRow.model_validate({"scene": "ski", "file": "ski.txt"} | fields)
    assert matches_row(query, row) is is_match


def test_content_hashes_and_scanned_files_agree(added):
    registry = Registry(added)
    [name] = registry.names
    hashes = content_hashes(registry, name)
    assert sorted(hashes) == [("train", stem) for stem in "abcd"]
    assert all(len(md5) == 32 for pair in hashes.values() for md5 in pair)
    files = list(scanned_files(registry, name))
    assert hashes == {(image.phase, image.stem): (image.md5, mask.md5) for image, mask in files}
    for file in (file for pair in files for file in pair):
        assert (registry.paths.subset(name).parent / file.path).stat().st_size == file.bytes
