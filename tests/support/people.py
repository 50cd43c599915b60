"""Drawn originals with people at known places, and their boxes in COCO files."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

Sides = tuple[float, float, float, float]
"""Left, top, right and bottom."""
SIZE = (320, 240)


def draw_original(
    image: Path,
    mask: Path,
    people: Sequence[Sides],
    *,
    seed: int,
    size: tuple[int, int] = SIZE,
    orientation: int = 1,
) -> None:
    """Draw an image that no other seed gives, with an ellipse for each person, and its mask."""
    low = np.random.default_rng(seed).integers(0, 200, (6, 8, 3), dtype=np.uint8)
    picture = Image.fromarray(low).resize(size, Image.Resampling.BICUBIC)
    found = Image.new("L", size)
    for number, (left, top, right, bottom) in enumerate(people):
        inside = (left, top, right - 1, bottom - 1)
        ImageDraw.Draw(picture).ellipse(inside, fill=(255, 40 * number, 90), outline=(0, 0, 0))
        ImageDraw.Draw(found).ellipse(inside, fill=1)
    for path in (image, mask):
        path.parent.mkdir(parents=True, exist_ok=True)
    exif = Image.Exif()
    if orientation != 1:
        exif[0x0112] = orientation
    picture.save(image, quality=95, exif=exif)
    found.save(mask)


def make_originals(
    folder: Path, people: Mapping[str, Sequence[Sides]], *, scenes: Mapping[str, str] | None = None
) -> Path:
    """Write a delivery of originals.

    Args:
        folder: The new folder.
        people: The people of each image, by phase/stem.
        scenes: The split file that lists each image; images without one are in no scene.
    """
    for seed, (name, boxes) in enumerate(sorted(people.items())):
        image, mask = folder / f"img_dir/{name}.jpg", folder / f"ann_dir/{name}.png"
        draw_original(image, mask, boxes, seed=seed + 1)
    for name, file in (scenes or {}).items():
        path = folder / "split_dir" / file
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as out:
            out.write(f"{name.rpartition('/')[2]}\n")
    return folder


def coco_boxes(
    people: Mapping[str, Sequence[Sides]],
    *,
    size: tuple[int, int] = SIZE,
    score: float | None = None,
) -> dict[str, list[dict[str, object]]]:
    """Return a COCO file with a box for each person."""
    images = [
        {"id": number, "file_name": f"{name}.jpg", "width": size[0], "height": size[1]}
        for number, name in enumerate(people)
    ]
    annotations = [
        {
            "id": 100 * number + place,
            "image_id": number,
            "category_id": 1,
            "bbox": [left, top, right - left, bottom - top],
            **({} if score is None else {"score": score}),
        }
        for number, boxes in enumerate(people.values())
        for place, (left, top, right, bottom) in enumerate(boxes)
    ]
    return {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": 1, "name": "person"}],
    }


def write_json(path: Path, content: object) -> Path:
    """Write JSON, NaN too."""
    path.write_text(json.dumps(content))
    return path
