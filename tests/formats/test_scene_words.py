"""Scenes that are proposed from the words of a delivery, and taken from the corrected file."""

import csv
import io

import numpy as np
import pytest
from PIL import Image

from sceneset.formats.registry import find_format
from sceneset.formats.scene_words import propose_scenes
from sceneset.formats.tree import Tree
from sceneset.formats.types import Options
from sceneset.schemas.scene import Vocabulary
from support.build import NAME, SHARED, needs_shared, snapshot
from support.formats import write_json, write_picture, write_values

VOCABULARY = Vocabulary.model_validate(
    {
        "scenes": [
            {
                "key": "ski",
                "name": {"en": "skiing", "zh": "滑雪"},
                "file_stem": "ski",
                "aliases": ["ski slope"],
            },
            {"key": "high_jump", "name": {"en": "High Jump", "zh": "跳高"}, "file_stem": "hj"},
        ]
    }
)


def propose(form, folder, *kinds):
    done = propose_scenes(find_format(form), Tree(folder), Options(), VOCABULARY, kinds)
    return done, {row.stem: (row.scenes, row.reason) for row in done.rows}


def masks(folder, *names):
    for name in names:
        write_picture(folder / f"images/{name}.jpg")
        write_values(folder / f"masks/{name}.png", np.eye(10, 20))
    return folder


def test_folders_are_matched_by_key_name_and_alias_in_both_languages(tmp_path):
    names = ("Ski/a", "滑雪/b", "ski-slope/c", "High_Jump_2024/d", "黄山滑雪场/e", "beach/f")
    done, rows = propose("masks", masks(tmp_path / "d", *names), "folder")
    assert rows == {
        "a": (("ski",), 'folder "Ski"'),
        "b": (("ski",), 'folder "滑雪"'),
        "c": (("ski",), 'folder "ski-slope"'),
        "d": (("high_jump",), 'folder "High_Jump_2024"'),
        "e": (("ski",), 'folder "黄山滑雪场"'),
        "f": ((), 'no scene is named by folder "beach"'),
    }
    assert done.unknown == {"beach": 1}


def test_words_inside_of_other_words_name_no_scene(tmp_path):
    _, rows = propose("masks", masks(tmp_path / "d", "skirt/a", "askiing/b"), "folder")
    assert [scenes for scenes, _ in rows.values()] == [(), ()]


def test_captions_and_categories_are_matched_word_by_word(tmp_path):
    folder = masks(tmp_path / "d", "a", "b")
    write_json(
        folder / "images/metadata.jsonl",
        {
            "file_name": "a.jpg",
            "mask_file_name": "../masks/a.png",
            "category": "ski",
            "caption": "A boy, after a high jump, on a ski slope!",
        },
    )
    done, rows = propose("hf", folder, "caption")
    assert rows["a"][0] == ("ski", "high_jump")
    assert sorted(p.code for p in done.findings) == ["image-missing", "mask-missing"]
    assert propose("hf", folder, "category")[1]["a"] == (("ski",), 'category "ski"')


def test_captions_of_coco_are_in_a_file_of_their_own(tmp_path):
    pytest.importorskip("pycocotools")
    folder = tmp_path / "d"
    images = [{"id": n, "file_name": f"{n}.jpg", "width": 20, "height": 10} for n in (1, 2, 3)]
    ring = [[2, 2, 8, 2, 8, 8, 2, 8]]
    people = [
        {"id": n, "image_id": n, "category_id": 1, "iscrowd": 0, "segmentation": ring}
        for n in (1, 2, 3)
    ]
    write_json(
        folder / "annotations/instances_train.json",
        {
            "images": images,
            "annotations": people,
            "categories": [{"id": 1, "name": "person"}],
        },
    )
    texts = [(1, "A man on a ski slope."), (1, "Skiing in sun"), (2, "A cat"), ([], "ski"), (9, "")]
    captions = [{"id": n, "image_id": one, "caption": text} for n, (one, text) in enumerate(texts)]
    write_json(
        folder / "annotations/captions_train.json",
        {"images": [*images, {"id": 9}, None], "annotations": [*captions, None, {"image_id": 3}]},
    )
    for image in images:
        write_picture(folder / f"train/{image['file_name']}")
    done, rows = propose("coco", folder, "caption")
    assert done.findings == []
    assert rows == {
        "1": (("ski",), 'caption "A man on a ski slope."; caption "Skiing in sun"'),
        "2": ((), 'no scene is named by caption "A cat"'),
        "3": ((), "there are no words to compare (caption)"),
    }


@needs_shared
def test_captions_of_real_photos_propose_scenes(registry, sceneset):
    drop = SHARED / "data/drop_B_coco_mini"
    done = sceneset("add", drop, "--name", NAME, "--scenes-from", "caption", cwd=registry)
    rows = {row["stem"]: row["scenes"] for row in csv.DictReader(io.StringIO(done.out))}
    assert rows["000000030752"] == "ski"
    assert rows["000000037666"] == "skateboard"
    assert "scenes are proposed for 35 of 159 samples" in done.err
    assert "--all lists every finding" in done.err


