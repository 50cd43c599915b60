"""`sceneset fix`: deliveries are fixed in a copy, subsets in place as one change."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from PIL import Image

from sceneset import Registry
from sceneset.storage import transaction_finish
from support.build import (
    NAME,
    ROOT,
    SHARED,
    Outcome,
    Run,
    dvc,
    git,
    make_delivery,
    needs_shared,
    snapshot,
)
from support.policy import PROVENANCE

DATA = f"Insta360SemanticSeg/{NAME}"


def exif(**tags: object) -> bytes:
    data = Image.Exif()
    for name, value in tags.items():
        if name == "gps":
            data.get_ifd(0x8825)[1] = value
        else:
            data[{"orientation": 0x0112, "artist": 0x013B}[name]] = value
    return data.tobytes()


def save_again(path: Path, **options: object) -> None:
    """Encode an image again with other options."""
    with Image.open(path) as image:
        image.load()
    image.save(path, quality=95, **options)  # type: ignore[arg-type]


def fixed_rules(outcome: Outcome) -> dict[str, list[str]]:
    return {s["stem"]: s["done"] for s in outcome.json["samples"]}


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A delivery in which each sample breaks another rule that can be fixed."""
    folder = make_delivery(tmp_path / "d", train=("a", "b", "c", "d", "e", "clip 1.v2"))
    images, masks = folder / "img_dir/train", folder / "ann_dir/train"
    save_again(images / "a.jpg", exif=exif(gps="N", artist="Somebody"))
    save_again(images / "b.jpg", exif=exif(orientation=6))
    with Image.open(images / "c.jpg") as image:
        image.convert("L").save(images / "c.jpg", quality=95)
    with Image.open(masks / "d.png") as mask:
        mask.point([0, 255, *[0] * 254]).save(masks / "d.png")
    (images / "e.jpg").rename(images / "e.JPG")
    (folder / "split_dir/ski.txt").write_text("a\nb\nclip 1.v2\n")
    return folder


FIXED = {
    "a": ["image-gps", "image-personal"],
    "b": ["image-orientation"],
    "c": ["image-mode"],
    "d": ["mask-0-255"],
    "e": ["suffix"],
    "clip 1.v2": ["name-dot", "name-space"],
}
MAP = ("--map", "255=1")
"""The other masks of the delivery use 1, so the meaning of 255 must be given."""


def test_rerun_of_an_interrupted_fix_says_what_it_completed(
    broken: Path, ready: Path, sceneset: Run
) -> None:
    image = ready / f"{DATA}/img_dir/train/a.jpg"
    save_again(image, exif=exif(gps="N"))
    dvc(ready, "add", f"{DATA}/img_dir")
    dvc(ready, "repro", check=False)
    program = ROOT / "tests/programs/kill_command.py"
    point = "after sceneset.storage.transaction write_record 1"
    words = ("fix", "web", "--apply", "--rule", "image-gps")
    done = subprocess.run([sys.executable, str(program), point, *words], cwd=ready, check=False)
    assert done.returncode == -signal.SIGKILL
    scan = sceneset("scan", "web", cwd=ready)
    assert scan.code == 1, "half of the files may be replaced"
    assert "`sceneset fix` was interrupted while it replaced files" in scan.err
    outcome = sceneset(*words, cwd=ready)
    assert outcome.code == 0, outcome.err
    assert "nothing was changed" not in outcome.err
    assert f"was finished: {NAME}" in outcome.err
    assert "files were written" in outcome.err
    assert "Next: git add" in outcome.err
    with Image.open(image) as fixed:
        assert not fixed.getexif().get_ifd(0x8825)
    assert sceneset("scan", "web", cwd=ready).code == 0


def test_fix_writes_nothing_when_no_destination_is_given(broken: Path, sceneset: Run) -> None:
    before = snapshot(broken.parent)
    outcome = sceneset("fix", broken, *MAP, "--json", cwd=broken.parent)
    assert outcome.code == 0, outcome.err
    assert (outcome.json["changed"], fixed_rules(outcome)) == (False, FIXED)
    shown = sceneset("fix", broken, *MAP, cwd=broken.parent)
    assert "6 samples would be fixed" in shown.err
    assert "clip_1_v2" in shown.out
    assert snapshot(broken.parent) == before


