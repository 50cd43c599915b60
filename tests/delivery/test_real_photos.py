"""Real photos with real masks: errors are found, and statistics equal independent computations."""

import csv
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pytest
import yaml
from PIL import Image

from sceneset import Registry
from sceneset.catalog.scan_table import rows_from_table
from support.build import NAME, SHARED, Outcome, dvc, needs_shared, snapshot

pytestmark = needs_shared
DATA = SHARED / "data"
Pairs = Iterable[tuple[str, Path, Path]]


def lay_out(folder: Path, pairs: Pairs, splits: dict[str, list[str]]) -> Path:
    """Write a delivery of photos, with masks of 0 and 255 mapped to 0 and 1."""
    for part in ("img_dir/train", "ann_dir/train", "split_dir"):
        (folder / part).mkdir(parents=True)
    for stem, image, mask in pairs:
        shutil.copyfile(image, folder / f"img_dir/train/{stem}.jpg")
        with Image.open(mask) as picture:
            picture.point([int(value > 127) for value in range(256)]).save(
                folder / f"ann_dir/train/{stem}.png"
            )
    for name, stems in splits.items():
        (folder / "split_dir" / name).write_text("".join(f"{stem}\n" for stem in sorted(stems)))
    return folder


def expected(drop: str) -> dict[str, dict[str, str]]:
    with (DATA / "EXPECTED.csv").open(encoding="utf-8", newline="") as file:
        return {row["image"]: row for row in csv.DictReader(file) if row["drop"] == drop}


@pytest.fixture
def vikram(tmp_path: Path) -> Path:
    drop = DATA / "drop_A_vikram"
    pairs = [
        (image.stem, image, drop / f"Ground_Truth/{image.stem}.png")
        for image in sorted(drop.glob("Training_Images/*.jpg"))
    ]
    stems = [stem for stem, *_ in pairs]
    # Multiples of 6 are in no scene, only in the total; some other samples are in two scenes.
    splits = {
        "total.txt": stems,
        "natural.txt": [stem for stem in stems if int(stem) % 2],
        "city.txt": [stem for stem in stems if int(stem) % 3],
    }
    return lay_out(tmp_path / "vikram", pairs, splits)


def test_masks_of_another_size_are_all_reported_and_quarantine_leaves_them_out(
    vikram: Path, registry: Path, tmp_path: Path, sceneset: Callable[..., Outcome]
) -> None:
    bad_stems = {
        Path(row["image"]).stem
        for row in expected("drop_A_vikram").values()
        if "size_mismatch" in row["flags"]
    }
    assert len(bad_stems) == 198
    before, source = snapshot(registry), snapshot(vikram)
    refused = sceneset("add", vikram, "--name", NAME, "--all", cwd=registry)
    assert refused.code == 1
    lines = [line for line in refused.err.splitlines() if "[size-differs]" in line]
    reported = {line.split(": ")[1] for line in lines}
    assert reported == {f"ann_dir/train/{stem}.png" for stem in bad_stems}
    assert snapshot(registry) == before

    left = tmp_path / "left"
    accepted = sceneset("add", vikram, "--name", NAME, "--quarantine", left, "--json", cwd=registry)
    assert accepted.code == 0, accepted.err
    assert (accepted.json["samples"], accepted.json["left_out"]) == (92, 198)
    with (left / f"{NAME}.csv").open(encoding="utf-8", newline="") as file:
        assert {row["stem"] for row in csv.DictReader(file)} == bad_stems
    assert snapshot(vikram) == source
    images = registry / f"Insta360SemanticSeg/{NAME}/img_dir/train"
    assert len(list(images.iterdir())) == 92
    dvc(registry, "repro")
    check_statistics(registry)
    photos = {path.stem: path for path in (DATA / "drop_A_vikram").glob("Training_Images/*.jpg")}
    check_foreground(registry, "drop_A_vikram", photos)


