"""The scene vocabulary: finding scenes by name, and the names of split files."""

import csv

import pytest
from pydantic import ValidationError

from sceneset import Registry
from sceneset.schemas.scene import SplitName, Vocabulary
from sceneset.schemas.terms import TOTAL, Persons, Phase
from support.build import ROOT

SINGLE, MULTI, TRAIN, VAL = Persons.SINGLE, Persons.MULTI, Phase.TRAIN, Phase.VAL


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    """Return the vocabulary of this registry."""
    return Registry(ROOT).vocabulary


def scene(key: str, **fields: object) -> dict[str, object]:
    return {"key": key, "name": {"en": key}, "file_stem": key} | fields


def test_vocabulary_reproduces_the_table_of_the_document(vocabulary):
    with (ROOT / "tests/data/scene_table.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(vocabulary.scenes) == 15
    table = []
    for key in vocabulary.order:
        for persons in [None] if key == TOTAL else Persons:
            file_name = vocabulary.split_file(key, persons, TRAIN)
            name = vocabulary.split_name(key, persons, TRAIN)
            table.append((name, file_name, vocabulary.describe(key, persons, TRAIN).zh))
    assert table == [(r["split"], r["split_file"], r["description_zh"]) for r in rows]


def test_find_returns_the_scene_for_each_of_its_names(vocabulary):
    for known in vocabulary.scenes:
        for name in known.all_names:
            for query in (name, name.upper(), f" {name} ", name.replace("_", "-")):
                assert vocabulary.find(query) == known.key


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("滑雪", "ski"),
        ("high jump", "high_jump"),
        ("HIGH-JUMP", "high_jump"),
        ("High__Jump", "high_jump"),
        ("night_city", "night_city"),
        ("urban nightscape", "night_city"),
        ("ｓｋｉ", "ski"),
        ("natural", "nature"),
        ("total", TOTAL),
        ("ski.txt", None),
        ("", None),
        ("nothing", None),
    ],
)
def test_find_ignores_case_width_and_separators(vocabulary, query, key):
    assert vocabulary.find(query) == key


@pytest.mark.parametrize(
    ("query", "nearest"),
    [
        ("skii", "ski"),
        ("hig_jump", "high_jump"),
        ("nightcity", "night_city"),
        ("snowy", "ski"),
        ("滑雪场", "滑雪"),
        ("moto", "mountain_motor"),
    ],
)
def test_nearest_returns_names_of_different_scenes_when_a_name_is_misspelled(
    vocabulary, query, nearest
):
    names = vocabulary.nearest(query)
    assert names[0] == nearest
    assert len(names) <= 3
    assert len({vocabulary.find(name) for name in names}) == len(names)


@pytest.mark.parametrize("query", ["", "x", "☃" * 20])
def test_nearest_returns_nothing_when_no_name_is_similar(vocabulary, query):
    assert vocabulary.nearest(query) == []


@pytest.mark.parametrize(
    ("scenes", "message"),
    [
        pytest.param([scene("a", aliases=["x y"]), scene("b", aliases=["X-Y"])],
                     "names both 'a' and 'b'", id="same alias"),
        pytest.param([scene("a"), scene("b", name={"zh": "Ａ"})], "names both",
                     id="full-width letters"),
        pytest.param([scene("a"), scene("b", file_stem="a")], "names both", id="same file stem"),
        pytest.param([scene("a"), scene("a")], "same key", id="same key"),
        pytest.param([scene("total")], "'total' is reserved", id="total as key"),
        pytest.param([scene("a", aliases=["Total"])], "'total' is reserved",
                     id="total as alias"),
        pytest.param([scene("a"), scene("b", file_stem="a_val")], "would mean both",
                     id="file stem with a phase"),
        pytest.param([scene("a"), scene("b", file_stem="a_multiperson")], "would mean both",
                     id="file stem with persons"),
        pytest.param([scene("a", file_stem="train")], "would mean both", id="phase as file stem"),
        pytest.param([scene("a", name={})], "English or a Chinese", id="no name"),
        pytest.param([scene("A")], "pattern", id="upper-case key"),
        pytest.param([scene("a", file_stem="../a")], "slash", id="file stem with a path"),
    ],
)  # fmt: skip
def test_vocabulary_is_rejected_when_a_name_is_ambiguous_or_invalid(scenes, message):
    with pytest.raises(ValidationError, match=message):
        Vocabulary.model_validate({"scenes": scenes})


