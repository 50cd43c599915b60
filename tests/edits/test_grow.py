"""`sceneset add --to`: more samples in a subset that exists, without any blob of the others."""

import json
import shutil
from pathlib import Path

import pytest
from PIL import Image

from sceneset.catalog.reader import Catalog
from support.build import NAME, Run, dvc, git, make_delivery, snapshot, write_image, write_mask

DATA = f"Insta360SemanticSeg/{NAME}"
SCAN = f"registry/scans/{NAME}.parquet"


@pytest.fixture
def more(tmp_path: Path) -> Path:
    """A delivery of two more samples, one of them in a scene that the subset does not have."""
    folder = make_delivery(
        tmp_path / "more", train=("m", "n"), splits={"total.txt": "mn", "city.txt": "m"}
    )
    for seed, stem in enumerate("mn", 90):
        write_image(folder / f"img_dir/train/{stem}.jpg", seed)
    return folder


def stems(root: Path) -> list[str]:
    return [tag.stem for tag in Catalog(root).tags(NAME)]


def test_samples_are_added_with_tags_rows_files_and_a_current_pipeline(
    added: Path, more: Path, sceneset: Run
) -> None:
    before = Catalog(added).entry(NAME)
    outcome = sceneset("add", more, "--to", "web", cwd=added)
    assert outcome.code == 0, outcome.err
    assert f"2 samples were added to {NAME}" in outcome.err
    after = Catalog(added).entry(NAME)
    assert stems(added) == ["a", "b", "c", "d", "m", "n"]
    assert [row.file for row in after.splits] == [
        "total.txt", "city.txt", "ski.txt", "ski_muiltiperson.txt"
    ]  # fmt: skip
    assert (after.description, after.provenance) == (before.description, before.provenance)
    assert (added / DATA / "split_dir/city.txt").read_text() == "m\n"
    for path in ("img_dir/train/m.jpg", "ann_dir/train/n.png"):
        assert (added / DATA / path).read_bytes() == (more / path).read_bytes()
    assert dvc(added, "status", "--quiet", check=False).code == 0
    assert sceneset("check", cwd=added).code == 0
    scan = (added / SCAN).read_bytes()
    dvc(added, "repro", "--force", "--single-item", f"scan@{NAME}")
    assert (added / SCAN).read_bytes() == scan, "a scan of all files gives the same bytes"


@pytest.mark.faults
def test_a_dry_run_shows_what_diff_shows_afterwards(added: Path, more: Path, sceneset: Run) -> None:
    cache = snapshot(added / ".dvc/cache")
    words = ("add", more, "--to", NAME, "--samples", "--json")
    planned = sceneset(*words, "--dry-run", cwd=added)
    assert planned.code == 0, planned.err
    assert (planned.json["taken"], planned.json["samples"]) == (False, 2)
    assert git(added, "status", "--porcelain") == ""
    assert snapshot(added / ".dvc/cache") == cache
    assert sceneset(*words, cwd=added).json["taken"] is True
    made = sceneset("diff", "HEAD", "--samples", "--json", cwd=added).json
    assert made["samples"] == planned.json["changes"]
    assert made["counts"] == planned.json["counts"]


