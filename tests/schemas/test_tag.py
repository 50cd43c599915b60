"""Tags: parsing, validation, and writing them to CSV."""

import pytest
from pydantic import ValidationError

from sceneset.catalog.tags_csv import read_tags, tags_text
from sceneset.schemas.tag import SceneMembership, Tag
from sceneset.schemas.terms import Persons, Phase

SINGLE, MULTI = Persons.SINGLE, Persons.MULTI


def tag(scenes: str = "", **fields: object) -> Tag:
    return Tag.model_validate({"phase": "train", "stem": "a", "scenes": scenes} | fields)


@pytest.mark.parametrize(
    ("sample", "scenes", "memberships", "persons"),
    [
        pytest.param(tag(), (), (), None, id="no scene, no persons"),
        pytest.param(tag(persons="multi"), (), (), "multi", id="only persons"),
        pytest.param(tag("ski", persons="single"), (("ski", None),), (("ski", SINGLE),), "single",
                     id="one scene"),
        pytest.param(tag("ski"), (("ski", None),), (("ski", None),), None, id="persons unknown"),
        pytest.param(tag(" ski ; ;city:multi;", persons="single"),
                     (("ski", None), ("city", MULTI)), (("ski", SINGLE), ("city", MULTI)), "mixed",
                     id="scenes differ"),
        pytest.param(tag("ski:single;ski:multi"), (("ski", SINGLE), ("ski", MULTI)),
                     (("ski", SINGLE), ("ski", MULTI)), "mixed",
                     id="single and multi in one scene"),
        pytest.param(tag("ski:multi", persons="multi"), (("ski", MULTI),), (("ski", MULTI),),
                     "multi", id="persons given twice"),
    ],
)  # fmt: skip
def test_tag_parses_scenes_and_persons(sample, scenes, memberships, persons):
    assert sample.scenes == tuple(SceneMembership(*scene) for scene in scenes)
    assert sample.memberships == memberships
    assert sample.persons_summary == persons


def test_tag_has_no_values_when_cells_are_empty():
    sample = tag(persons="", boxes="", source="")
    assert (sample.persons, sample.boxes, sample.source) == (None, None, "")
    assert sample.key == (Phase.TRAIN, "a")


@pytest.mark.parametrize(
    ("fields", "location", "message"),
    [
        pytest.param({"scenes": "ski:two"}, "scenes", "single or multi", id="persons of a scene"),
        pytest.param({"scenes": "ski:"}, "scenes", "single or multi", id="colon alone"),
        pytest.param({"scenes": "滑雪"}, "scenes", "'滑雪' is not a scene key",
                     id="name instead of key"),
        pytest.param({"scenes": "Ski"}, "scenes", "'Ski' is not a scene key", id="upper case"),
        pytest.param({"scenes": "total"}, "scenes", "leave it out", id="total"),
        pytest.param({"scenes": "ski;ski"}, "", "listed twice", id="scene twice"),
        pytest.param({"scenes": "ski;ski:single", "persons": "single"}, "", "listed twice",
                     id="scene twice, written differently"),
        pytest.param({"persons": "two"}, "persons", "'single' or 'multi'", id="persons"),
        pytest.param({"boxes": "-1"}, "boxes", "greater", id="negative boxes"),
        pytest.param({"boxes": "1.5"}, "boxes", "integer", id="fractional boxes"),
        pytest.param({"phase": "Train"}, "phase", "'train'", id="phase"),
        pytest.param({"stem": "../a"}, "stem", "slash", id="stem"),
        pytest.param({"source": "a\nb"}, "source", "one line", id="two lines"),
    ],
)  # fmt: skip
def test_tag_error_names_the_field_and_the_reason_when_a_value_is_invalid(
    fields, location, message
):
    with pytest.raises(ValidationError) as caught:
        tag(**fields)
    [error] = caught.value.errors()
    assert ".".join(map(str, error["loc"])) == location
    assert message in error["msg"]
    assert "\n" not in error["msg"]


TAGS = [
    tag("ski;city:multi", stem="0001", persons="single", boxes=3, source="clip 1"),
    tag("ski:single;ski:multi", stem="滑雪, 一", source='a, "b"; c'),
    tag(stem="IMG 1;2", boxes=0, source="来源，甲"),
    tag("kid_park", stem="'", phase="val", persons="multi"),
    tag(stem="0001", phase="test"),
]


def test_tags_text_is_read_back_unchanged_and_does_not_depend_on_the_order(tmp_path):
    path = tmp_path / "tags.csv"
    path.write_text(tags_text(TAGS), "utf-8", newline="")
    assert read_tags(path, "tags.csv") == sorted(TAGS, key=lambda tag: tag.key)
    assert tags_text(reversed(TAGS)) == path.read_text("utf-8")
    assert "train,0001,ski;city:multi,single,3,clip 1\n" in path.read_text("utf-8")