def test_fixed_copy_of_a_delivery_can_be_added(
    broken: Path, registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    before, to = snapshot(broken), tmp_path / "fixed"
    assert sceneset("add", broken, "--name", NAME, "--dry-run", cwd=registry).code == 1
    outcome = sceneset("fix", broken, *MAP, "--to", to, "--json", cwd=registry)
    assert outcome.code == 0, outcome.err
    assert (outcome.json["changed"], fixed_rules(outcome)) == (True, FIXED)
    assert snapshot(broken) == before, "a delivery is never changed"
    assert sceneset("fix", to, "--json", cwd=registry).json["samples"] == []
    taken = sceneset("add", to, "--name", NAME, "--json", cwd=registry)
    assert taken.json["taken"], taken.out
    reported = {p["code"] for p in taken.json["problems"]}
    assert not {code for codes in FIXED.values() for code in codes} & reported
    assert (to / "split_dir/ski.txt").read_text() == "a\nb\nclip_1_v2\n"
    for stem in "abcde":
        assert simplejpeg.decode_jpeg((to / f"img_dir/train/{stem}.jpg").read_bytes()).shape[2] == 3
    with (
        Image.open(to / "img_dir/train/b.jpg") as image,
        Image.open(to / "ann_dir/train/b.png") as m,
    ):
        assert image.size == m.size == (24, 32), "image and mask are both rotated"
    with Image.open(to / "ann_dir/train/d.png") as mask:
        assert set(np.unique(np.asarray(mask))) == {0, 1}


def test_fix_is_refused_when_its_arguments_make_no_sense(broken: Path, sceneset: Run) -> None:
    for to in (broken / "inside", broken):
        assert sceneset("fix", broken, "--to", to, cwd=broken.parent).code == 2
    assert sceneset("fix", broken, "--apply", cwd=broken.parent).code == 2
    assert sceneset("fix", broken, "--rule", "mask-empty", cwd=broken.parent).code == 2
    assert sceneset("fix", broken.parent, cwd=broken.parent).code == 2


def test_fix_applies_one_rule_when_it_is_named(broken: Path, sceneset: Run) -> None:
    command = ("fix", broken, *MAP, "--rule", "mask-0-255", "--json")
    outcome = sceneset(*command, cwd=broken.parent)
    assert fixed_rules(outcome) == {"d": ["mask-0-255"]}


def test_fix_reports_what_has_more_than_one_right_answer(tmp_path: Path, sceneset: Run) -> None:
    folder = make_delivery(tmp_path / "d", train=("a", "b", "x y", "x_y"))
    save_again(folder / "img_dir/train/a.jpg", exif=exif(orientation=3))
    with Image.open(folder / "img_dir/train/b.jpg") as image:
        image.convert("CMYK").save(folder / "img_dir/train/b.jpg")
    found = sceneset("fix", folder, "--json", cwd=tmp_path).json["samples"]
    left = {s["stem"]: [x["rule"] for x in s["left"]] for s in found}
    assert left == {"a": ["image-orientation"], "b": ["image-mode"], "x y": ["name-space"]}
    [rotated] = [s for s in found if s["stem"] == "a"]
    assert "--masks" in rotated["left"][0]["why"]
    for frame, changed in (("stored", True), ("shown", False)):
        to = tmp_path / frame
        code = sceneset("fix", folder, "--masks", frame, "--to", to, cwd=tmp_path).code
        assert code == 1, "the other two samples are left"
        masks = [(f / "ann_dir/train/a.png").read_bytes() for f in (folder, to)]
        with Image.open(to / "img_dir/train/a.jpg") as image:
            assert image.getexif().get(0x0112, 1) == 1
        assert (
            np.asarray(Image.open(to / "ann_dir/train/a.png")).tobytes()
            != np.asarray(Image.open(folder / "ann_dir/train/a.png")).tobytes()
        ) == changed, masks


@pytest.mark.parametrize("point", ["before", "after"])
def test_fix_leaves_no_partial_copy_when_it_is_killed(
    point: str, broken: Path, tmp_path: Path, sceneset: Run
) -> None:
    to, program = tmp_path / "fixed # 1", ROOT / "tests/programs/kill_fix.py"
    command = [sys.executable, str(program), point, str(broken), str(to)]
    done = subprocess.run(command, cwd=tmp_path, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not to.exists()
    assert list(tmp_path.glob(".*part")), "it was killed within the copy"
    outcome = sceneset("fix", broken, "--to", to, cwd=tmp_path)
    assert outcome.code == 0
    assert f"sceneset add '{to}' --name" in outcome.err
    assert (to / "split_dir/total.txt").exists()
    assert not list(tmp_path.glob(".*part"))


@pytest.fixture
def imperfect(registry: Path, tmp_path: Path, sceneset: Run) -> Path:
    """A registry with a subset in which four samples can be fixed."""
    folder = make_delivery(tmp_path / "d", train=("a", "b", "c", "clip 1", "e"))
    images = folder / "img_dir/train"
    save_again(images / "a.jpg", exif=exif(gps="N"))
    save_again(images / "b.jpg", exif=exif(orientation=6))
    with Image.open(images / "c.jpg") as image:
        image.convert("L").save(images / "c.jpg", quality=95)
    outcome = sceneset("add", folder, "--name", NAME, cwd=registry)
    assert outcome.code == 0, outcome.err
    dvc(registry, "remote", "add", "--default", "store", "../store")
    dvc(registry, "repro")
    git(registry, "add", "--all")
    git(registry, "commit", "--quiet", "--message", "A subset")
    dvc(registry, "push")
    return registry


def check_fixed(root: Path, sceneset: Run) -> None:
    findings = sceneset("check", "--json", cwd=root).json
    assert not {p["code"] for p in findings} & {
        "image-gps", "image-orientation", "image-mode", "name-space",
    }  # fmt: skip
    assert sceneset("fix", "web", "--json", cwd=root).json["samples"] == []
    stems = sceneset("lookup", "ski", "--stems", cwd=root).out.split()
    assert "clip_1" in stems or "clip_1" in (root / f"registry/tags/{NAME}.csv").read_text()
    row = {r["stem"]: r for r in Registry.open(root).scan(NAME).to_pylist()}
    assert (row["b"]["width"], row["b"]["height"], row["b"]["orientation"]) == (24, 32, 1)
    assert row["c"]["mode"] == "RGB"


def test_fix_changes_a_subset_in_place(imperfect: Path, sceneset: Run) -> None:
    before = snapshot(imperfect)
    shown = sceneset("fix", "web", "--json", cwd=imperfect)
    assert (shown.code, shown.json["changed"], len(shown.json["samples"])) == (0, False, 4)
    assert snapshot(imperfect) == before
    outcome = sceneset("fix", "web", "--apply", cwd=imperfect)
    assert outcome.code == 0, outcome.err
    check_fixed(imperfect, sceneset)
    # For dvc and git it is one complete change: nothing is out of date, nothing is lost.
    assert dvc(imperfect, "status", "-q", check=False).code == 0
    assert dvc(imperfect, "repro").out.count("Running stage") == 0
    images = imperfect / DATA / "img_dir/train"
    assert sorted(p.name for p in images.iterdir()) == [
        "a.jpg",
        "b.jpg",
        "c.jpg",
        "clip_1.jpg",
        "e.jpg",
    ]
    git(imperfect, "add", "--all")
    git(imperfect, "commit", "--quiet", "--message", "Fixed")
    dvc(imperfect, "push")
    shutil.rmtree(imperfect / ".dvc/cache")
    shutil.rmtree(imperfect / DATA / "img_dir")
    dvc(imperfect, "pull")
    assert len(list(images.iterdir())) == 5


def test_fix_changes_a_subset_when_its_images_are_not_checked_out(
    imperfect: Path, sceneset: Run
) -> None:
    for part in ("img_dir", "ann_dir"):
        shutil.rmtree(imperfect / DATA / part)
    outcome = sceneset("fix", "web", "--apply", cwd=imperfect)
    assert outcome.code == 0, outcome.err
    check_fixed(imperfect, sceneset)
    assert not (imperfect / DATA / "img_dir/train").exists(), "images are not checked out"
    shutil.rmtree(imperfect / ".dvc/cache")
    outcome = sceneset("fix", "web", "--rule", "suffix", cwd=imperfect)
    assert outcome.code == 0, "no sample has to be read"


def test_fix_is_refused_when_an_image_is_missing_or_differs_from_the_scan(
    imperfect: Path, sceneset: Run
) -> None:
    image = imperfect / DATA / "img_dir/train/a.jpg"
    image.chmod(0o644)
    image.write_bytes(b"an untracked change")
    before = snapshot(imperfect)
    outcome = sceneset("fix", "web", "--apply", cwd=imperfect)
    assert outcome.code == 1
    assert "differs from the file that was scanned" in outcome.err
    assert snapshot(imperfect) == before
    image.unlink()
    shutil.rmtree(imperfect / ".dvc/cache")
    outcome = sceneset("fix", "web", "--apply", cwd=imperfect)
    assert outcome.code == 1
    assert "dvc pull" in outcome.err


def test_fix_is_finished_when_it_is_run_again_after_an_interrupt(
    imperfect: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(transaction_finish, "dvc", interrupt)
        assert sceneset("fix", "web", "--apply", cwd=imperfect).code == 130
    assert "unfinished-change" in sceneset("check", cwd=imperfect).out
    assert sceneset("fix", "web", "--apply", cwd=imperfect).code == 0
    check_fixed(imperfect, sceneset)
    assert dvc(imperfect, "status", "-q", check=False).code == 0


@needs_shared
def test_fix_turns_real_photos_upright_in_all_orientations(tmp_path: Path, sceneset: Run) -> None:
    folder = tmp_path / "d"
    for part in ("img_dir/train", "ann_dir/train"):
        (folder / part).mkdir(parents=True)
    for source in sorted((SHARED / "data/hostile").glob("04*/Portrait_?.jpg")):
        shutil.copyfile(source, folder / "img_dir/train" / source.name)
        mask = np.zeros((1800, 1200), np.uint8)  # drawn on the image as it is shown
        mask[200:900, 300:700] = 1
        Image.fromarray(mask).save(folder / f"ann_dir/train/{source.stem}.png")
    outcome = sceneset("fix", folder, "--masks", "shown", "--to", tmp_path / "to", cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    shown = []
    for path in sorted((tmp_path / "to/img_dir/train").iterdir()):
        with Image.open(path) as image:
            assert (image.size, image.getexif().get(0x0112, 1)) == ((1200, 1800), 1)
            shown.append(np.asarray(image.convert("L").resize((30, 45)), np.int16))
    assert len(shown) == 8
    assert all(abs(one - shown[0]).mean() < 8 for one in shown), "all show the same image, upright"


def test_what_names_a_renamed_sample_follows(imperfect: Path, sceneset: Run) -> None:
    entry = imperfect / f"registry/subsets/{NAME}.yaml"
    exception = {"samples": ["train/clip 1"], "licence": "CC0-1.0"}
    entry.write_text(
        f"{entry.read_text()}provenance: {json.dumps({**PROVENANCE, 'exceptions': [exception]})}\n"
    )
    waivers = imperfect / "registry/waivers.yaml"
    waivers.write_text(
        f"waivers:\n- {{code: mask-coarse, subset: {NAME}, sample: train/clip 1, reason: ok,"
        " date: 2024-01-01}\n"
    )
    outcome = sceneset("fix", "web", "--apply", "--rule", "name-space", cwd=imperfect)
    assert outcome.code == 0, outcome.err
    assert "sample: train/clip_1" in waivers.read_text()
    assert "train/clip_1" in entry.read_text()
    assert "clip 1" not in entry.read_text()
