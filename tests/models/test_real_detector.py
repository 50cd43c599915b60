"""A real detector finds the persons of real photos, by the functions of `sceneset crop`.

SCENESET_DETECTOR names its .onnx file, for example NanoDet of docs/crop.md.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from sceneset.cropping.detect import Choice, detect
from sceneset.cropping.originals import Original, Originals
from sceneset.progress import no_progress
from sceneset.schemas.params import Limits
from sceneset.schemas.tag import Tag
from support.build import SHARED, needs_shared

DROP = SHARED / "data/drop_B_coco_mini"
MODEL = os.environ.get("SCENESET_DETECTOR", "")
Box = tuple[float, float, float, float]


def read_truth() -> tuple[list[Original], dict[tuple[str, str], list[Box]], dict[str, Path]]:
    """Return the annotated images, the boxes of persons in them, and their files."""
    originals, boxes, files = [], {}, {}
    for phase in ("train", "val"):
        text = (DROP / f"annotations/instances_{phase}2017.json").read_text()
        content = json.loads(text)
        for image in content["images"]:
            path = DROP / f"{phase}2017/{image['file_name']}"
            tag = Tag.model_construct(phase=phase, stem=path.stem)
            size = image["width"], image["height"]
            originals.append(Original(tag, (), "", str(path), "", path.suffix, *size, 1))
            boxes[phase, path.stem] = [
                (x, y, x + width, y + height)
                for a in content["annotations"]
                if a["image_id"] == image["id"] and a["category_id"] == 1 and not a["iscrowd"]
                for x, y, width, height in [a["bbox"]]
            ]
            files[str(path)] = path
    return originals, boxes, files


def overlap(one: Box, other: Box) -> float:
    """Return the intersection over union."""
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = float(np.maximum(high - low, 0).prod())
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (one, other)]
    return shared / (sum(areas) - shared)


@needs_shared
@pytest.mark.sweep
@pytest.mark.skipif(not MODEL, reason="SCENESET_DETECTOR does not name an .onnx file")
def test_real_detector_finds_persons_of_real_photos_where_they_are() -> None:
    images, truth, files = read_truth()
    source = Originals(
        images, lambda one: files[one.recorded].read_bytes(), lambda _: pytest.fail("no mask")
    )
    choice = Choice(Path(MODEL), None, "", "", None, 0.35)
    found = detect(source, choice, Limits(), progress=no_progress)
    offsets, boxes = [], 0
    for key, detections in found.by_original.items():
        left = list(truth[key])
        boxes += len(detections)
        for detection in detections:
            best = max(left, key=lambda one: overlap(one, detection.sides), default=None)
            if best and overlap(best, detection.sides) >= 0.5:
                left.remove(best)
                sizes = np.array([best[2] - best[0], best[3] - best[1]] * 2)
                offsets.append((np.array(detection.sides) - best) / sizes)
    # NanoDet finds 151 of 284 persons at this score.
    assert len(offsets) >= 0.45 * sum(map(len, truth.values()))
    assert len(offsets) >= 0.6 * boxes
    assert np.abs(np.median(offsets, axis=0)).max() < 0.03