@pytest.mark.faults
def test_names_that_exist_are_refused_and_left_out_with_quarantine(
    added: Path, more: Path, sceneset: Run, tmp_path: Path
) -> None:
    for folder, suffix in (("img_dir", ".jpg"), ("ann_dir", ".png")):
        source = added / DATA / folder / "train"
        shutil.copy(source / f"a{suffix}", more / folder / "train")
        shutil.copy(source / f"b{suffix}", more / folder / "train/C.x".replace("C.x", f"C{suffix}"))
    (more / "split_dir/total.txt").write_text("C\na\nm\nn\n")
    before = snapshot(added)
    outcome = sceneset("add", more, "--to", NAME, "--json", cwd=added)
    assert outcome.code == 1
    found = {p["stem"]: p["message"] for p in outcome.json["problems"] if p["severity"] == "error"}
    assert found["a"] == "is in the subset already, with the same files"
    assert "'c', which the subset has, in case or normal form alone" in found["C"]
    assert snapshot(added) == before
    left = tmp_path / "left"
    earlier = "code,file,row,phase,stem,message,hint\nmask-missing,x.jpg,,train,x,no mask,\n"
    left.mkdir()
    (left / f"{NAME}.csv").write_text(earlier)
    outcome = sceneset("add", more, "--to", NAME, "--quarantine", left, cwd=added)
    assert outcome.code == 0, outcome.err
    assert stems(added) == ["a", "b", "c", "d", "m", "n"]
    text = (left / f"{NAME}.csv").read_text()
    assert text.startswith(earlier), "an earlier list is kept"
    assert text.count("sample-exists") == 2


def test_an_error_of_the_changed_registry_refuses_the_samples(
    added: Path, tmp_path: Path, sceneset: Run
) -> None:
    """A picture of train comes again in val: no check of the delivery alone can see it."""
    leak = make_delivery(tmp_path / "leak", train=(), val=("z",), splits={"val.txt": "z"})
    shutil.copy(added / DATA / "img_dir/train/a.jpg", leak / "img_dir/val/z.jpg")
    before = snapshot(added), snapshot(added / ".dvc/cache")
    for words, code in ((("--dry-run",), 1), ((), 1)):
        outcome = sceneset("add", leak, "--to", NAME, *words, cwd=added)
        assert outcome.code == code, outcome.err
        assert "leak" in outcome.err
        assert (snapshot(added), snapshot(added / ".dvc/cache")) == before
    words = ("add", leak, "--to", NAME, "--quarantine", tmp_path / "left", "--dry-run", "--json")
    assert sceneset(*words, cwd=added).code == 1, "no sample is left"
    write_image(leak / "img_dir/val/y.jpg", 95)
    write_mask(leak / "ann_dir/val/y.png")
    (leak / "split_dir/val.txt").write_text("y\nz\n")
    outcome = sceneset(*words, cwd=added)
    assert (outcome.code, outcome.json["samples"], outcome.json["left_out"]) == (0, 1, 1)
    assert "leak" in {p["code"].partition("-")[0] for p in outcome.json["problems"]}


@pytest.mark.faults
def test_a_clone_without_blobs_gets_the_new_ones_into_its_cache_alone(
    ready: Path, more: Path, sceneset: Run, tmp_path: Path
) -> None:
    clone = ready.parent / "clone"
    git(ready, "clone", "--quiet", ".", str(clone))
    outcome = sceneset("add", more, "--to", NAME, cwd=clone)
    assert outcome.code == 0, outcome.err
    assert not (clone / DATA / "img_dir").exists()
    cached = {path.suffix for path in (clone / ".dvc/cache/files/md5").glob("*/*")}
    assert cached == {"", ".dir"}
    assert len(list((clone / ".dvc/cache/files/md5").glob("*/*"))) == 2 + 1 + 2
    dvc(clone, "push")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "More")
    second = ready.parent / "second"
    git(clone, "clone", "--quiet", ".", str(second))
    dvc(second, "pull")
    assert (second / DATA / "img_dir/train/m.jpg").exists()
    assert (second / DATA / "img_dir/train/a.jpg").exists()
    dvc(second, "status", "--quiet")


@pytest.mark.faults
def test_a_subset_that_is_pulled_in_part_gets_the_files_of_its_folders(
    ready: Path, more: Path, sceneset: Run
) -> None:
    clone = ready.parent / "clone"
    git(ready, "clone", "--quiet", ".", str(clone))
    dvc(clone, "pull", f"{DATA}/ann_dir.dvc")
    (clone / DATA / "ann_dir/train/a.png").unlink()
    assert sceneset("add", more, "--to", NAME, cwd=clone).code == 0
    assert sorted(path.name for path in (clone / DATA / "ann_dir/train").iterdir()) == [
        "b.png", "c.png", "d.png", "m.png", "n.png"
    ]  # fmt: skip
    assert not (clone / DATA / "img_dir").exists()


