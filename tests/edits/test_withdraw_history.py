"""`sceneset forget` finds every file that a picture has had: before fixes, renames and moves."""

import io
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from sceneset.catalog.lineage import read_lineage
from sceneset.catalog.orientations import all_orientations
from sceneset.imaging.perceptual_hash import hash_pixels
from sceneset.paths import Paths
from sceneset.storage.files import md5_of
from support.build import NAME, Outcome, Run, dvc, git, make_delivery, write_mask
from support.rule_breaks import exif

DATA = f"Insta360SemanticSeg/{NAME}"
REASON = ("--reason", "case 9")
SIDE = (120, 90)


def portrait() -> Image.Image:
    """Draw the picture as it is shown, upright."""
    low = np.random.default_rng(9).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    return Image.fromarray(low).resize((90, 120), Image.Resampling.BICUBIC)


def save_turned(path: Path, *, gps: str = "N", quality: int = 92) -> None:
    """Save the portrait turned, with the orientation and a position in EXIF, as phones do."""
    stored = portrait().transpose(Image.Transpose.ROTATE_90)  # orientation 6 turns it back
    stored.save(path, quality=quality, exif=exif(orientation=6, gps=gps))


def write_portrait(folder: Path, stem: str = "p") -> None:
    save_turned(folder / f"img_dir/train/{stem}.jpg")
    write_mask(folder / f"ann_dir/train/{stem}.png", SIDE, ignore=True)


@pytest.fixture
def home(registry: Path, tmp_path: Path, sceneset: Run) -> Path:
    """A registry with a remote and a subset that holds the portrait ``p`` and other images."""
    store = tmp_path / "store"
    dvc(registry, "remote", "add", "--default", "store", str(store))
    folder = make_delivery(
        tmp_path / "delivery", {"ski.txt": ["a", "b", "p"]}, train=("a", "b", "p")
    )
    write_portrait(folder)
    assert sceneset("add", folder, "--name", NAME, cwd=registry).code == 0
    save(registry, "Add")
    return registry


def save(root: Path, message: str) -> None:
    """Run the pipeline, commit, and push the blobs."""
    for folder in ("img_dir", "ann_dir"):
        dvc(root, "add", "--quiet", f"{DATA}/{folder}")
    dvc(root, "repro", "--quiet")
    commit(root, message)


def commit(root: Path, message: str) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", message)
    dvc(root, "push", "--quiet")


def rename(root: Path, old: str, new: str) -> None:
    """Give a sample, written as phase/stem, another name and phase."""
    for folder, suffix in (("img_dir", ".jpg"), ("ann_dir", ".png")):
        target = root / DATA / folder / f"{new}{suffix}"
        target.parent.mkdir(exist_ok=True)
        (root / DATA / folder / f"{old}{suffix}").rename(target)
    tags = root / f"registry/tags/{NAME}.csv"
    text = tags.read_text()
    assert f"{old.replace('/', ',')}," in text
    tags.write_text(text.replace(f"{old.replace('/', ',')},", f"{new.replace('/', ',')},"))


def files_of(root: Path, sceneset: Run, stem: str) -> set[str]:
    """Return the hashes of image and mask of a sample."""
    samples = sceneset("lookup", "--samples", "--json", cwd=root).json
    [found] = [sample for sample in samples if sample["stem"] == stem]
    return {found["image_md5"], found["mask_md5"]}


def contents(*folders: Path) -> Iterator[tuple[Path, bytes]]:
    """Yield every file below some folders, and every git object as its content."""
    for folder in folders:
        for base, _, names in os.walk(folder):
            for name in names:
                path = Path(base, name)
                data = path.read_bytes()
                yield path, data
                if path.parent.parent.name == "objects" and len(name) == 38:
                    yield path, zlib.decompress(data).partition(b"\0")[2]


def looks_like_portrait(data: bytes) -> bool:
    known = hash_pixels(np.asarray(portrait()))
    try:
        with Image.open(io.BytesIO(data)) as image:
            found = hash_pixels(np.asarray(image.convert("RGB"))).phash
    except (UnidentifiedImageError, OSError):
        return False
    values = all_orientations(known.phash, known.mirror)
    return any((value ^ found).bit_count() <= 8 for value in values)


def release(root: Path, number: str, sceneset: Run) -> None:
    outcome = sceneset("release", number, cwd=root)
    assert outcome.code == 0, outcome.err


