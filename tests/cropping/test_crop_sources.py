"""`sceneset crop` on deliveries, turned images, versions, and broken input."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms, ImageOps

from sceneset.catalog.crops import iter_crops
from support.build import NAME, SHARED, Run, needs_shared, snapshot
from support.people import coco_boxes, draw_original, make_originals, write_json

CROPS = "CustomSeg_Person_20240116_crops"
ONE, TWO = (100, 40, 180, 200), (200, 60, 280, 220)
PEOPLE = {"train/a": [ONE], "train/b": [(20, 40, 100, 200), TWO], "val/c": [ONE]}


def crop(sceneset: Run, cwd: Path, source: object, boxes: object, *words: object) -> object:
    return sceneset("crop", source, "--boxes", boxes, "--name", CROPS, *words, cwd=cwd)


@pytest.fixture
def delivery(tmp_path: Path) -> Path:
    return make_originals(tmp_path / "originals", PEOPLE)


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    return write_json(tmp_path / "boxes.json", coco_boxes(PEOPLE))


def test_delivery_is_cropped_without_being_registered(
    registry: Path, delivery: Path, boxes: Path, sceneset: Run
) -> None:
    before = snapshot(delivery)
    outcome = crop(sceneset, registry, delivery, boxes, "--json")
    assert outcome.code == 0, outcome.err
    assert (outcome.json["taken"], outcome.json["samples"], outcome.json["cropped"]) == (True, 4, 3)
    assert snapshot(delivery) == before
    text = (registry / f"registry/crops/{CROPS}.csv").read_text()
    rows = list(iter_crops(text, "crops"))
    assert [row.original for row in rows][:2] == ["img_dir/train/a.jpg", "img_dir/train/b.jpg"]


def test_yolo_labels_of_a_coco_delivery_are_cut_alike(
    registry: Path, delivery: Path, boxes: Path, tmp_path: Path, sceneset: Run
) -> None:
    labels = tmp_path / "labels"
    for name, people in PEOPLE.items():
        path = labels / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [
            f"0 {(left + right) / 640} {(top + bottom) / 480} {(right - left) / 320} "
            f"{(bottom - top) / 240}\n"
            for left, top, right, bottom in people
        ]
        path.write_text("".join(lines))
    folders = [tmp_path / "coco", tmp_path / "yolo"]
    for folder, file in zip(folders, (boxes, labels), strict=True):
        outcome = crop(sceneset, registry, delivery, file, "--to", folder)
        assert outcome.code == 0, outcome.err
    first, second = ({n: d for n, d in snapshot(f).items() if n != "crops.csv"} for f in folders)
    assert first == second


def test_turned_image_is_cut_upright_and_pixel_exact(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    folder = tmp_path / "turned"
    image, mask = folder / "img_dir/train/p.jpg", folder / "ann_dir/train/p.png"
    draw_original(image, mask, [ONE], seed=4, orientation=6)
    shown = coco_boxes({"train/p": [(40, 100, 200, 220)]}, size=(240, 320))
    stored = coco_boxes({"train/p": [ONE]})
    results = []
    for name, content in (("shown", shown), ("stored", stored)):
        file = write_json(tmp_path / f"{name}.json", content)
        outcome = crop(sceneset, registry, folder, file, "--to", tmp_path / name, "--grow", "0")
        assert outcome.code == 0, outcome.err
        results.append(snapshot(tmp_path / name))
    upright = ImageOps.exif_transpose(Image.open(image))
    # x and y of the picture as shown: orientation 6 turns it by 90 degrees clockwise.
    expected = np.asarray(upright)[100:180, 40:200]
    cut = Image.open(tmp_path / "stored/img_dir/train/p_1.png")
    assert np.array_equal(np.asarray(cut), expected)
    assert cut.getexif().get(0x0112, 1) == 1
    [row] = iter_crops((tmp_path / "stored/crops.csv").read_text(), "crops")
    assert (row.frame, row.orientation) == (ONE, 6)
    assert results[0].keys() == results[1].keys()


def test_metadata_is_not_copied_and_the_color_profile_is(
    registry: Path, delivery: Path, boxes: Path, tmp_path: Path, sceneset: Run
) -> None:
    path = delivery / "img_dir/train/a.jpg"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    Image.open(path).save(path, quality=95, exif=exif, icc_profile=profile, comment=b"secret")
    for name, words in (("png", ()), ("jpg", ("--jpeg", "90"))):
        to = tmp_path / name
        assert crop(sceneset, registry, delivery, boxes, "--to", to, *words).code == 0
        data = (to / f"img_dir/train/a_1.{name}").read_bytes()
        assert b"Maker" not in data
        assert b"secret" not in data
        assert Image.open(io.BytesIO(data)).info["icc_profile"] == profile


def test_errors_of_the_input_change_nothing_unless_they_are_skipped(
    registry: Path, delivery: Path, tmp_path: Path, sceneset: Run
) -> None:
    content = coco_boxes(PEOPLE)
    content["annotations"][0]["bbox"][2] = float("nan")
    content["annotations"].append({"image_id": 2, "category_id": 1, "bbox": [900, 9, 50, 50]})
    boxes = write_json(tmp_path / "boxes.json", content)
    before = snapshot(registry)
    outcome = crop(sceneset, registry, delivery, boxes)
    assert outcome.code == 1
    assert "[box-broken]" in outcome.err
    assert "[box-outside]" in outcome.err
    assert "--skip-bad" in outcome.err
    assert crop(sceneset, registry, delivery, boxes, "--to", tmp_path / "out").code == 1
    assert not (tmp_path / "out").exists()
    assert snapshot(registry) == before
    assert crop(sceneset, registry, delivery, boxes, "--skip-bad").code == 0
    tags = (registry / f"registry/tags/{CROPS}.csv").read_text().splitlines()
    assert [line.split(",")[1] for line in tags[1:]] == ["b_1", "b_2", "c_1"]


def test_people_in_a_frame_become_ignored_or_refuse_the_crop(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    people = {"train/a": [(40, 40, 120, 200), (130, 40, 210, 200)]}
    folder = make_originals(tmp_path / "near", people)
    boxes = write_json(tmp_path / "boxes.json", coco_boxes({"train/a": people["train/a"][:1]}))
    words = ("--grow", "0.5", "--to", tmp_path / "out")
    assert crop(sceneset, registry, folder, boxes, *words).code == 0
    mask = np.asarray(Image.open(tmp_path / "out/ann_dir/train/a_1.png"))
    original = np.asarray(Image.open(folder / "ann_dir/train/a.png"))[0:240, 0:160]
    assert np.array_equal(mask == 1, (original == 1) & (np.arange(160) < 125))
    assert np.array_equal(mask == 255, (original == 1) & (np.arange(160) >= 125))
    refused = crop(sceneset, registry, folder, boxes, "--grow", "0.5", "--others", "refuse")
    assert refused.code == 1
    assert "[others-in-crop]" in refused.err
    assert "there is no crop" in refused.err


def test_connected_people_are_not_separate(registry: Path, tmp_path: Path, sceneset: Run) -> None:
    people = {"train/a": [(40, 40, 120, 200), (160, 40, 240, 200)]}
    folder = make_originals(tmp_path / "hands", people)
    path = folder / "ann_dir/train/a.png"
    mask = np.array(Image.open(path))
    mask[118:122, 80:200] = 1  # they hold hands
    Image.fromarray(mask).save(path)
    boxes = write_json(tmp_path / "boxes.json", coco_boxes(people))
    outcome = crop(sceneset, registry, folder, boxes)
    assert outcome.code == 1
    assert "[people-connected]" in outcome.err
    alone = write_json(tmp_path / "one.json", coco_boxes({"train/a": people["train/a"][:1]}))
    assert "[person-outside]" in crop(sceneset, registry, folder, alone).err


def test_boxes_of_other_images_are_wrong_use(
    registry: Path, delivery: Path, tmp_path: Path, sceneset: Run
) -> None:
    boxes = write_json(tmp_path / "boxes.json", coco_boxes({"train/x": [ONE]}))
    outcome = crop(sceneset, registry, delivery, boxes)
    assert outcome.code == 2
    assert "none of its 1 image names" in outcome.err


def test_list_of_refused_boxes_replaces_no_other_file(
    registry: Path, delivery: Path, boxes: Path, tmp_path: Path, sceneset: Run
) -> None:
    other = tmp_path / "other.csv"
    other.write_text("mine\n")
    for path, said in ((other, "was not written by"), (registry / "registry/a.csv", "is inside")):
        outcome = crop(sceneset, registry, delivery, boxes, "--refused", path)
        assert outcome.code == 2
        assert said in outcome.err
    assert other.read_text() == "mine\n"
    mine = tmp_path / "mine.csv"
    for _ in range(2):
        words = ("--refused", mine, "--dry-run")
        assert crop(sceneset, registry, delivery, boxes, *words).code == 0


def test_list_of_refused_boxes_runs_no_formula(
    registry: Path, delivery: Path, tmp_path: Path, sceneset: Run
) -> None:
    people = {**PEOPLE, "=cmd|' /C calc'!A0": [ONE]}
    boxes = write_json(tmp_path / "boxes.json", coco_boxes(people))
    mine = tmp_path / "mine.csv"
    words = ("--refused", mine, "--dry-run")
    assert crop(sceneset, registry, delivery, boxes, *words).code == 0
    assert any(line.startswith("image-unknown,'=cmd") for line in mine.read_text().splitlines())


def test_names_with_line_breaks_stay_in_their_line(
    registry: Path, delivery: Path, tmp_path: Path, sceneset: Run
) -> None:
    people = {**PEOPLE, "x\n7 crops": [ONE]}
    boxes = write_json(tmp_path / "boxes.json", coco_boxes(people))
    assert r"x\n7 crops" in crop(sceneset, registry, delivery, boxes, "--dry-run").err


def test_boxes_of_other_classes_are_counted(
    registry: Path, delivery: Path, tmp_path: Path, sceneset: Run
) -> None:
    content = coco_boxes(PEOPLE)
    content["categories"].append({"id": 2, "name": "dog"})
    content["annotations"].append({"image_id": 0, "category_id": 2, "bbox": [1, 2, 3, 4]})
    boxes = write_json(tmp_path / "boxes.json", content)
    assert (
        "1 box of other classes: 1 dog"
        in crop(sceneset, registry, delivery, boxes, "--dry-run").err
    )
    outcome = crop(sceneset, registry, delivery, boxes, "--dry-run", "--json")
    assert outcome.json["others"] == {"dog": 1}


def test_taken_name_is_refused_with_what_to_do(
    registry: Path, delivery: Path, boxes: Path, sceneset: Run
) -> None:
    assert crop(sceneset, registry, delivery, boxes).code == 0
    outcome = crop(sceneset, registry, delivery, boxes)
    assert outcome.code == 1
    assert "give the crops another date or note: --name NAME" in outcome.err


def test_subset_of_a_version_is_cropped_and_crops_are_not_cropped_again(
    released: Path, tmp_path: Path, sceneset: Run
) -> None:
    box = [{"image_id": f"train/{stem}.jpg", "bbox": [8, 4, 16, 16]} for stem in "abcd"]
    boxes = write_json(tmp_path / "boxes.json", box)
    words = ("--rev", "1.0.0", "--min-side", "8")
    assert crop(sceneset, released, "web", boxes, *words, "--to", tmp_path / "out").code == 0
    assert len(list((tmp_path / "out/img_dir/train").iterdir())) == 4
    outcome = crop(sceneset, released, NAME, boxes, *words)
    assert outcome.code == 0, outcome.err
    again = sceneset("crop", "crops", "--boxes", boxes, "--name", f"{CROPS}2", cwd=released)
    assert again.code == 2
    assert "holds crops already" in again.err


@needs_shared
@pytest.mark.sweep
def test_real_boxes_of_drop_b_give_crops_that_pass_the_rules(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    drop = SHARED / "data/drop_B_coco_mini"
    added = sceneset(
        *("add", drop, "--name", NAME, "--quarantine", tmp_path / "left"), cwd=registry
    )
    assert added.code == 0, added.err
    file = drop / "annotations/instances_train2017.json"
    outcome = crop(sceneset, registry, "web", file, "--json")
    assert outcome.code == 0, outcome.err
    assert outcome.json["samples"] == 16
    root = registry / "Insta360SemanticSeg"
    for row in iter_crops((registry / f"registry/crops/{CROPS}.csv").read_text(), "crops"):
        left, top, right, bottom = row.frame
        subset, phase, stem = row.original.split("/")
        whole = Image.open(root / f"{subset}/img_dir/{phase}/{stem}.jpg")
        cut = Image.open(root / f"{CROPS}/img_dir/{phase}/{row.stem}.png")
        assert np.array_equal(np.asarray(cut), np.asarray(whole)[top:bottom, left:right])
    found = json.loads(sceneset("check", "--json", cwd=registry).out)
    assert not [p for p in found if p["subset"] == CROPS and p["severity"] == "error"]
