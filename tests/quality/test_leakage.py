"""Held-out images that are related to training images stop the pipeline and are reported."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from sceneset import Registry
from sceneset.catalog.reader import Catalog
from sceneset.imaging.edit import strip_personal_data
from sceneset.quality import tested_images
from sceneset.quality.leakage import find_leakage
from sceneset.quality.sample_table import read_sample_table
from sceneset.versions.history import released_test_images
from support.build import (
    NAME,
    SHARED,
    Run,
    dvc,
    git,
    make_delivery,
    needs_shared,
    write_image,
)
from support.scans import write_older_scan
from support.tabular import Drawn, write_registry

DATA = f"Insta360SemanticSeg/{NAME}"
IMAGES = f"{DATA}/img_dir"


def photo(seed: int) -> Image.Image:
    """Return a picture with structure at several scales."""
    random = np.random.default_rng(seed)
    layers = [
        np.asarray(
            Image.fromarray(random.integers(0, 256, (n, n, 3), np.uint8)).resize((160, 120), 3),
            np.float32,
        )
        for n in (3, 6, 12)
    ]
    return Image.fromarray((sum(layers) / 3).astype(np.uint8))


def deliver(folder: Path, phases: Mapping[str, Mapping[str, Image.Image]]) -> Path:
    """Write a delivery of pictures by phase and stem, each with a mask of its size."""
    for phase, pictures in phases.items():
        for part in ("img_dir", "ann_dir"):
            (folder / part / phase).mkdir(parents=True)
        for stem, picture in pictures.items():
            picture.convert("RGB").save(folder / f"img_dir/{phase}/{stem}.jpg", quality=90)
            mask = np.zeros((picture.height, picture.width), np.uint8)
            mask[picture.height // 4 :, picture.width // 4 : picture.width // 2] = 1
            Image.fromarray(mask).save(folder / f"ann_dir/{phase}/{stem}.png")
    return folder


def add_and_find_leakage(
    root: Path, delivery: Path, sceneset: Run, name: str = NAME
) -> dict[str, list[str]]:
    """Add a delivery and return the findings on leakage as "stem: message", by code."""
    outcome = sceneset("add", delivery, "--name", name, cwd=root)
    assert outcome.code == 0, outcome.err
    found: dict[str, list[str]] = {}
    for p in find_leakage(Registry.open(root)):
        found.setdefault(p.code, []).append(f"{p.stem}: {p.message}")
    return found


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "resized": lambda p: p.resize((320, 240)),
    "shrunk": lambda p: p.resize((80, 60), Image.Resampling.BOX),
    "brighter": lambda p: ImageEnhance.Brightness(p).enhance(1.3),
    "mirrored": lambda p: p.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "gray": lambda p: p.convert("L"),
    "turned by 90 degrees clockwise": lambda p: p.transpose(Image.Transpose.ROTATE_270),
    "turned by 90 degrees counterclockwise": lambda p: p.transpose(Image.Transpose.ROTATE_90),
    "turned by 180 degrees": lambda p: p.transpose(Image.Transpose.ROTATE_180),
    "flipped upside down": lambda p: p.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_copy_of_a_training_image_is_found_when_held_out(
    change: str, registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    pictures = {f"p{seed}": photo(seed) for seed in range(4)}
    held = {"copy": CHANGES[change](photo(2)), "other": photo(9)}
    delivery = deliver(tmp_path / "d", {"train": pictures, "val": held})
    found = add_and_find_leakage(registry, delivery, sceneset)
    assert list(found) == ["leak-near"]
    [message] = found["leak-near"]
    assert message.startswith("copy: looks like ")
    assert f"{IMAGES}/train/p2.jpg" in message
    assert ("mirror image" in message) == (change == "mirrored")
    assert ("turned" in message or "flipped" in message) == (f", {change} (" in message)
    assert (f", {change} (" in message) == ("turned" in change or "flipped" in change)


def test_repro_stops_before_the_manifest_until_the_leak_is_removed(
    with_leak: Path, sceneset: Run
) -> None:
    failed = dvc(with_leak, "repro", check=False)
    assert failed.code != 0
    assert "[leak-bytes]" in failed.out + failed.err
    assert not (with_leak / "registry/manifest.json").exists(), "a leak must not be released"
    outcome = sceneset("check", "--json", cwd=with_leak)
    assert (outcome.code, [p["code"] for p in outcome.json if p["severity"] == "error"]) == (
        1,
        ["leak-bytes"],
    )
    for part, suffix in (("img_dir", "jpg"), ("ann_dir", "png")):
        (with_leak / DATA / part / f"val/copy.{suffix}").unlink()
    tags = with_leak / f"registry/tags/{NAME}.csv"
    lines = tags.read_text().splitlines(keepends=True)
    tags.write_text("".join(line for line in lines if not line.startswith("val,copy")))
    dvc(with_leak, "repro")
    assert (with_leak / "registry/reports/leaks.json").read_text() == "[]\n"
    assert sceneset("check", cwd=with_leak).code == 0


@pytest.fixture
def with_leak(registry: Path, tmp_path: Path, sceneset: Run) -> Path:
    """A registry in which one training image is in val too."""
    phases = {"train": {"a": photo(1), "b": photo(2)}, "val": {"copy": photo(1), "c": photo(3)}}
    outcome = sceneset("add", deliver(tmp_path / "d", phases), "--name", NAME, cwd=registry)
    assert outcome.code == 0, outcome.err
    return registry


def test_leak_is_found_when_the_images_are_in_different_subsets(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    one = deliver(tmp_path / "one", {"train": {"a": photo(1)}})
    two = deliver(tmp_path / "two", {"train": {"x": photo(7)}, "val": {"a": photo(1)}})
    assert add_and_find_leakage(registry, one, sceneset) == {}
    found = add_and_find_leakage(registry, two, sceneset, NAME.replace("web", "two"))
    assert list(found) == ["leak-bytes"]
    assert f"{IMAGES}/train/a.jpg" in found["leak-bytes"][0]


def test_duplicates_are_reported_but_do_not_stop_repro_when_in_one_phase(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    pictures = {
        "a": photo(1),
        "b": photo(1),
        "c": photo(1).resize((320, 240)),
        "d": CHANGES["mirrored"](photo(1)),
        "e": photo(2),
    }
    found = add_and_find_leakage(registry, deliver(tmp_path / "d", {"train": pictures}), sceneset)
    assert sorted(found) == ["duplicate-bytes", "duplicate-near"]
    assert [message[0] for message in found["duplicate-bytes"]] == ["b"]
    assert [message[0] for message in found["duplicate-near"]] == ["c", "d"]
    dvc(registry, "repro")


def test_source_is_reported_when_it_is_in_training_and_held_out(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    phases = {"train": {"a": photo(1), "b": photo(2)}, "val": {"c": photo(3), "d": photo(4)}}
    assert add_and_find_leakage(registry, deliver(tmp_path / "d", phases), sceneset) == {}
    tags = registry / f"registry/tags/{NAME}.csv"
    sources = {"train,a": "clip 1", "train,b": "", "val,c": "clip 1", "val,d": "clip 2"}
    rows = [f"{key},,,,{source}" for key, source in sources.items()]
    tags.write_text("\n".join(["phase,stem,scenes,persons,boxes,source", *rows, ""]))
    [p] = find_leakage(Registry.open(registry))
    assert (p.code, p.stem) == ("leak-source", "c")
    assert "'clip 1'" in p.message


def test_clip_is_reported_until_its_frames_have_a_source(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    one, two = photo(1), photo(2)
    frames = {f"clip_{n:03d}": Image.blend(one, two, n / 200) for n in range(8)}
    others = {f"shot_{n:03d}": photo(50 + n) for n in range(8)}
    delivery = deliver(tmp_path / "d", {"train": frames | others})
    found = add_and_find_leakage(registry, delivery, sceneset)
    [message] = found["clip-undeclared"]
    assert message.startswith("clip_000: is the first of 8 numbered images up to 'clip_007'")
    tags = registry / f"registry/tags/{NAME}.csv"
    lines = tags.read_text().splitlines()
    lines = [line + "clip" if line.startswith("train,clip") else line for line in lines]
    tags.write_text("\n".join([*lines, ""]))
    assert "clip-undeclared" not in {p.code for p in find_leakage(Registry.open(registry))}


def test_training_image_is_reported_when_it_was_a_test_image_of_a_version(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    delivery = make_delivery(tmp_path / "d", {"ski.txt": ["a", "b"]}, train=("a", "b"))
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0
    other = NAME.replace("web", "test")
    held = make_delivery(tmp_path / "t", {}, train=("x",))
    write_image(held / "img_dir/train/x.jpg", 77)
    for part in ("img_dir", "ann_dir"):
        (held / part / "train").rename(held / part / "test")
    outcome = sceneset("add", held, "--name", other, cwd=registry)
    assert outcome.code == 0, outcome.err
    dvc(registry, "remote", "add", "--default", "store", "../store")
    dvc(registry, "repro")
    git(registry, "add", "--all")
    git(registry, "commit", "--quiet", "--message", "A test set")
    dvc(registry, "push")
    outcome = sceneset("release", "1.0.0", cwd=registry)
    assert outcome.code == 0, outcome.err
    assert sceneset("check", cwd=registry).code == 0
    for part in ("img_dir", "ann_dir"):
        folder = registry / f"Insta360SemanticSeg/{other}" / part
        (folder / "test").rename(folder / "train")
    tags = registry / f"registry/tags/{other}.csv"
    tags.write_text(tags.read_text().replace("test,x", "train,x"))
    entry = registry / f"registry/subsets/{other}.yaml"
    entry.write_text(entry.read_text().replace("phase: test", "phase: train"))
    dvc(registry, "repro")
    outcome = sceneset("check", cwd=registry)
    assert outcome.code == 1
    assert "[leak-tested]" in outcome.out
    assert "train/x.jpg: was a test image of version 1.0.0\n" in outcome.out
    git(registry, "add", "--all")
    git(registry, "commit", "--quiet", "--message", "Train on it")
    dvc(registry, "push")
    assert "[leak-tested]" in sceneset("release", "2.0.0", cwd=registry).err


def write_turned(path: Path, picture: Image.Image, orientation: int) -> None:
    """Write a picture turned, with the EXIF orientation that shows it upright."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = picture.transpose(
        {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}[orientation]
    )
    stored.save(path, quality=95, exif=exif)