def test_no_byte_of_a_portrait_is_left_after_it_was_fixed_renamed_moved_and_forgotten(
    home: Path, tmp_path: Path, sceneset: Run
) -> None:
    files = files_of(home, sceneset, "p")
    release(home, "1.0.0", sceneset)
    assert sceneset("fix", NAME, "--apply", cwd=home).code == 0
    commit(home, "Fix")
    files |= files_of(home, sceneset, "p")
    release(home, "2.0.0", sceneset)
    # A commit that no version and no branch ends with: another mask, and a file without lineage.
    write_mask(home / DATA / "ann_dir/train/p.png", SIDE[::-1])
    with Image.open(home / DATA / "img_dir/train/p.jpg") as image:
        image.load()
    image.save(home / DATA / "img_dir/train/p.jpg", quality=60)
    save(home, "Compress")
    files |= files_of(home, sceneset, "p")
    git(home, "branch", "side")
    rename(home, "train/p", "train/q")
    save(home, "Rename")
    rename(home, "train/q", "val/q")
    save(home, "Move")
    release(home, "3.0.0", sceneset)
    files |= files_of(home, sceneset, "q")
    assert len(files) == 6, "three images and three masks"
    assert sceneset("pull", "ski", "--rev", "1.0.0", "--to", tmp_path / "old", cwd=home).code == 0

    outcome = sceneset("forget", f"{NAME}/val/q", *REASON, "--purge", "--json", cwd=home)
    assert outcome.code == 0, outcome.err
    found = outcome.json
    assert {sample["version"] for sample in found["found"]} >= {None, "1.0.0", "2.0.0", "3.0.0"}
    assert set(found["purged"]) == files
    assert {sample["how"] for sample in found["found"]} > {"named"}
    assert {one["image"] for one in found["forgotten"]} == files & {
        sample["image_md5"] for sample in found["found"]
    }
    assert len(found["forgotten"]) == 3
    assert (found["near"], found["unread"], found["namesakes"]) == ([], [], [])
    commit(home, "Withdraw")

    for number in ("1.0.0", "2.0.0", "3.0.0", "side", "HEAD"):
        to = tmp_path / f"out-{number}"
        done = sceneset("pull", "ski", "--rev", number, "--to", to, "--json", cwd=home)
        assert (done.code, done.json["bad"]) == (0, {}), done.err
        assert {path.stem for path in to.glob("*/img_dir/*/*")} == {"a", "b"}, number
    places = [home, tmp_path / "store", Path(os.environ["SCENESET_CACHE_DIR"])]
    places += tmp_path.glob("out-*")
    checked = 0
    for path, data in contents(*places):
        checked += 1
        assert md5_of(data) not in files, path
        assert not looks_like_portrait(data), path
    assert checked > 50
    assert looks_like_portrait((tmp_path / f"old/{NAME}/img_dir/train/p.jpg").read_bytes())


def test_fix_records_the_lineage_of_each_sample_that_it_changes(home: Path, sceneset: Run) -> None:
    old = files_of(home, sceneset, "p")
    assert sceneset("fix", NAME, "--apply", cwd=home).code == 0
    [row] = read_lineage(Paths(home), NAME)
    assert {row.image_md5, row.mask_md5} == old
    assert {row.new_image_md5, row.new_mask_md5} == files_of(home, sceneset, "p")
    assert (row.phase, row.stem, row.new_stem) == ("train", "p", "p")
    assert row.reason == "fix: image-gps image-orientation"
    assert sceneset("check", "--json", cwd=home).code == 0
    (home / f"registry/lineage/{NAME}.csv").write_text("<<<<<<< HEAD\n")
    outcome = sceneset("check", "--json", cwd=home)
    assert outcome.code == 1
    assert f"registry/lineage/{NAME}.csv" in {found["file"] for found in outcome.json}
    # The manifest describes a state, not how it came to be.
    assert "lineage" not in (home / "registry/manifest.json").read_text()


def test_forget_finds_the_later_file_when_the_one_before_fix_is_named(
    home: Path, tmp_path: Path, sceneset: Run
) -> None:
    delivered = tmp_path / "delivery/img_dir/train/p.jpg"
    assert sceneset("fix", NAME, "--apply", cwd=home).code == 0
    commit(home, "Fix")
    for word in (delivered, md5_of(delivered.read_bytes())):
        found = sceneset("forget", word, *REASON, "--dry-run", "--json", cwd=home).json
        current = [sample for sample in found["found"] if not sample["version"]]
        assert [(sample["stem"], sample["how"]) for sample in current] == [("p", "lineage")]


def test_forget_says_which_files_of_which_versions_it_found(home: Path, sceneset: Run) -> None:
    release(home, "1.0.0", sceneset)
    assert sceneset("fix", NAME, "--apply", cwd=home).code == 0
    commit(home, "Fix")
    outcome = sceneset("forget", f"{NAME}/train/p", *REASON, "--dry-run", cwd=home)
    assert outcome.code == 0, outcome.err
    assert "1.0.0" in outcome.out
    assert "lineage" in outcome.out
    assert "found 2 image files in 1.0.0, the current state" in outcome.err