def test_statistics_of_two_scenes_equal_independent_computations(
    registry: Path, tmp_path: Path, sceneset: Callable[..., Outcome]
) -> None:
    clips = {"bmx-trees": "bike.txt", "parkour": "city.txt"}
    pairs, splits = [], {}
    for clip, file in clips.items():
        # Every third frame: the neighbours show the same, and decoding them all takes a minute.
        images = sorted((DATA / "drop_F_davis").rglob(f"{clip}/*.jpg"))[::3]
        masks = sorted((DATA / "drop_F_davis").rglob(f"{clip}/*.png"))[::3]
        assert [image.stem for image in images] == [mask.stem for mask in masks]
        # Frame numbers are the same in every clip: the clip enters the stem.
        stems = [f"{clip}_{image.stem}" for image in images]
        pairs += list(zip(stems, images, masks, strict=True))
        splits[file] = stems
    delivery = lay_out(tmp_path / "davis", pairs, splits)
    outcome = sceneset("add", delivery, "--name", NAME, cwd=registry)
    assert outcome.code == 0, outcome.err
    dvc(registry, "repro")
    rows = sceneset("lookup", "bike", "城市", "--json", cwd=registry).json
    assert [(row["scene"], row["images"]) for row in rows] == [("city", 34), ("bike", 27)]
    check_statistics(registry)
    check_foreground(registry, "drop_F_davis", {stem: image for stem, image, _ in pairs})


class Photo(NamedTuple):
    """Statistics of one photo, by channel, in plain float64 (values 0 to 1)."""

    pixels: int
    mean: npt.NDArray[np.float64]
    variance: npt.NDArray[np.float64]


def measure_photo(path: Path) -> Photo:
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB"), np.float64).reshape(-1, 3) / 255
    return Photo(len(pixels), pixels.mean(0), pixels.var(0))


def colour_statistics(photos: list[Photo]) -> dict[str, npt.NDArray[np.float64]]:
    """Return all five colour statistics of several photos."""
    means = np.array([photo.mean for photo in photos])
    weights = np.array([[photo.pixels] for photo in photos]) / sum(p.pixels for p in photos)
    pooled = (weights * means).sum(0)
    variances = np.array([photo.variance for photo in photos])
    return {
        "pooled_mean": pooled,
        "pooled_std": np.sqrt((weights * (variances + (means - pooled) ** 2)).sum(0)),
        "image_mean": means.mean(0),
        "image_std": np.sqrt(variances).mean(0),
        "std_of_image_means": means.std(0),
    }


def check_statistics(root: Path) -> None:
    """Compare all colour statistics with a plain float64 computation over the photos."""
    stats = yaml.safe_load((root / f"registry/stats/{NAME}.yaml").read_text())
    folder = root / f"Insta360SemanticSeg/{NAME}"
    photos = {path.stem: measure_photo(path) for path in folder.glob("img_dir/train/*")}
    for row in stats["rows"]:
        stems = (folder / "split_dir" / row["file"]).read_text().split()
        assert row["numbers"]["images"] == len(stems)
        wanted = colour_statistics([photos[stem] for stem in stems])
        found = row["numbers"]["colour"]
        assert set(found) == set(wanted)
        for name, values in wanted.items():
            assert found[name] == pytest.approx(values, abs=1e-9), name


def check_foreground(root: Path, drop: str, sources: dict[str, Path]) -> None:
    """Compare person pixels, by image and in total, with the counts delivered with the drop."""
    registry = Registry.open(root)
    truth = expected(drop)
    counts = {stem: truth[path.relative_to(DATA).as_posix()] for stem, path in sources.items()}
    rows = rows_from_table(registry.scan(NAME))
    for row in rows:
        assert row.person == int(counts[row.stem]["person_px"]), row.stem
        share = row.person / (row.width * row.height)
        assert share == pytest.approx(float(counts[row.stem]["person_frac"]), abs=1e-5)
    stats = yaml.safe_load((root / f"registry/stats/{NAME}.yaml").read_text())
    shares = [float(counts[row.stem]["person_frac"]) for row in rows]
    found = stats["numbers"]["foreground"]["image_mean"]
    assert found == pytest.approx(np.mean(shares), abs=1e-5)
