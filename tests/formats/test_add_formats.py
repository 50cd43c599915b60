"""`sceneset add` of deliveries in annotation formats, from end to end."""

import json

import numpy as np
import pytest
from PIL import Image

from support.build import NAME, snapshot
from support.formats import write_picture, write_values


@pytest.fixture
def delivery(tmp_path):
    """Two pictures with masks of 0 and 255, one of them with a name that is not safe."""
    folder = tmp_path / "delivery"
    mask = np.zeros((48, 64), np.uint8)
    mask[10:40, 20:44] = 255
    for number, name in enumerate(("one", "two: 2")):
        pixels = np.random.default_rng(number).integers(0, 256, (6, 8, 3), dtype=np.uint8)
        (folder / "images").mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).resize((64, 48)).save(folder / f"images/{name}.jpg")
        write_values(folder / f"masks/{name}.png", np.roll(mask, number, axis=1))
    return folder


def test_a_delivery_is_recognized_added_and_recorded(registry, sceneset, delivery):
    before = snapshot(delivery)
    done = sceneset("add", delivery, "--name", NAME, cwd=registry)
    assert done.code == 0, done.err
    assert "looks like folders of images and masks: 2 images have a mask in masks" in done.err
    assert "255 is read as person: 2 of 2 masks use it" in done.err
    subset = registry / "Insta360SemanticSeg" / NAME
    assert sorted(path.name for path in subset.glob("img_dir/train/*")) == ["one.jpg", "two__2.jpg"]
    assert set(np.unique(np.asarray(Image.open(subset / "ann_dir/train/two__2.png")))) == {0, 1}
    record = (registry / f"registry/deliveries/{NAME}.csv").read_text("utf-8")
    assert record.splitlines() == [
        "phase,stem,image,annotation,changes",
        "train,one,images/one.jpg,masks/one.png,",
        "train,two__2,images/two: 2.jpg,masks/two: 2.png,renamed from two: 2.jpg",
    ]
    assert snapshot(delivery) == before
    assert sceneset("check", cwd=registry).code == 0


def test_a_withdrawal_removes_the_delivered_names_too(registry, sceneset, delivery):
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0
    record = registry / f"registry/deliveries/{NAME}.csv"
    sample = f"{NAME}/train/two__2"
    done = sceneset("forget", sample, "--reason", "consent", cwd=registry)
    assert done.code == 0, done.err
    assert "two" not in record.read_text("utf-8")
    assert "train,one,images/one.jpg" in record.read_text("utf-8")


def test_two_adds_of_one_delivery_give_the_same_bytes(registry, sceneset, delivery, tmp_path):
    import shutil

    other = shutil.copytree(registry, tmp_path / "other", symlinks=True)
    for root in (registry, other):
        assert sceneset("add", delivery, "--name", NAME, cwd=root).code == 0
    assert snapshot(registry) == snapshot(other)


def test_a_dry_run_changes_nothing_and_leaves_no_file(registry, sceneset, delivery):
    before = snapshot(registry)
    done = sceneset("add", delivery, "--name", NAME, "--dry-run", "--json", cwd=registry)
    assert json.loads(done.out)["samples"] == 2
    assert snapshot(registry) == before


def test_quarantine_leaves_out_what_has_no_annotation(registry, sceneset, delivery, tmp_path):
    write_picture(delivery / "images/lone.jpg", (64, 48))
    refused = sceneset("add", delivery, "--name", NAME, cwd=registry)
    assert refused.code == 1
    assert "images/lone.jpg" in refused.err
    words = ("add", delivery, "--name", NAME, "--quarantine", tmp_path / "q")
    assert sceneset(*words, cwd=registry).code == 0
    assert "images/lone.jpg" in (tmp_path / f"q/{NAME}.csv").read_text()


def test_options_of_formats_are_refused_for_the_custom_layout(registry, sceneset, tmp_path):
    (tmp_path / "d/img_dir/train").mkdir(parents=True)
    done = sceneset("add", tmp_path / "d", "--name", NAME, "--map", "1=person", cwd=registry)
    assert done.code == 2
    assert "--map is for annotation formats" in done.err


def test_an_unknown_delivery_gets_the_list_of_formats(registry, sceneset, tmp_path):
    write_picture(tmp_path / "d/pictures/a.jpg")
    done = sceneset("add", tmp_path / "d", "--name", NAME, cwd=registry)
    assert done.code == 1
    assert "is in no format that is known" in done.err
    assert "coco" in done.err
    unknown = sceneset("add", tmp_path / "d", "--name", NAME, "--format", "kokoro", cwd=registry)
    assert unknown.code == 2
    assert "there is no such format" in unknown.err


def test_findings_on_masks_name_the_delivered_file(registry, sceneset, delivery):
    write_values(delivery / "masks/one.png", np.full((48, 64), 255))
    done = sceneset("add", delivery, "--name", NAME, "--dry-run", "--json", cwd=registry)
    files = {p["file"] for p in json.loads(done.out)["problems"]}
    assert "masks/one.png" in files
    assert not any(file.startswith("ann_dir") for file in files)


def test_add_reports_a_delivery_in_which_each_annotation_is_broken(tmp_path, registry, sceneset):
    for name in ("a", "b"):
        write_picture(tmp_path / f"d/images/{name}.jpg", (64, 48))
        path = tmp_path / f"d/masks/{name}.png"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"\x89PNG\r\n\x1a\nbroken")
    words = ("--name", NAME, "--format", "masks", "--map", "1=person")
    outcome = sceneset("add", tmp_path / "d", *words, cwd=registry)
    assert outcome.code == 1
    assert "[annotation-broken]" in outcome.err
    assert "nothing was changed" in outcome.err
