"""Tags: what a row says of a sample, as text and back."""

import pytest
from pydantic import ValidationError

from sceneset.catalog.tags_csv import read_tags, tags_text
from sceneset.schemas.tag import InScene, Tag
from sceneset.schemas.terms import Persons, Phase

SINGLE, MULTI = Persons.SINGLE, Persons.MULTI


def tag(scenes: str = "", **fields: object) -> Tag:
    return Tag.model_validate({"phase": "train", "stem": "a", "scenes": scenes} | fields)


@pytest.mark.parametrize(
    ("made", "scenes", "memberships", "word"),
    [
        pytest.param(tag(), (), (), None, id="nothing said"),
        pytest.param(tag(persons="multi"), (), (), "multi", id="persons alone"),
        pytest.param(tag("ski", persons="single"), (("ski", None),), (("ski", SINGLE),), "single",
                     id="one scene"),
        pytest.param(tag("ski"), (("ski", None),), (("ski", None),), None, id="persons not said"),
        pytest.param(tag(" ski ; ;city:multi;", persons="single"),
                     (("ski", None), ("city", MULTI)), (("ski", SINGLE), ("city", MULTI)), "mixed",
                     id="scenes differ"),
        pytest.param(tag("ski:single;ski:multi"), (("ski", SINGLE), ("ski", MULTI)),
                     (("ski", SINGLE), ("ski", MULTI)), "mixed", id="both in one scene"),
        pytest.param(tag("ski:multi", persons="multi"), (("ski", MULTI),), (("ski", MULTI),),
                     "multi", id="said twice alike"),
    ],
)  # fmt: skip
def test_scenes_and_persons(made, scenes, memberships, word):
    assert made.scenes == tuple(InScene(*scene) for scene in scenes)
    assert made.memberships == memberships
    assert made.persons_word == word


def test_empty_cells_say_nothing():
    made = tag(persons="", boxes="", source="")
    assert (made.persons, made.boxes, made.source) == (None, None, "")
    assert made.key == (Phase.TRAIN, "a")


@pytest.mark.parametrize(
    ("fields", "place", "said"),
    [
        pytest.param({"scenes": "ski:two"}, "scenes", "single or multi", id="persons of a scene"),
        pytest.param({"scenes": "ski:"}, "scenes", "single or multi", id="colon alone"),
        pytest.param({"scenes": "滑雪"}, "scenes", "'滑雪' is no scene's key", id="name for a key"),
        pytest.param({"scenes": "Ski"}, "scenes", "'Ski' is no scene's key", id="capital"),
        pytest.param({"scenes": "total"}, "scenes", "leave it out", id="total"),
        pytest.param({"scenes": "ski;ski"}, "", "named twice", id="scene twice"),
        pytest.param({"scenes": "ski;ski:single", "persons": "single"}, "", "named twice",
                     id="scene twice in two ways"),
        pytest.param({"persons": "two"}, "persons", "'single' or 'multi'", id="persons"),
        pytest.param({"boxes": "-1"}, "boxes", "greater", id="boxes below zero"),
        pytest.param({"boxes": "1.5"}, "boxes", "integer", id="half a box"),
        pytest.param({"phase": "Train"}, "phase", "'train'", id="phase"),
        pytest.param({"stem": "../a"}, "stem", "slash", id="stem"),
        pytest.param({"source": "a\nb"}, "source", "one line", id="two lines"),
    ],
)  # fmt: skip
def test_what_is_refused_says_why(fields, place, said):
    with pytest.raises(ValidationError) as caught:
        tag(**fields)
    [error] = caught.value.errors()
    assert ".".join(map(str, error["loc"])) == place
    assert said in error["msg"]
    assert "\n" not in error["msg"]


TAGS = [
    tag("ski;city:multi", stem="0001", persons="single", boxes=3, source="clip 1"),
    tag("ski:single;ski:multi", stem="滑雪, 一", source='a, "b"; c'),
    tag(stem="IMG 1;2", boxes=0, source="来源，甲"),
    tag("kid_park", stem="'", phase="val", persons="multi"),
    tag(stem="0001", phase="test"),
]


def test_tags_come_back_from_their_text(tmp_path):
    path = tmp_path / "tags.csv"
    path.write_text(tags_text(TAGS), "utf-8", newline="")
    assert read_tags(path, "tags.csv") == sorted(TAGS, key=lambda tag: tag.key)
    assert tags_text(reversed(TAGS)) == path.read_text("utf-8"), "the same in any order"
    assert "train,0001,ski;city:multi,single,3,clip 1\n" in path.read_text("utf-8")
