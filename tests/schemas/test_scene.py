"""The vocabulary: the document's scenes in all their names, and what split files are called."""

import csv

import pytest
from pydantic import ValidationError

from sceneset import Registry
from sceneset.schemas.scene import SplitName, Vocabulary
from sceneset.schemas.terms import TOTAL, Persons, Phase
from support.build import ROOT

SINGLE, MULTI, TRAIN, VAL = Persons.SINGLE, Persons.MULTI, Phase.TRAIN, Phase.VAL


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    """The vocabulary this registry uses."""
    return Registry(ROOT).vocabulary


def scene(key: str, **fields: object) -> dict[str, object]:
    return {"key": key, "name": {"en": key}, "file_stem": key} | fields


def test_the_document_s_table_is_in_it(words):
    with (ROOT / "tests/data/scene_table.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(words.scenes) == 15
    found = []
    for key in words.order:
        for persons in [None] if key == TOTAL else Persons:
            file_name = words.split_file(key, persons, TRAIN)
            name = words.split_name(key, persons, TRAIN)
            found.append((name, file_name, words.describe(key, persons, TRAIN).zh))
    assert found == [(r["split"], r["split_file"], r["description_zh"]) for r in rows]


def test_every_name_finds_its_scene(words):
    for one in words.scenes:
        for name in one.all_names:
            for typed in (name, name.upper(), f" {name} ", name.replace("_", "-")):
                assert words.find(typed) == one.key


@pytest.mark.parametrize(
    ("typed", "key"),
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
def test_what_people_type(words, typed, key):
    assert words.find(typed) == key


@pytest.mark.parametrize(
    ("typed", "near"),
    [
        ("skii", "ski"),
        ("hig_jump", "high_jump"),
        ("nightcity", "night_city"),
        ("snowy", "ski"),
        ("滑雪场", "滑雪"),
        ("moto", "mountain_motor"),
    ],
)
def test_the_nearest_names_are_ones_that_find(words, typed, near):
    names = words.nearest(typed)
    assert names[0] == near
    assert len(names) <= 3
    assert len({words.find(name) for name in names}) == len(names), "each of another scene"


@pytest.mark.parametrize("typed", ["", "x", "☃" * 20])
def test_nothing_is_near_to_nonsense(words, typed):
    assert words.nearest(typed) == []


@pytest.mark.parametrize(
    ("scenes", "said"),
    [
        pytest.param([scene("a", aliases=["x y"]), scene("b", aliases=["X-Y"])],
                     "names both 'a' and 'b'", id="one alias"),
        pytest.param([scene("a"), scene("b", name={"zh": "Ａ"})], "names both", id="wide letters"),
        pytest.param([scene("a"), scene("b", file_stem="a")], "names both", id="one file stem"),
        pytest.param([scene("a"), scene("a")], "one key", id="one key"),
        pytest.param([scene("total")], "'total' is the row of all", id="total for a key"),
        pytest.param([scene("a", aliases=["Total"])], "'total' is the row of all",
                     id="total for an alias"),
        pytest.param([scene("a"), scene("b", file_stem="a_val")], "would mean both",
                     id="file stem with a phase"),
        pytest.param([scene("a"), scene("b", file_stem="a_multiperson")], "would mean both",
                     id="file stem with persons"),
        pytest.param([scene("a", file_stem="train")], "would mean both", id="phase for a stem"),
        pytest.param([scene("a", name={})], "English or a Chinese", id="no name"),
        pytest.param([scene("A")], "pattern", id="capital key"),
        pytest.param([scene("a", file_stem="../a")], "slash", id="file stem with a path"),
    ],
)  # fmt: skip
def test_two_meanings_are_refused(scenes, said):
    with pytest.raises(ValidationError, match=said):
        Vocabulary.model_validate({"scenes": scenes})


@pytest.mark.parametrize(
    ("file", "says"),
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
def test_what_a_split_file_s_name_says(words, file, says):
    assert words.parse_split_file(file) == says


def test_every_name_that_is_written_is_read_back(words):
    for key in words.by_key:
        for persons in Persons:
            for phase in Phase:
                file = words.split_file(key, persons, phase)
                assert words.parse_split_file(file) == SplitName(
                    key, persons, None if phase is TRAIN else phase
                )
    assert words.split_file("ski", MULTI, TRAIN) == "ski_muiltiperson.txt"


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
def test_descriptions(words, row, english, chinese):
    said = words.describe(*row)
    assert (said.en, said.zh) == (english, chinese)