def test_a_file_in_the_way_is_not_overwritten(added: Path, more: Path, sceneset: Run) -> None:
    target = added / DATA / "img_dir/train/m.jpg"
    target.write_bytes(b"mine")
    outcome = sceneset("add", more, "--to", NAME, cwd=added)
    assert outcome.code == 1
    assert "img_dir/train/m.jpg" in outcome.err
    assert target.read_bytes() == b"mine"
    assert stems(added) == ["a", "b", "c", "d"]


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
@pytest.mark.faults
def test_an_annotation_format_is_read_and_its_origins_are_recorded(
    suffix: str, added: Path, sceneset: Run, tmp_path: Path
) -> None:
    """Twice, so that the record of deliveries exists the second time."""
    folder = tmp_path / "coco"
    for number, stem in enumerate("pq"):
        (delivery := folder / stem).mkdir(parents=True)
        write_image(delivery / f"images/{stem}{suffix}", 200 + number)
        box = [8, 6, 24, 6, 24, 18, 8, 18]
        annotation = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": [box]}
        annotation |= {"bbox": [8, 6, 16, 12], "area": 192, "iscrowd": 0}
        image = {"id": 1, "file_name": f"{stem}{suffix}", "width": 32, "height": 24}
        categories = [{"id": 1, "name": "person"}]
        data = {"images": [image], "annotations": [annotation], "categories": categories}
        (delivery / "instances_train.json").write_text(json.dumps(data))
        outcome = sceneset("add", delivery, "--to", NAME, cwd=added)
        if suffix == ".png":
            assert outcome.code == 1
            assert "images of the subset are .jpg" in outcome.err
        else:
            assert outcome.code == 0, outcome.err
    if suffix == ".jpg":
        lines = (added / f"registry/deliveries/{NAME}.csv").read_text().splitlines()
        assert [line.split(",")[1] for line in lines] == ["stem", "p", "q"]
        assert stems(added)[-2:] == ["p", "q"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--to", "nowhere"), "no subset is called"),
        (("--to", NAME, "--name", NAME), "not allowed with"),
        (("--to", NAME, "--kind", "crop"), "is of the kind full"),
        (("--to", NAME, "--entry", "entry.yaml"), "has its entry in registry/subsets"),
        (("--name", f"{NAME}2", "--replace", "masks"), "--replace needs --to"),
        ((), "one of the arguments --name --to is required"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    words: tuple[str, ...], message: str, added: Path, more: Path, sceneset: Run
) -> None:
    outcome = sceneset("add", more, *words, cwd=added)
    assert outcome.code == 2
    assert message in outcome.err
    assert git(added, "status", "--porcelain") == ""


def test_a_delivered_file_that_changes_after_the_check_is_refused(
    added: Path, more: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sceneset.edits import place_blobs

    check_space = place_blobs.check_space

    def change_first(*words: object) -> None:
        Image.new("RGB", (32, 24)).save(more / "img_dir/train/m.jpg")
        check_space(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(place_blobs, "check_space", change_first)
    before = snapshot(added)
    outcome = sceneset("add", more, "--to", NAME, cwd=added)
    assert outcome.code == 1
    assert "has changed since it was checked" in outcome.err
    assert snapshot(added) == before


@pytest.mark.faults
def test_a_delivery_of_masks_that_break_rules_is_left_out(
    added: Path, more: Path, sceneset: Run, tmp_path: Path
) -> None:
    write_mask(more / "ann_dir/train/m.png", person=7)
    assert sceneset("add", more, "--to", NAME, cwd=added).code == 1
    words = ("--quarantine", tmp_path / "left")
    assert sceneset("add", more, "--to", NAME, *words, cwd=added).code == 0
    assert stems(added) == ["a", "b", "c", "d", "n"]