def test_csv_files_name_images_by_path_or_stem(tmp_path):
    folder = masks(tmp_path / "d", "a", "b", "c")
    (folder / "about.csv").write_text(
        "文件名,场景\nimages/a.jpg,滑雪;跳高\nb,skiing\nzzz,ski\n", "utf-8"
    )
    (folder / "prices.csv").write_text("item,price\nx,3\n")
    _, rows = propose("masks", folder, "csv")
    assert [rows[stem][0] for stem in "abc"] == [("ski", "high_jump"), ("ski",), ()]


@pytest.fixture
def delivery(tmp_path):
    """Three pictures in folders that name scenes, with masks in which each value is a person."""
    folder = tmp_path / "delivery"
    mask = np.zeros((48, 64), np.uint8)
    mask[10:40, 20:44] = 1
    for number, name in enumerate(("ski/one", "ski/two", "beach/three")):
        pixels = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        (folder / f"images/{name}").parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).resize((64, 48)).save(folder / f"images/{name}.jpg")
        write_values(folder / f"masks/{name}.png", np.roll(mask, number, axis=1))
    return folder


def test_proposals_are_printed_and_nothing_is_added(registry, sceneset, delivery):
    before = snapshot(registry)
    words = ("add", delivery, "--name", NAME, "--map", "1..=instance")
    done = sceneset(*words, "--scenes-from", "folder", cwd=registry)
    assert done.code == 0, done.err
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [tuple(row.values()) for row in rows] == [
        ("train", "one", "ski", 'folder "ski"'),
        ("train", "three", "", 'no scene is named by folder "beach"'),
        ("train", "two", "ski", 'folder "ski"'),
    ]
    assert "scenes are proposed for 2 of 3 samples; nothing was added" in done.err
    assert "'beach' names no scene (1 sample" in done.err
    assert snapshot(registry) == before


def test_the_corrected_file_gives_scenes_and_the_annotation_the_rest(
    registry, sceneset, delivery, tmp_path
):
    words = ("add", delivery, "--name", NAME, "--map", "1..=instance")
    text = sceneset(*words, "--scenes-from", "folder", cwd=registry).out
    path = tmp_path / "scenes.csv"
    path.write_text(text.replace("train,three,,", "train,three,city,"), "utf-8")
    done = sceneset(*words, "--scenes", path, cwd=registry)
    assert done.code == 0, done.err
    tags = (registry / f"registry/tags/{NAME}.csv").read_text("utf-8").splitlines()
    assert tags == [
        "phase,stem,scenes,persons,boxes,source",
        "train,one,ski,single,1,ski",
        "train,three,city,single,1,beach",
        "train,two,ski,single,1,ski",
    ]
    assert sceneset("check", cwd=registry).code == 0


def test_an_entry_without_rows_gets_them_from_the_scenes(registry, sceneset, delivery, tmp_path):
    path, entry = tmp_path / "scenes.csv", tmp_path / "entry.yaml"
    path.write_text("phase,stem,scenes\ntrain,one,ski\ntrain,three,city\ntrain,two,ski\n")
    entry.write_text("provenance: {licence: CC-BY-4.0}\n")
    words = ("add", delivery, "--name", NAME, "--map", "1..=instance", "--scenes", path)
    done = sceneset(*words, "--entry", entry, "--dry-run", "--json", cwd=registry)
    assert done.code == 0, done.err
    files = {row["split_file"]: row["images"] for row in done.json["rows"]}
    assert files == {"total.txt": 3, "ski.txt": 2, "city.txt": 1}
    entry.write_text("splits: [{scene: ski, persons: single, file: ski.txt}]\n")
    done = sceneset(*words, "--entry", entry, "--dry-run", "--json", cwd=registry)
    assert [p["code"] for p in done.json["problems"]].count("row-missing") == 1


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("train,one,ski,\ntrain,two,ski,\n", "three"),
        ("train,one,ski,\ntrain,two,ski,\ntrain,three,ski,\ntrain,four,ski,\n", "four"),
        ("train,one,moon,\ntrain,two,ski,\ntrain,three,ski,\n", "moon"),
        ("train,one,ski,\ntrain,one,ski,\n", "already has a row"),
    ],
)
def test_a_file_that_does_not_fit_changes_nothing(
    registry, sceneset, delivery, tmp_path, rows, reason
):
    before, path = snapshot(registry), tmp_path / "scenes.csv"
    path.write_text(f"phase,stem,scenes,reason\n{rows}")
    words = ("add", delivery, "--name", NAME, "--map", "1..=instance", "--scenes", path)
    done = sceneset(*words, cwd=registry)
    assert done.code == 1
    assert reason in done.err
    assert "scenes.csv" in done.err
    assert snapshot(registry) == before


def test_scenes_and_tags_exclude_each_other(registry, sceneset, delivery, tmp_path):
    words = ("add", delivery, "--name", NAME, "--scenes", "a.csv", "--tags", "b.csv")
    done = sceneset(*words, cwd=registry)
    assert done.code == 2
    assert "--scenes and --tags both give the scenes" in done.err
    done = sceneset("add", tmp_path / "no.zip", "--name", NAME, "--scenes", "a.csv", cwd=registry)
    assert done.code == 2
    assert "no.zip: there is no such folder or archive" in done.err
    (tmp_path / "c/img_dir").mkdir(parents=True)
    done = sceneset("add", tmp_path / "c", "--name", NAME, "--scenes", "a.csv", cwd=registry)
    assert done.code == 2
    assert "--scenes is for annotation formats" in done.err
