"""`sceneset add --to --replace`: corrected masks and images come back."""

from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from sceneset.catalog.lineage import read_lineage
from sceneset.catalog.reader import Catalog
from sceneset.storage.blobs import Blobs
from support.build import NAME, Run, dvc, git, make_delivery, snapshot, write_image, write_mask
from support.servers import BUCKET, KEYS, s3_server

DATA = f"Insta360SemanticSeg/{NAME}"


def draw_mask(path: Path, right: int, *, size: tuple[int, int] = (32, 24), level: int = 6) -> Path:
    """Draw a person from column 8 to a column; the level of compression changes only bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mask = Image.new("L", size)
    mask.paste(1, (8, 6, right, 18))
    mask.save(path, compress_level=level)
    return path


@pytest.fixture
def corrected(added: Path, tmp_path: Path) -> Path:
    """Masks of four samples: a is new, b has the same pixels, c the same bytes, d is smaller."""
    folder = tmp_path / "corrected"
    write_mask(folder / "ann_dir/train/c.png")
    with Image.open(added / DATA / "ann_dir/train/b.png") as mask:
        mask.load()
        mask.save(folder / "ann_dir/train/b.png", compress_level=0)
    draw_mask(folder / "ann_dir/train/a.png", 24)
    draw_mask(folder / "ann_dir/train/d.png", 12)
    return folder


def hashes(root: Path) -> dict[str, tuple[str, str]]:
    """Return the hashes of image and mask, by stem."""
    table = Catalog(root).scan(NAME).to_pylist()
    return {row["stem"]: (row["image_md5"].hex(), row["mask_md5"].hex()) for row in table}


def test_only_masks_with_other_pixels_are_taken(
    added: Path, corrected: Path, sceneset: Run
) -> None:
    before, tags = hashes(added), (added / f"registry/tags/{NAME}.csv").read_bytes()
    words = ("add", corrected, "--to", "web", "--replace", "masks")
    planned = sceneset(*words, "--dry-run", "--json", "--iou", "0.5", cwd=added)
    assert planned.code == 0, planned.err
    assert git(added, "status", "--porcelain") == ""
    assert (planned.json["samples"], planned.json["unchanged"]) == (2, 2)
    iou = planned.json["iou"]
    assert (iou["compared"], [found["sample"] for found in iou["below"]]) == (2, ["train/d"])
    assert (
        iou["least"] == iou["below"][0]["iou"] < iou["mean"] < 0.5 < 2 * iou["mean"] - iou["least"]
    )
    outcome = sceneset(*words, cwd=added)
    assert outcome.code == 0, outcome.err
    assert "2 samples have other masks now" in outcome.err
    assert f"mean {iou['mean']:.3f}, least {iou['least']:.3f} (train/d)" in outcome.err
    after = hashes(added)
    assert [stem for stem in "abcd" if after[stem] != before[stem]] == ["a", "d"]
    assert {stem: md5 for stem, (md5, _) in after.items()} == {
        stem: md5 for stem, (md5, _) in before.items()
    }
    assert (added / f"registry/tags/{NAME}.csv").read_bytes() == tags
    for stem in "ad":
        path = f"ann_dir/train/{stem}.png"
        assert (added / DATA / path).read_bytes() == (corrected / path).read_bytes()
    rows = read_lineage(Catalog(added).paths, NAME)
    assert [(row.stem, row.mask_md5, row.new_mask_md5, row.reason) for row in rows] == [
        (stem, before[stem][1], after[stem][1], "replace masks") for stem in "ad"
    ]
    assert dvc(added, "status", "--quiet", check=False).code == 0
    assert sceneset("check", cwd=added).code == 0
    again = sceneset(*words, cwd=added)
    assert (again.code, "nothing was changed" in again.err) == (0, True), again.err


def test_files_without_folders_belong_to_the_only_sample_of_their_stem(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    delivery = make_delivery(tmp_path / "delivery", splits={}, train="abc", val="bx")
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0
    folder = tmp_path / "flat"
    for stem in "abxz":
        draw_mask(folder / f"{stem}.png", 24)
    draw_mask(folder / "test/c.png", 24)
    draw_mask(folder / "train/a.png", 24)
    (folder / "readme.md").write_text("corrected\n")
    words = ("add", folder, "--to", NAME, "--replace", "masks", "--json")
    outcome = sceneset(*words, cwd=registry)
    assert outcome.code == 1
    errors = [p for p in outcome.json["problems"] if p["severity"] == "error"]
    found = {p["file"]: (p["code"], p["message"]) for p in errors}
    assert found["b.png"] == ("sample-unknown", "can belong to train/b or val/b")
    assert found["z.png"][1] == "belongs to no sample: the subset has none called 'z'"
    assert found["test/c.png"][1] == "belongs to no sample: 'c' is in train"
    assert found["train/a.png"] == ("stem-duplicate", "is a second file for train/a, beside a.png")
    assert found["readme.md"][0] == "stray-file"
    assert len(found) == 5, "x is in val alone"
    left = tmp_path / "left"
    outcome = sceneset(*words, "--quarantine", left, "--dry-run", cwd=registry)
    assert (outcome.code, outcome.json["samples"], outcome.json["left_out"]) == (0, 1, 5)


@pytest.mark.faults
def test_images_are_replaced_if_their_size_fits_the_mask(
    added: Path, tmp_path: Path, sceneset: Run
) -> None:
    folder = tmp_path / "images"
    write_image(folder / "img_dir/train/a.jpg", 301)
    data = bytearray((added / DATA / "img_dir/train/b.jpg").read_bytes())
    data[14:18] = b"\0\x60\0\x60"  # the resolution in dots per inch: the same pixels
    (folder / "img_dir/train/b.jpg").write_bytes(data)
    write_image(folder / "img_dir/train/c.jpg", 303, (40, 24))
    before = hashes(added)
    words = ("add", folder, "--to", NAME, "--replace")
    outcome = sceneset(*words, "images", cwd=added)
    assert outcome.code == 1
    assert "img_dir/train/c.jpg: the mask is 32 x 24, its image 40 x 24" in outcome.err
    assert hashes(added) == before
    draw_mask(folder / "ann_dir/train/c.png", 24, size=(40, 24))
    only_copy = Blobs(added).path(before["a"][0])
    only_copy.unlink()
    outcome = sceneset(*words, "both", "--samples", cwd=added)
    assert outcome.code == 0, outcome.err
    assert only_copy.is_file(), "the replaced file of the working tree was the only copy"
    after = hashes(added)
    assert [stem for stem in "abcd" if after[stem][0] != before[stem][0]] == ["a", "c"]
    assert [stem for stem in "abcd" if after[stem][1] != before[stem][1]] == ["c"]
    assert {row.reason for row in read_lineage(Catalog(added).paths, NAME)} == {"replace both"}
    assert sceneset("diff", "HEAD", "--json", cwd=added).json["counts"]["image"] == 2
    assert dvc(added, "status", "--quiet", check=False).code == 0


@pytest.mark.faults
def test_masks_of_an_annotation_format_are_drawn_and_compared(
    added: Path, tmp_path: Path, sceneset: Run
) -> None:
    assert sceneset("export", "coco", "ski", "--to", tmp_path / "coco", cwd=added).code == 0
    words = ("add", tmp_path / "coco", "--to", NAME, "--replace", "masks", "--json")
    outcome = sceneset(*words, cwd=added)
    assert outcome.code == 0, outcome.err
    assert (outcome.json["samples"], outcome.json["unchanged"]) == (0, 4)


def test_a_mask_with_wrong_values_is_refused(
    added: Path, corrected: Path, tmp_path: Path, sceneset: Run
) -> None:
    write_mask(corrected / "ann_dir/train/a.png", person=7)
    write_mask(corrected / "ann_dir/train/c.png", person=255)  # means that nobody is there
    before = snapshot(added)
    words = ("add", corrected, "--to", NAME, "--replace", "masks", "--json")
    outcome = sceneset(*words, cwd=added)
    assert outcome.code == 1
    errors = [p for p in outcome.json["problems"] if p["severity"] == "error"]
    assert [(p["code"], p["stem"], p["file"]) for p in errors] == [
        ("mask-values", "a", "ann_dir/train/a.png")
    ]
    assert snapshot(added) == before
    words = (*words, "--quarantine", tmp_path / "left", "--dry-run")
    outcome = sceneset(*words, cwd=added)
    assert (outcome.code, outcome.json["samples"]) == (0, 2), outcome.err
    assert not (tmp_path / "left").exists()


def test_an_edited_file_of_the_working_tree_is_not_overwritten(
    added: Path, corrected: Path, sceneset: Run
) -> None:
    mine = draw_mask(added / DATA / "ann_dir/train/a.png", 20)
    before = snapshot(added)
    outcome = sceneset("add", corrected, "--to", NAME, "--replace", "masks", cwd=added)
    assert outcome.code == 1
    assert "differs from the file that was scanned" in outcome.err
    assert snapshot(added) == before
    assert mine.is_file()


@pytest.mark.faults
def test_only_files_of_changed_samples_are_fetched(
    added: Path, corrected: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Counted on a real S3 server: old masks of those that differ, and images of those that change.

    b has another file with the same pixels: its mask must be compared, its image is not needed.
    """
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with s3_server("moto", tmp_path / "s3") as server:
        remote = ("remote", f"s3://{BUCKET}/people", "--endpoint", server.url, "--no-check")
        assert sceneset(*remote, cwd=added).code == 0
        git(added, "commit", "--quiet", "--all", "--message", "A remote")
        dvc(added, "push")
        clone = tmp_path / "clone"
        git(added, "clone", "--quiet", ".", str(clone))
        old = hashes(clone)
        words = ("add", corrected, "--to", NAME, "--replace", "masks")
        outcome = sceneset(*words, cwd=clone)
        assert outcome.code == 0, outcome.err
        read = [path.partition("?")[0].replace("/", "")[-32:] for path in server.requests("GET")]
        fetched = Counter(md5 for md5 in read if md5 in {m for pair in old.values() for m in pair})
        assert fetched.keys() == {old["a"][0], old["d"][0], old["a"][1]}, "all share one old mask"
        assert fetched[old["a"][0]] == fetched[old["d"][0]] == 1
        cached = {path.parent.name + path.name for path in (clone / ".dvc/cache").rglob("??/*")}
        new = hashes(clone)
        assert {name for name in cached if not name.endswith(".dir")} == {new["a"][1], new["d"][1]}
        sent = len(server.requests("PUT"))
        dvc(clone, "push")
        assert len(server.requests("PUT")[sent:]) == 2 + 1, "two masks and a listing"
