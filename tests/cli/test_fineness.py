"""Tests of `sceneset fineness`."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support.build import NAME, Run, dvc, write_mask
from support.outlines import figure, image_of, polygon
from support.scans import DATA, SCAN, write_older_scan

FINE, COARSE = (NAME.replace("web", note) for note in ("fine", "coarse"))
ALWAYS = r" 1\.000 \(1\.000-1\.000\) +1\.000 \(1\.000-1\.000\)"
MASKS = f"{DATA}/ann_dir"


def write_delivery(folder: Path, *, corners: int = 0, number: int = 12) -> Path:
    """Write photos of drawn figures, with their masks or with polygons."""
    for name in ("img_dir", "ann_dir", "split_dir"):
        (folder / name / ("" if name == "split_dir" else "train")).mkdir(parents=True)
    stems = [f"{'p' if corners else 'f'}{seed:02}" for seed in range(number)]
    for seed, stem in enumerate(stems):
        mask = figure(150, seed + 100 * corners)
        noise = np.random.default_rng(seed + 9 * corners).integers(0, 40, mask.shape, np.uint8)
        image = Image.fromarray(image_of(mask) - noise[:, :, None])
        image.save(folder / f"img_dir/train/{stem}.jpg", quality=92)
        drawn = polygon(mask, corners) if corners else mask
        Image.fromarray(drawn).save(folder / f"ann_dir/train/{stem}.png")
    (folder / "split_dir/ski.txt").write_text("".join(f"{stem}\n" for stem in stems[:6]))
    return folder


@pytest.fixture(scope="module")
def _compared(tmp_path_factory: pytest.TempPathFactory, _empty_registry: Path) -> Path:
    folder = tmp_path_factory.mktemp("compared")
    root = Path(shutil.copytree(_empty_registry, folder / "registry", symlinks=True))
    for name, corners in ((FINE, 0), (COARSE, 14)):
        delivery = write_delivery(folder / name, corners=corners)
        command = [sys.executable, "-m", "sceneset", "add", str(delivery), "--name", name]
        subprocess.run(command, cwd=root, check=True, capture_output=True)
    return folder


@pytest.fixture
def compared(tmp_path: Path, _compared: Path) -> Path:
    """A registry with a fine and a coarse subset, their deliveries beside it."""
    return Path(shutil.copytree(_compared, tmp_path / "home", symlinks=True)) / "registry"


def test_fineness_tells_polygons_from_detailed_masks(compared: Path, sceneset: Run) -> None:
    done = sceneset("fineness", "--reference", "coarse", "--worst", "2", cwd=compared)
    assert done.code == 0
    assert re.search(rf"^subset +{FINE} +12 +12 .*{ALWAYS}$", done.out, re.MULTILINE)
    assert re.search(rf"^reference +{COARSE} +12 +12 ", done.out, re.MULTILINE)
    assert re.search(rf"^scene +ski +6 +6 .*{ALWAYS}$", done.out, re.MULTILINE)
    assert f"finer: how often a mask is finer than one of {COARSE}" in done.err
    found = sceneset("fineness", "--json", "--worst", "12", cwd=compared).json
    assert (found["measured"], found["older_scan"], found["without_outline"]) == (24, 0, 0)
    assert {one["sample"].split("/")[0] for one in found["worst"]} == {COARSE}
    by_name = {group["group"]: group for group in found["groups"]}
    fine, coarse = by_name[FINE], by_name[COARSE]
    assert fine["fineness"]["low"] > 3 * coarse["fineness"]["high"]
    assert (fine["straight"] < 0.3, coarse["straight"] > 0.7) == (True, True)
    assert fine["finer"] is None


def test_fineness_is_the_same_for_a_folder_and_a_subset(compared: Path, sceneset: Run) -> None:
    delivery = compared.parent / COARSE
    words = ("fineness", "--subset", "fine", "--json")
    folder = sceneset(*words, "--reference", delivery, cwd=compared).json
    subset = sceneset(*words, "--reference", "coarse", cwd=compared).json
    assert folder["groups"][0]["finer"] == subset["groups"][0]["finer"]
    assert folder["reference"] == str(delivery)
    (delivery / "ann_dir/train/p00.png").write_bytes(b"no image")
    done = sceneset(*words, "--reference", f"../{COARSE}", cwd=compared)
    assert done.code == 0
    assert "ann_dir/train/p00.png" in done.err
    assert done.json["groups"][-1]["samples"] == 11


def test_fineness_draws_the_worst_samples(compared: Path, tmp_path: Path, sceneset: Run) -> None:
    page = tmp_path / "worst.html"
    done = sceneset("fineness", "--worst", "3", "--view", page, cwd=compared)
    assert done.code == 0
    text = page.read_text("utf-8")
    assert text.count("fineness 0.") == 3
    assert "3 of 24 measured samples, the lowest fineness first" in text
    listed = re.findall(rf"^{COARSE}/train/(p\d\d) ", done.out, re.MULTILINE)
    assert len(listed) == 3
    assert all(f"train/{stem}" in text for stem in listed)


def test_fineness_of_frames_resamples_their_source(compared: Path, sceneset: Run) -> None:
    words = ("fineness", "--subset", "fine", "--by", "subset", "--json")
    before = sceneset(*words, cwd=compared).json["groups"][0]
    done = sceneset("tag", "--subset", "fine", "--source", "clip 1", cwd=compared)
    assert done.code == 0, done.err
    after = sceneset(*words, cwd=compared).json["groups"][0]
    assert (before["sources"], after["sources"]) == (12, 1)
    assert after["fineness"]["value"] == before["fineness"]["value"]
    assert after["fineness"]["low"] is None


def test_fineness_leaves_out_masks_without_an_outline(added: Path, sceneset: Run) -> None:
    Image.new("L", (32, 24)).save(added / MASKS / "train/a.png")
    dvc(added, "add", "--quiet", MASKS)
    assert sceneset("scan", NAME, cwd=added).code == 0
    done = sceneset("fineness", cwd=added)
    assert "1 mask has no outline with contrast near it, and no fineness" in done.err
    assert re.search(r"^all +3 +3 ", done.out, re.MULTILINE)


def test_fineness_says_how_older_scans_are_measured(added: Path, sceneset: Run) -> None:
    write_older_scan(added / SCAN, "3")
    done = sceneset("fineness", cwd=added)
    assert done.code == 2
    assert "`algorithms.scan: 7` in params.yaml" in done.err


def test_an_upgrade_decodes_only_changed_samples_until_the_registry_wants_more(
    added: Path, sceneset: Run
) -> None:
    params = added / "params.yaml"
    params.write_text(params.read_text().replace("scan: 7", "scan: 6"))
    write_older_scan(added / SCAN, "3")
    write_mask(added / MASKS / "train/a.png", ignore=True)
    dvc(added, "add", "--quiet", MASKS)
    assert "1 measured now" in sceneset("scan", NAME, cwd=added).err
    found = sceneset("fineness", "--json", cwd=added)
    assert (found.json["measured"], found.json["older_scan"]) == (1, 3)
    assert "3 samples have no outlines in the scan" in found.err
    params.write_text(params.read_text().replace("scan: 6", "scan: 7"))
    assert "4 measured now" in sceneset("scan", NAME, cwd=added).err
    found = sceneset("fineness", "--json", cwd=added)
    assert (found.json["measured"], found.json["older_scan"]) == (4, 0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--reference", "nobody"), "no subset is called 'nobody'"),
        (("--reference", "./nowhere"), "nowhere: is not a folder"),
        (("--reference", "web"), "no sample besides those of the reference web"),
        (("--phase", "test"), "no sample matches"),
        (("--open",), "add --view FILE"),
        (("--worst", "0", "--view", "w.html"), "use --worst 1 or more"),
        (("--worst", "-1"), "use a whole number from 0 to 1,000"),
    ],
)
def test_fineness_refuses_wrong_use(
    added: Path, sceneset: Run, words: tuple[str, ...], message: str
) -> None:
    done = sceneset("fineness", *words, cwd=added)
    assert done.code in {1, 2}
    assert message in done.err
    assert done.out == ""
