"""`sceneset crop` from end to end, on drawn originals."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sceneset.catalog.reader import Catalog
from sceneset.schemas.tombstone import Tombstone
from sceneset.storage.files import md5_of
from sceneset.storage.yaml_parser import parse
from support.build import NAME, Run, dvc, git, snapshot
from support.people import coco_boxes, make_originals, write_json
from support.policy import PROVENANCE

CROPS = "CustomSeg_Person_20240116_crops"
PEOPLE = {
    "train/one": [(100, 40, 180, 200)],
    "train/two": [(20, 40, 100, 200), (200, 60, 280, 220)],
    "train/hug": [(80, 40, 160, 200), (140, 40, 220, 200)],
    "val/held": [(120, 30, 200, 210)],
}
SCENES = {"train/one": "ski.txt", "train/two": "ski_muiltiperson.txt"}


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    return write_json(tmp_path / "boxes.json", coco_boxes(PEOPLE))


@pytest.fixture
def originals(registry: Path, tmp_path: Path, sceneset: Run) -> Path:
    """A registry with originals, four images of which one has people who overlap."""
    delivery = make_originals(tmp_path / "originals", PEOPLE, scenes=SCENES)
    for file, stems in (("total.txt", ("one", "two", "hug")), ("total_val.txt", ("held",))):
        (delivery / "split_dir" / file).write_text("".join(f"{stem}\n" for stem in stems))
    entry = tmp_path / "entry.yaml"
    entry.write_text(f"provenance: {json.dumps(PROVENANCE)}\n")
    outcome = sceneset("add", delivery, "--name", NAME, "--entry", entry, cwd=registry)
    assert outcome.code == 0, outcome.err
    return registry


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def pixels(path: Path) -> "np.ndarray":
    return np.asarray(Image.open(path))


def test_crop_adds_a_subset_of_single_persons(originals: Path, boxes: Path, sceneset: Run) -> None:
    outcome = sceneset("crop", "web", "--boxes", boxes, "--name", CROPS, cwd=originals)
    assert outcome.code == 0, outcome.err
    assert "4 crops of 3 originals; the source has 4 originals with 6 boxes" in outcome.err
    assert "originals whose people overlap: 1 [people-overlap]" in outcome.err
    tags = rows_of(originals / f"registry/tags/{CROPS}.csv")
    assert [(row["phase"], row["stem"], row["scenes"]) for row in tags] == [
        ("train", "one_1", "ski"),
        ("train", "two_1", "ski"),
        ("train", "two_2", "ski"),
        ("val", "held_1", ""),
    ]
    assert {row["persons"] for row in tags} == {"single"}
    assert [row["boxes"] for row in tags] == ["1", "2", "2", "1"]
    assert tags[1]["source"] == tags[2]["source"] == f"{NAME}/two"
    entry = (originals / f"registry/subsets/{CROPS}.yaml").read_text()
    assert "kind: crop" in entry
    assert "licence: CC-BY-4.0" in entry


def test_crop_has_the_pixels_of_its_frame(originals: Path, boxes: Path, sceneset: Run) -> None:
    words = ("crop", "web", "--boxes", boxes, "--name", CROPS, "--grow", "0.25")
    assert sceneset(*words, cwd=originals).code == 0
    data, rows = originals / "Insta360SemanticSeg", {}
    for row in rows_of(originals / f"registry/crops/{CROPS}.csv"):
        left, top, right, bottom = map(int, row["frame"].split())
        rows[row["stem"]] = row
        subset, phase, stem = row["original"].split("/")
        for folder, end, own in (("img_dir", ".jpg", ".png"), ("ann_dir", ".png", ".png")):
            original = pixels(data / f"{subset}/{folder}/{phase}/{stem}{end}")
            crop = pixels(data / f"{CROPS}/{folder}/{phase}/{row['stem']}{own}")
            assert np.array_equal(crop, original[top:bottom, left:right])
    assert rows["one_1"]["box"] == "100.00 40.00 180.00 200.00"
    assert rows["one_1"]["frame"] == "80 0 200 240"


def test_originals_and_crops_are_free_of_leaks_together(
    originals: Path, boxes: Path, sceneset: Run
) -> None:
    assert sceneset("crop", "web", "--boxes", boxes, "--name", CROPS, cwd=originals).code == 0
    dvc(originals, "repro")
    git(originals, "add", "--all")
    found = sceneset("check", "--json", cwd=originals)
    assert found.code == 0, found.err
    assert not [p["code"] for p in found.json if p["code"].startswith(("leak", "crop"))]
    assert json.loads((originals / "registry/reports/leaks.json").read_text()) == []


def test_dry_run_changes_nothing_and_lists_what_is_refused(
    originals: Path, boxes: Path, tmp_path: Path, sceneset: Run
) -> None:
    before, refused = snapshot(originals), tmp_path / "refused.csv"
    words = ("crop", "web", "--boxes", boxes, "--name", CROPS, "--dry-run", "--refused", refused)
    outcome = sceneset(*words, cwd=originals)
    assert outcome.code == 0, outcome.err
    assert "4 samples would be added; nothing was changed" in outcome.err
    assert snapshot(originals) == before
    [row] = rows_of(refused)
    assert (row["reason"], row["image"]) == ("people-overlap", "train/hug")


def test_examples_of_a_reason_are_followed_by_the_number_of_others(
    originals: Path, tmp_path: Path, sceneset: Run
) -> None:
    overlapping = dict.fromkeys(PEOPLE, PEOPLE["train/hug"])
    boxes = write_json(tmp_path / "all.json", coco_boxes(overlapping))
    outcome = sceneset("crop", "web", "--boxes", boxes, "--name", CROPS, "--dry-run", cwd=originals)
    assert "originals whose people overlap: 4 [people-overlap]" in outcome.err
    assert "  and 1 more; --refused FILE lists all\n" in outcome.err


def test_reasons_are_in_chinese(
    originals: Path, boxes: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    words = ("crop", "web", "--boxes", boxes, "--name", CROPS, "--dry-run")
    outcome = sceneset(*words, "--min-gap", "30", cwd=originals)
    assert "(annotation 4) 和 boxes.json (annotation 5) 中的人没有分开：" in outcome.err
    assert "没有分开：它们的 IoU 为 0." in outcome.err


def test_written_folder_is_the_same_each_time_and_can_be_added(
    originals: Path, boxes: Path, tmp_path: Path, sceneset: Run
) -> None:
    words = ("crop", "web", "--boxes", boxes, "--name", CROPS)
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        assert sceneset(*words, "--to", folder, cwd=originals).code == 0
    first, second = map(snapshot, folders)
    assert first == second
    assert set(first) >= {"crops.csv", "tags.csv", "entry.yaml", "img_dir/train/one_1.png"}
    add = ("add", folders[0], "--name", CROPS, "--kind", "crop", "--tags", folders[0] / "tags.csv")
    added = sceneset(*add, "--entry", folders[0] / "entry.yaml", cwd=originals)
    assert added.code == 0, added.err
    record = originals / f"registry/crops/{CROPS}.csv"
    assert record.read_bytes() == first["crops.csv"]
    assert not list(tmp_path.glob(".*part"))


def test_forget_of_an_original_withdraws_its_crops(
    originals: Path, boxes: Path, sceneset: Run
) -> None:
    assert sceneset("crop", "web", "--boxes", boxes, "--name", CROPS, cwd=originals).code == 0
    git(originals, "add", "--all")
    git(originals, "commit", "--quiet", "--message", "Crops")
    words = ("forget", f"{NAME}/train/two", "--reason", "case 7")
    trial = sceneset(*words, "--dry-run", "--json", cwd=originals)
    assert trial.code == 0, trial.err
    found = {(one["stem"], one["how"]) for one in trial.json["found"]}
    assert found == {("two", "named"), ("two_1", "crop"), ("two_2", "crop")}
    assert sceneset(*words, cwd=originals).code == 0
    stems = [row["stem"] for row in rows_of(originals / f"registry/tags/{CROPS}.csv")]
    assert stems == ["one_1", "held_1"]
    record = rows_of(originals / f"registry/crops/{CROPS}.csv")
    assert [row["stem"] for row in record] == stems
    # The original of a withdrawn crop stays: it may show others.
    crop = sceneset("forget", f"{CROPS}/val/held_1", "--reason", "x", "--dry-run", cwd=originals)
    assert "val/held_1" in crop.out
    assert f"{NAME}/val/held " not in crop.out


def test_withdrawn_and_restricted_originals_are_not_cropped(
    originals: Path, boxes: Path, sceneset: Run
) -> None:
    assert sceneset("forget", f"{NAME}/train/two", "--reason", "case 7", cwd=originals).code == 0
    entry = originals / f"registry/subsets/{NAME}.yaml"
    exception = "  exceptions:\n  - samples: [val/held]\n    restrictions: [internal]\nsplits:"
    entry.write_text(entry.read_text().replace("splits:", exception))
    words = ("crop", "web", "--boxes", boxes, "--name", CROPS)
    found = sceneset(*words, "--dry-run", "--json", cwd=originals).json
    refused = {(one["reason"], one["image"]) for one in found["refused"]}
    assert refused >= {("restricted", "val/held"), ("image-unknown", "train/two.jpg")}
    assert found["samples"] == 1
    assert sceneset(*words, "--internal", cwd=originals).code == 0
    text = (originals / f"registry/subsets/{CROPS}.yaml").read_text()
    [exception] = parse(text, "entry").data["provenance"]["exceptions"]
    assert exception == {"samples": ["val/held_1"], "restrictions": ["internal"]}


def test_renamed_subset_is_still_the_source_of_its_crops(
    originals: Path, boxes: Path, sceneset: Run
) -> None:
    assert sceneset("crop", "web", "--boxes", boxes, "--name", CROPS, cwd=originals).code == 0
    git(originals, "add", "--all")
    git(originals, "commit", "--quiet", "--message", "Crops")
    new = NAME.replace("web", "net")
    assert sceneset("rename", NAME, new, cwd=originals).code == 0
    sources = {row["source"] for row in rows_of(originals / f"registry/tags/{CROPS}.csv")}
    assert sources == {f"{new}/one", f"{new}/two", f"{new}/held"}
    other = CROPS.replace("crops", "people")
    assert sceneset("rename", CROPS, other, cwd=originals).code == 0
    assert (originals / f"registry/crops/{other}.csv").is_file()


def test_crop_in_another_phase_than_its_original_leaks(
    originals: Path, boxes: Path, sceneset: Run
) -> None:
    assert sceneset("crop", "web", "--boxes", boxes, "--name", CROPS, cwd=originals).code == 0
    words = ("move", "--subset", "crops", "--match", "one_1", "--phase", "val")
    moved = sceneset(*words, cwd=originals)
    assert moved.code == 1
    assert f"has the source '{NAME}/one', which is the training image" in moved.err


def test_crops_of_an_original_that_was_withdrawn_meanwhile_are_not_added(
    originals: Path, boxes: Path, tmp_path: Path, sceneset: Run
) -> None:
    out = tmp_path / "out"
    words = ("crop", "web", "--boxes", boxes, "--name", CROPS, "--to", out)
    assert sceneset(*words, cwd=originals).code == 0
    assert sceneset("forget", f"{NAME}/train/two", "--reason", "case 7", cwd=originals).code == 0
    add = ("add", out, "--name", CROPS, "--tags", out / "tags.csv", "--entry", out / "entry.yaml")
    refused = sceneset(*add, cwd=originals)
    assert refused.code == 1
    assert "was cut out of an image that was withdrawn: case 7" in refused.err
    assert sceneset(*add, "--quarantine", tmp_path / "left", cwd=originals).code == 0
    stems = [row["stem"] for row in rows_of(originals / f"registry/crops/{CROPS}.csv")]
    assert stems == ["one_1", "held_1"]


def test_withdrawal_while_crops_are_cut_is_noticed_under_the_lock(
    originals: Path, boxes: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(originals)
    again = Catalog.again

    def withdrawn(catalog: Catalog) -> Catalog:
        found = again(catalog)
        data = (originals / "Insta360SemanticSeg" / NAME / "img_dir/train/two.jpg").read_bytes()
        stone = Tombstone(
            image=md5_of(data), phash="0" * 16, phash_mirror="0" * 16, masks=(), reason="case 7"
        )
        found.__dict__["tombstones"] = {stone.image: stone}
        return found

    monkeypatch.setattr(Catalog, "again", withdrawn)
    outcome = sceneset("crop", "web", "--boxes", boxes, "--name", CROPS, cwd=originals)
    assert outcome.code == 1
    assert "[forgotten]" in outcome.err
    assert snapshot(originals) == before
