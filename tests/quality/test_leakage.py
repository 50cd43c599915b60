"""Held-out images that are related to training images stop the pipeline, and are named."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from sceneset import Registry
from sceneset.quality.leakage import leakage
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

DATA = f"Insta360SemanticSeg/{NAME}"
IMAGES = f"{DATA}/img_dir"


def photo(seed: int) -> Image.Image:
    """Draw a picture with something in it, at many scales."""
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
    """Write pictures and masks of their sizes, by phase and stem."""
    for phase, pictures in phases.items():
        for part in ("img_dir", "ann_dir"):
            (folder / part / phase).mkdir(parents=True)
        for stem, picture in pictures.items():
            picture.convert("RGB").save(folder / f"img_dir/{phase}/{stem}.jpg", quality=90)
            mask = np.zeros((picture.height, picture.width), np.uint8)
            mask[picture.height // 4 :, picture.width // 4 : picture.width // 2] = 1
            Image.fromarray(mask).save(folder / f"ann_dir/{phase}/{stem}.png")
    return folder


def added(root: Path, delivery: Path, sceneset: Run, name: str = NAME) -> dict[str, list[str]]:
    """Add a delivery; return the findings on leakage, by code."""
    outcome = sceneset("add", delivery, "--name", name, cwd=root)
    assert outcome.code == 0, outcome.err
    found: dict[str, list[str]] = {}
    for p in leakage(Registry.open(root)):
        found.setdefault(p.code, []).append(f"{p.stem}: {p.message}")
    return found


CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "resized": lambda p: p.resize((320, 240)),
    "shrunk": lambda p: p.resize((80, 60), Image.Resampling.BOX),
    "brighter": lambda p: ImageEnhance.Brightness(p).enhance(1.3),
    "mirrored": lambda p: p.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "gray": lambda p: p.convert("L"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_copies_on_both_sides(
    change: str, registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    pictures = {f"p{seed}": photo(seed) for seed in range(4)}
    held = {"copy": CHANGES[change](photo(2)), "other": photo(9)}
    delivery = deliver(tmp_path / "d", {"train": pictures, "val": held})
    found = added(registry, delivery, sceneset)
    assert list(found) == ["leak-near"]
    [said] = found["leak-near"]
    assert said.startswith("copy: looks like ")
    assert f"{IMAGES}/train/p2.jpg" in said
    assert ("mirror image" in said) == (change == "mirrored")


def test_the_gate(added_leak: Path, sceneset: Run) -> None:
    failed = dvc(added_leak, "repro", check=False)
    assert failed.code != 0
    assert "[leak-bytes]" in failed.out + failed.err
    assert not (added_leak / "registry/manifest.json").exists(), "no version of it can be made"
    outcome = sceneset("check", "--json", cwd=added_leak)
    assert (outcome.code, [p["code"] for p in outcome.json if p["severity"] == "error"]) == (
        1,
        ["leak-bytes"],
    )
    for part, suffix in (("img_dir", "jpg"), ("ann_dir", "png")):
        (added_leak / DATA / part / f"val/copy.{suffix}").unlink()
    tags = added_leak / f"registry/tags/{NAME}.csv"
    lines = tags.read_text().splitlines(keepends=True)
    tags.write_text("".join(line for line in lines if not line.startswith("val,copy")))
    dvc(added_leak, "repro")
    assert (added_leak / "registry/reports/leaks.json").read_text() == "[]\n"
    assert sceneset("check", cwd=added_leak).code == 0


@pytest.fixture
def added_leak(registry: Path, tmp_path: Path, sceneset: Run) -> Path:
    """A registry with one training image in val too."""
    phases = {"train": {"a": photo(1), "b": photo(2)}, "val": {"copy": photo(1), "c": photo(3)}}
    outcome = sceneset("add", deliver(tmp_path / "d", phases), "--name", NAME, cwd=registry)
    assert outcome.code == 0, outcome.err
    return registry


def test_over_all_subsets(registry: Path, tmp_path: Path, sceneset: Run) -> None:
    one = deliver(tmp_path / "one", {"train": {"a": photo(1)}})
    two = deliver(tmp_path / "two", {"train": {"x": photo(7)}, "val": {"a": photo(1)}})
    assert added(registry, one, sceneset) == {}
    found = added(registry, two, sceneset, NAME.replace("web", "two"))
    assert list(found) == ["leak-bytes"]
    assert f"{IMAGES}/train/a.jpg" in found["leak-bytes"][0]


def test_duplicates_inside_a_phase_are_warnings(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    pictures = {
        "a": photo(1),
        "b": photo(1),
        "c": photo(1).resize((320, 240)),
        "d": CHANGES["mirrored"](photo(1)),
        "e": photo(2),
    }
    found = added(registry, deliver(tmp_path / "d", {"train": pictures}), sceneset)
    assert sorted(found) == ["duplicate-bytes", "duplicate-near"]
    assert [said[0] for said in found["duplicate-bytes"]] == ["b"]
    assert [said[0] for said in found["duplicate-near"]] == ["c", "d"]
    dvc(registry, "repro")


def test_one_source_on_both_sides(registry: Path, tmp_path: Path, sceneset: Run) -> None:
    phases = {"train": {"a": photo(1), "b": photo(2)}, "val": {"c": photo(3), "d": photo(4)}}
    assert added(registry, deliver(tmp_path / "d", phases), sceneset) == {}
    tags = registry / f"registry/tags/{NAME}.csv"
    sources = {"train,a": "clip 1", "train,b": "", "val,c": "clip 1", "val,d": "clip 2"}
    rows = [f"{key},,,,{source}" for key, source in sources.items()]
    tags.write_text("\n".join(["phase,stem,scenes,persons,boxes,source", *rows, ""]))
    [p] = leakage(Registry.open(registry))
    assert (p.code, p.stem) == ("leak-source", "c")
    assert "'clip 1'" in p.message


def test_frames_without_a_source(registry: Path, tmp_path: Path, sceneset: Run) -> None:
    one, two = photo(1), photo(2)
    frames = {f"clip_{n:03d}": Image.blend(one, two, n / 200) for n in range(8)}
    others = {f"shot_{n:03d}": photo(50 + n) for n in range(8)}
    delivery = deliver(tmp_path / "d", {"train": frames | others})
    found = added(registry, delivery, sceneset)
    [said] = found["clip-undeclared"]
    assert said.startswith("clip_000: to 'clip_007': 8 numbered images")
    tags = registry / f"registry/tags/{NAME}.csv"
    lines = tags.read_text().splitlines()
    told = [x + "clip" if x.startswith("train,clip") else x for x in lines]
    tags.write_text("\n".join([*told, ""]))
    assert "clip-undeclared" not in {p.code for p in leakage(Registry.open(registry))}


def test_what_was_tested_is_not_trained_on(registry: Path, tmp_path: Path, sceneset: Run) -> None:
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
    assert "was a test image of version 1.0.0 [leak-tested]" in outcome.out
    git(registry, "add", "--all")
    git(registry, "commit", "--quiet", "--message", "Train on it")
    dvc(registry, "push")
    assert "[leak-tested]" in sceneset("release", "2.0.0", cwd=registry).err


@needs_shared
def test_the_near_duplicates_of_drop_e(registry: Path, tmp_path: Path, sceneset: Run) -> None:
    photos = SHARED / "data/drop_E_ccp/photos"
    pairs = {"0907": "0990", "0183": "0730", "0197": "0671", "0594": "0722", "0692": "0732"}
    phases = {
        "train": {stem: Image.open(photos / f"{stem}.jpg") for stem in (*pairs, "0001", "0002")},
        "val": {stem: Image.open(photos / f"{stem}.jpg") for stem in (*pairs.values(), "0003")},
    }
    found = added(registry, deliver(tmp_path / "d", phases), sceneset)
    named = {said[:4]: said for said in found.pop("leak-near")}
    assert set(named) == set(pairs.values())
    for one, other in pairs.items():
        assert f"train/{one}.jpg" in named[other]
    assert "leak-bytes" not in found


@needs_shared
def test_neighbouring_frames_of_drop_f_and_their_copies_in_drop_g(
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
    found = added(registry, deliver(tmp_path / "d", phases), sceneset)
    told = {said.partition(":")[0] for said in found["leak-near"]}
    assert {f"bike_{path.stem}" for path in copies} <= told
    odd = {f"bmx_{path.stem}" for path in frames[1::2]}
    assert len(told & odd) >= 0.85 * len(odd), "as measured on other photos: 89 to 93 %"
    assert any("clip" in said for said in found["clip-undeclared"])