@pytest.mark.parametrize("turned_phase", ["train", "val"])
def test_picture_is_found_when_it_is_stored_turned_by_exif_and_stored_upright(
    turned_phase: str, registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    other = {"train": "val", "val": "train"}[turned_phase]
    delivery = deliver(
        tmp_path / "d",
        {
            turned_phase: {"t6": photo(1).transpose(Image.Transpose.ROTATE_90), "t3": photo(2)},
            other: {"v6": photo(1), "v3": photo(2), "none": photo(3)},
        },
    )
    for stem, seed in (("t6", 1), ("t3", 2)):
        file = delivery / f"img_dir/{turned_phase}/{stem}.jpg"
        write_turned(file, photo(seed), int(stem[1]))
    found = add_and_find_leakage(registry, delivery, sceneset)
    messages = found["leak-near"]
    pairs = {"t6": "v6", "t3": "v3"}
    held = pairs if turned_phase == "val" else {value: key for key, value in pairs.items()}
    assert {message[:2] for message in messages} == set(held)
    for message in messages:
        assert f"train/{held[message[:2]]}.jpg, as their EXIF orientations show them (" in message


def write_png(path: Path, picture: Image.Image, orientation: int = 1) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture.save(path, exif=exif)


def test_same_pixels_are_found_across_scans_of_both_formats(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    """Pictures are compared where both scans have them, else sizes, sums and hashes."""
    turned = photo(1).transpose(Image.Transpose.ROTATE_90)  # orientation 6 shows photo(1)
    subsets = {
        "one": ("train", {"a": (photo(1), 1), "b": (photo(2), 1)}),
        "two": ("val", {"t": (turned, 6), "c": (photo(2), 1)}),
    }
    for note, (phase, pictures) in subsets.items():
        stored = {stem: picture for stem, (picture, _) in pictures.items()}
        delivery = deliver(tmp_path / note, {phase: stored})
        for stem, (picture, orientation) in pictures.items():
            (delivery / f"img_dir/{phase}/{stem}.jpg").unlink()
            write_png(delivery / f"img_dir/{phase}/{stem}.png", picture, orientation)
            if stem == "c":  # the same pixels in another file
                picture.save(delivery / f"img_dir/{phase}/{stem}.png", compress_level=1)
        name = NAME.replace("web", note)
        assert sceneset("add", delivery, "--name", name, cwd=registry).code == 0

    def found() -> dict[str, str]:
        findings = find_leakage(Registry.open(registry))
        return {p.stem: f"{p.code}: {p.message}" for p in findings}

    both = found()
    assert both["t"].startswith("leak-pixels: ")
    assert both["t"].endswith("train/a.png, as their EXIF orientations show them")
    assert both["c"].startswith("leak-pixels: ")
    write_older_scan(registry / f"registry/scans/{NAME.replace('web', 'one')}.parquet", "2")
    mixed = found()
    assert mixed["c"] == both["c"]
    assert mixed["t"].startswith("leak-near: "), "hashes of the held-out image are still turned"
    write_older_scan(registry / f"registry/scans/{NAME.replace('web', 'two')}.parquet", "2")
    assert found() == {"c": both["c"]}


def release_test_set(registry: Path, delivery: Path, sceneset: Run) -> None:
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0
    dvc(registry, "remote", "add", "--default", "store", "../store")
    dvc(registry, "repro")
    git(registry, "add", "--all")
    git(registry, "commit", "--quiet", "--message", "A test set")
    dvc(registry, "push")
    outcome = sceneset("release", "1.0.0", cwd=registry)
    assert outcome.code == 0, outcome.err


def move_to_train(registry: Path, *stems: str) -> None:
    for stem in stems:
        for part, suffix in (("img_dir", "jpg"), ("ann_dir", "png")):
            folder = registry / DATA / part
            (folder / f"test/{stem}.{suffix}").rename(folder / f"train/{stem}.{suffix}")
    tags = registry / f"registry/tags/{NAME}.csv"
    text = tags.read_text()
    for stem in stems:
        assert f"test,{stem}," in text
        text = text.replace(f"test,{stem},", f"train,{stem},")
    tags.write_text(text)


def test_test_image_stays_one_when_fix_removed_its_metadata_or_turned_it(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    test = {"gps": photo(1), "turned": photo(2).transpose(Image.Transpose.ROTATE_90)}
    train = {"p": photo(3), "q": photo(4)}
    delivery = deliver(tmp_path / "d", {"train": train, "test": test | {"kept": photo(5)}})
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (1.0, 2.0, 3.0)}
    test["gps"].save(delivery / "img_dir/test/gps.jpg", exif=exif)
    write_turned(delivery / "img_dir/test/turned.jpg", photo(2), 6)
    release_test_set(registry, delivery, sceneset)
    before = {path.name: path.read_bytes() for path in (registry / IMAGES / "test").iterdir()}
    outcome = sceneset("fix", NAME, "--apply", "--masks", "stored", cwd=registry)
    assert outcome.code == 0, outcome.err
    after = {path.name: path.read_bytes() for path in (registry / IMAGES / "test").iterdir()}
    changed = {name for name, data in after.items() if data != before[name]}
    assert changed == {"gps.jpg", "turned.jpg"}
    move_to_train(registry, "gps", "turned")
    dvc(registry, "repro")
    outcome = sceneset("check", "--json", cwd=registry)
    found = {p["stem"]: p["message"] for p in outcome.json if p["code"] == "leak-tested"}
    assert found.keys() == {"gps", "turned"}
    assert all("was a test image of version 1.0.0" in message for message in found.values())


@pytest.mark.parametrize("old_version", [False, True])
def test_test_image_is_recognized_by_its_pixels_when_another_tool_cleaned_it(
    old_version: bool, registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    """Also when the version was released with scans that have no pictures."""
    phases = {"train": {"p": photo(3)}, "test": {"t": photo(1), "kept": photo(5)}}
    delivery = deliver(tmp_path / "d", phases)
    exif = Image.Exif()
    exif[0x8825] = {1: "N", 2: (1.0, 2.0, 3.0)}
    photo(1).save(delivery / "img_dir/test/t.jpg", quality=90, exif=exif)
    release_test_set(registry, delivery, sceneset)
    image = registry / IMAGES / "test/t.jpg"
    with_gps, clean = image.read_bytes(), strip_personal_data(image.read_bytes())
    assert with_gps != clean
    image.unlink()
    image.write_bytes(clean)
    move_to_train(registry, "t")
    dvc(registry, "repro")
    catalog = Registry.open(registry)
    tested = released_test_images(catalog)
    if old_version:  # what the version's scan would give if version 0.1.0 had written it
        scan = catalog.root / f"registry/scans/{NAME}.parquet"
        git(registry, "checkout", "--quiet", "insta360-semantic-seg@v1.0.0", "--", str(scan))
        write_older_scan(scan, "2")
        tested = tested_images.ReleasedTestImages()
        tested.add(Registry.open(registry).scan(NAME, tested_images.TESTED_COLUMNS), ["1.0.0"])
        git(registry, "checkout", "--quiet", "HEAD", "--", str(scan))
        assert (len(tested.files), len(tested.pictures), len(tested.exact)) == (2, 0, 2)
        dvc(registry, "repro")
    [found] = tested_images.tested_image_findings(Registry.open(registry), tested)
    assert (found.code, found.phase, found.stem) == ("leak-tested", "train", "t")
    assert found.file == f"{IMAGES}/train/t.jpg"
    assert "version 1.0.0: another file with the same pixels" in found.message


@needs_shared
def test_near_duplicates_of_drop_e_are_found(registry: Path, tmp_path: Path, sceneset: Run) -> None:
    photos = SHARED / "data/drop_E_ccp/photos"
    pairs = {"0907": "0990", "0183": "0730", "0197": "0671", "0594": "0722", "0692": "0732"}
    phases = {
        "train": {stem: Image.open(photos / f"{stem}.jpg") for stem in (*pairs, "0001", "0002")},
        "val": {stem: Image.open(photos / f"{stem}.jpg") for stem in (*pairs.values(), "0003")},
    }
    found = add_and_find_leakage(registry, deliver(tmp_path / "d", phases), sceneset)
    by_stem = {message[:4]: message for message in found.pop("leak-near")}
    assert set(by_stem) == set(pairs.values())
    for one, other in pairs.items():
        assert f"train/{one}.jpg" in by_stem[other]
    assert "leak-bytes" not in found


@needs_shared
def test_neighbouring_frames_of_drop_f_and_their_copies_in_drop_g_are_found(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    frames = sorted((SHARED / "data/drop_F_davis").rglob("bmx-trees/*.jpg"))
    copies = sorted((SHARED / "data/drop_G_cutie/images/bike").glob("*.jpg"))
    assert (len(frames), len(copies)) == (80, 4)
    phases = {
        "train": {f"bmx_{path.stem}": Image.open(path) for path in frames[::2]},
        "val": {f"bmx_{path.stem}": Image.open(path) for path in frames[1::2]}
        | {f"bike_{path.stem}": Image.open(path) for path in copies},
    }
    found = add_and_find_leakage(registry, deliver(tmp_path / "d", phases), sceneset)
    near = {message.partition(":")[0] for message in found["leak-near"]}
    assert {f"bike_{path.stem}" for path in copies} <= near
    odd = {f"bmx_{path.stem}" for path in frames[1::2]}
    assert len(near & odd) >= 0.85 * len(odd), "89 to 93 % are found in other photos"
    assert found["clip-undeclared"]


def test_table_has_the_sources_of_tags_in_any_order_and_none_without_a_tag(registry):
    samples = [Drawn(stem, source=f"clip {stem}") for stem in "abc"]
    path = write_registry(registry, samples) / f"registry/tags/{NAME}.csv"
    for rows, wanted in (
        (slice(None), {"a": "clip a", "b": "clip b", "c": "clip c"}),
        (slice(None, None, -1), {"a": "clip a", "b": "clip b", "c": "clip c"}),
        (slice(1, None), {"a": "", "b": "clip b", "c": "clip c"}),
    ):
        text = path.read_text("utf-8")
        head, *lines = text.splitlines()
        path.write_text("\n".join([head, *lines[rows]]) + "\n", "utf-8")
        table = read_sample_table(Catalog(registry))
        assert dict(zip(table.stem, table.source, strict=True)) == wanted
        assert not table.crops.size
        path.write_text(text, "utf-8")