def test_forget_leaves_another_picture_when_it_had_the_same_name(home: Path, sceneset: Run) -> None:
    release(home, "1.0.0", sceneset)
    low = np.random.default_rng(77).integers(0, 256, (5, 4, 3), dtype=np.uint8)
    other = Image.fromarray(low).resize(SIDE, Image.Resampling.BICUBIC)
    other.save(home / DATA / "img_dir/train/p.jpg", quality=90)
    save(home, "Another picture")
    found: Outcome = sceneset("forget", f"{NAME}/train/p", *REASON, "--dry-run", "--json", cwd=home)
    assert {sample["version"] for sample in found.json["found"]} == {None}
    assert [sample["version"] for sample in found.json["namesakes"]] == ["1.0.0"]
    shown = sceneset("forget", f"{NAME}/train/p", *REASON, "--dry-run", cwd=home)
    assert "look different; they stay" in shown.err


def test_forget_lists_a_turned_copy_as_a_look_alike(
    home: Path, tmp_path: Path, sceneset: Run
) -> None:
    name = NAME.replace("web", "more")
    folder = make_delivery(tmp_path / "more", {"sea.txt": ["x"]}, train=("x",))
    upside_down = portrait().transpose(Image.Transpose.ROTATE_180)
    upside_down.save(folder / "img_dir/train/x.jpg", quality=80)
    write_mask(folder / "ann_dir/train/x.png", (90, 120))
    assert sceneset("add", folder, "--name", name, cwd=home).code == 0
    found = sceneset("forget", f"{NAME}/train/p", *REASON, "--dry-run", "--json", cwd=home).json
    assert [sample["stem"] for sample in found["near"]] == ["x"]


def test_forget_finds_the_same_pixels_when_only_metadata_differs(
    home: Path, tmp_path: Path, sceneset: Run
) -> None:
    name = NAME.replace("web", "more")
    folder = make_delivery(tmp_path / "more", {"sea.txt": ["x", "y"]}, train=("x", "y"))
    save_turned(folder / "img_dir/train/x.jpg", gps="S")
    write_mask(folder / "ann_dir/train/x.png", SIDE)
    assert sceneset("add", folder, "--name", name, cwd=home).code == 0
    found = sceneset("forget", f"{NAME}/train/p", *REASON, "--dry-run", "--json", cwd=home).json
    assert {
        sample["stem"]: sample["how"] for sample in found["found"] if not sample["version"]
    } == {
        "p": "named",
        "x": "same pixels",
    }


def test_add_refuses_a_withdrawn_picture_when_its_metadata_differs(
    home: Path, tmp_path: Path, sceneset: Run
) -> None:
    assert sceneset("forget", f"{NAME}/train/p", *REASON, cwd=home).code == 0
    folder = make_delivery(tmp_path / "again", {"sea.txt": ["x", "y"]}, train=("x", "y"))
    save_turned(folder / "img_dir/train/x.jpg", gps="S")
    write_mask(folder / "ann_dir/train/x.png", SIDE)
    outcome = sceneset("add", folder, "--name", NAME.replace("web", "again"), "--json", cwd=home)
    assert ("forgotten", "x") in {(p["code"], p["stem"]) for p in outcome.json["problems"]}


def test_forget_says_that_a_shallow_clone_was_not_searched(
    home: Path, tmp_path: Path, sceneset: Run
) -> None:
    git(tmp_path, "clone", "--quiet", "--depth=1", f"file://{home}", "shallow")
    words = ("forget", f"{NAME}/train/p", *REASON, "--dry-run", "--json")
    assert not any("shallow" in why for why in sceneset(*words, cwd=home).json["unread"])
    unread = sceneset(*words, cwd=tmp_path / "shallow").json["unread"]
    assert any("git fetch --unshallow" in why for why in unread)


def test_forget_finds_files_of_a_side_that_a_merge_dropped(home: Path, sceneset: Run) -> None:
    git(home, "checkout", "--quiet", "-b", "side")
    assert sceneset("fix", NAME, "--apply", cwd=home).code == 0
    dropped = files_of(home, sceneset, "p")
    save(home, "Fix")
    git(home, "checkout", "--quiet", "-")
    kept = files_of(home, sceneset, "p")
    assert dropped != kept
    git(home, "merge", "--quiet", "--strategy=ours", "--message", "Keep ours", "side")
    git(home, "branch", "--quiet", "-D", "side")
    words = ("forget", f"{NAME}/train/p", *REASON, "--dry-run", "--json")
    found = sceneset(*words, cwd=home).json["found"]
    hashes = {sample[name] for sample in found for name in ("image_md5", "mask_md5")}
    assert hashes >= kept | dropped