@pytest.mark.parametrize(
    ("file", "parts"),
    [
        ("ski.txt", SplitName("ski", SINGLE, None)),
        ("ski_muiltiperson.txt", SplitName("ski", MULTI, None)),
        ("ski_multiperson.txt", SplitName("ski", MULTI, None)),
        ("ski_val.txt", SplitName("ski", SINGLE, VAL)),
        ("ski_muiltiperson_val.txt", SplitName("ski", MULTI, VAL)),
        ("ski_multiperson_test.txt", SplitName("ski", MULTI, Phase.TEST)),
        ("ski_train.txt", SplitName("ski", SINGLE, TRAIN)),
        ("natural.txt", SplitName("nature", SINGLE, None)),
        ("night_city_muiltiperson.txt", SplitName("night_city", MULTI, None)),
        ("total.txt", SplitName(TOTAL, None, None)),
        ("total_val.txt", SplitName(TOTAL, None, VAL)),
        ("train.txt", SplitName(TOTAL, None, TRAIN)),
        ("val.txt", SplitName(TOTAL, None, VAL)),
        ("nature.txt", None),
        ("Ski.txt", None),
        ("ski_val_muiltiperson.txt", None),
        ("_muiltiperson.txt", None),
        (".txt", None),
    ],
)
def test_parse_split_file_returns_the_parts_of_the_name(vocabulary, file, parts):
    assert vocabulary.parse_split_file(file) == parts


@pytest.mark.parametrize(
    ("file", "readings"),
    [
        ("ski.txt", [("ski", SINGLE, None)]),
        ("滑雪.txt", [("ski", SINGLE, None)]),
        ("skiing.txt", [("ski", SINGLE, None)]),
        ("Ski.txt", [("ski", SINGLE, None)]),
        ("ski_single.txt", [("ski", SINGLE, None)]),
        ("滑雪单人.txt", [("ski", SINGLE, None)]),
        ("滑雪_多人_val.txt", [("ski", MULTI, VAL)]),
        ("city_multi.txt", [("city", MULTI, None)]),
        ("street-multi-person.txt", [("city", MULTI, None)]),
        ("night street_single_test.txt", [("night_city", SINGLE, Phase.TEST)]),
        ("nature.txt", [("nature", SINGLE, None)]),
        ("total_multi_val.txt", [(TOTAL, MULTI, VAL)]),
        ("Total.txt", [(TOTAL, None, None)]),
        ("sky.txt", []),
        ("multi.txt", []),
        ("ski_val_multi.txt", [("ski", MULTI, VAL)]),
        ("滑 雪.txt", [("ski", SINGLE, None)]),
        ("滑雪（多人）.txt", [("ski", MULTI, None)]),
        ("ski(multi)_val.txt", [("ski", MULTI, VAL)]),
        ("滑雪_验证集.txt", [("ski", SINGLE, VAL)]),
        ("nightcity_multi_people.txt", [("night_city", MULTI, None)]),
        ("ski_.txt", [("ski", SINGLE, None)]),
        ("skim.txt", []),
        (".txt", []),
    ],
)
def test_split_file_readings_accept_every_name_of_a_scene(vocabulary, file, readings):
    assert list(vocabulary.split_file_readings(file)) == readings


def test_split_file_readings_give_all_meanings_when_a_name_is_ambiguous():
    vocabulary = Vocabulary.model_validate(
        {"scenes": [scene("ski"), scene("b", aliases=["ski multi", "ski val"])]}
    )
    found = vocabulary.split_file_readings("ski_multi.txt")
    assert set(found) == {("ski", MULTI, None), ("b", SINGLE, None)}
    assert [vocabulary.reading_name(name) for name in found] == ["b (single)", "ski (multi)"]
    assert vocabulary.split_file_readings("ski_val.txt") == (("ski", SINGLE, VAL),), "as written"


def test_parse_split_file_reads_every_name_that_split_file_returns(vocabulary):
    for key in vocabulary.by_key:
        for persons in Persons:
            for phase in Phase:
                file = vocabulary.split_file(key, persons, phase)
                assert vocabulary.parse_split_file(file) == SplitName(
                    key, persons, None if phase is TRAIN else phase
                )
    assert vocabulary.split_file("ski", MULTI, TRAIN) == "ski_muiltiperson.txt"


@pytest.mark.parametrize(
    ("row", "english", "chinese"),
    [
        (("ski", None, TRAIN), "ski", "滑雪"),
        (("ski", MULTI, VAL), "ski multi-person (validation)", "滑雪多人（验证）"),
        ((TOTAL, None, VAL), "all validation samples of the subset", "子数据集全部验证样本"),
        ((TOTAL, MULTI, TRAIN), "all training samples of the subset, multi-person",
         "子数据集全部训练样本（多人）"),
    ],
)  # fmt: skip
def test_describe_returns_the_description_in_both_languages(vocabulary, row, english, chinese):
    description = vocabulary.describe(*row)
    assert (description.en, description.zh) == (english, chinese)
