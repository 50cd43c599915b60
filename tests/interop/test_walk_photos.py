"""The walk of docs/walk-train-evaluate.md with real photos and clips.

Portraits and streets are of drop A. Of the two clips of drop F, one is for training and one for
validation, because frames of one clip resemble each other. The masks of the clip for validation
include the bicycle, so its numbers are about the rider and the bicycle together.
"""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from support.build import SHARED, Run, dvc, needs_shared
from support.trained import assert_predictions_fit, iou_by_group, train

pytestmark = needs_shared
PHOTOS = SHARED / "data/drop_A_vikram"
CLIPS = SHARED / "data/drop_F_davis/DAVIS"
_STREET = [480, 640]
"""Sides of the photos of streets (GRAZ-01); the others are portraits from the web."""


def scene_of_photo(stem: str) -> str:
    with Image.open(PHOTOS / f"Training_Images/{stem}.jpg") as photo:
        return "city" if sorted(photo.size) == _STREET else "portrait"


def scene_of_frame(stem: str) -> str:
    return "bike" if stem.startswith("bmx") else "parkour"


def every_fourth_frame(folder: Path) -> Path:
    """Copy every fourth frame of each clip with its mask."""
    for path in sorted(CLIPS.glob("*/480p/*/*.???")):
        if int(path.stem) % 4 == 0:
            to = folder / path.relative_to(CLIPS)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to)
    return folder


def add(
    root: Path, delivery: Path, name: str, scene_of: Callable[[str], str], sceneset: Run
) -> None:
    """Add a delivery; the table that proposes no scene for it is filled in."""
    words = ("add", delivery, "--name", name, "--resize-masks", "nearest")
    proposed = sceneset(*words, "--scenes-from", "folder", cwd=root)
    assert proposed.code == 0, proposed.err
    rows = list(csv.DictReader(proposed.out.splitlines()))
    table = root.parent / f"{name}.csv"
    lines = (f"{row['phase']},{row['stem']},{scene_of(row['stem'])}\n" for row in rows)
    table.write_text("phase,stem,scenes\n" + "".join(lines), "utf-8")
    done = sceneset(*words, "--scenes", table, cwd=root)
    assert done.code == 0, done.err


def test_second_run_on_real_photos_is_better_where_there_is_evidence(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    def run(*words: object) -> None:
        done = sceneset(*words, cwd=registry)
        assert done.code == 0, f"{words}: {done.err}"

    for scene in ("portrait", "parkour"):
        run("scene", "add", scene, "--en", scene)
    add(registry, PHOTOS, "CustomSeg_Person_20240115_photos", scene_of_photo, sceneset)
    clips = every_fourth_frame(tmp_path / "clips")
    add(registry, clips, "CustomSeg_Person_20240116_clips", scene_of_frame, sceneset)
    for scene in ("bike", "parkour"):
        run("tag", scene, "--source", f"clip of {scene}")
    run("split", "city", "portrait", "--val", 0.25, "--apply")
    run("split", "bike", "--val", 0.9, "--apply")  # one clip stays whole: all of it goes to val
    dvc(registry, "repro", "--allow-missing")

    first, second, counts = tmp_path / "first", tmp_path / "second", tmp_path / "first.parquet"
    small = ("--side", 96)
    train(registry, *small, "--epochs", 2, "--to", first)
    train(registry, *small, "--epochs", 10, "--augment", "--to", second)
    for folder in (first, second):
        assert_predictions_fit(folder, registry, 92)
    words = ("--phase", "val", "--values", "probability")
    run("evaluate", first, *words, "--to", counts)
    found = sceneset("evaluate", second, *words, "--compare", counts, "--json", cwd=registry)
    assert (found.code, found.json["compared"], found.json["problems"]) == (0, 92, {}), found.err

    change = iou_by_group(found.json)
    whole = change["all", ""]
    assert whole["after"] > whole["before"] + 0.05
    assert whole["low"] > 0
    assert whole["p"] < 0.05
    scenes = {name: value for (kind, name), value in change.items() if kind == "scene"}
    assert scenes.keys() == {"city", "portrait", "bike"}
    assert scenes["bike"]["low"] is None, "frames of one clip are one source: no interval"
    assert scenes["bike"]["p_holm"] is None
    sources = {one["name"]: one["sources"] for one in found.json["difference"]["groups"]}
    assert (sources["city"], sources["portrait"], sources["bike"]) == (36, 36, 1)
