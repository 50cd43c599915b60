"""Deliveries in annotation formats with a damaged file: findings or masks, no other error.

Bytes are damaged here; tests/formats replaces values. A short seeded run is part of .ci/run; the
one marked "sweep" is as long as SCENESET_FUZZ says.
"""

import io
import json
import os
import random
import shutil
import tarfile
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sceneset.errors import FindingsError, UsageError
from sceneset.formats.archives import open_archives
from sceneset.formats.convert import convert
from sceneset.formats.registry import choose_format, find_format
from sceneset.formats.types import Options
from sceneset.imaging.rle import encode_coco
from sceneset.progress import no_progress
from sceneset.schemas.finding import errors_of
from sceneset.schemas.params import Limits
from support.formats import mutate
from support.spoil import spoiled

MORE = int(os.environ.get("SCENESET_FUZZ", "1"))
_CORNERS = [[2, 1], [12, 1], [12, 8], [2, 8]]
_FLAT = [value for corner in _CORNERS for value in corner]


def _picture(kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (20, 10), (40, 90, 30)).save(out, kind)
    return out.getvalue()


_VALUES = np.zeros((10, 20), np.uint8)
_VALUES[1:8, 2:12] = 1


def _mask(*, in_colours: bool = False) -> bytes:
    out, mask = io.BytesIO(), Image.fromarray(_VALUES)
    if in_colours:
        mask = Image.merge(
            "RGB", [mask.point(lambda value: 128 * value), *[mask.point(lambda _: 0)] * 2]
        )
    mask.save(out, "PNG")
    return out.getvalue()


def _json(content: object) -> bytes:
    return json.dumps(content, indent=1).encode()


def _shard() -> bytes:
    members = {"a.jpg": _picture(), "a.png": _mask(), "a.json": b'{"scenes": ["ski"]}'}
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


_COCO_IMAGES = [
    {"id": 1, "file_name": "a.jpg", "width": 20, "height": 10},
    {"id": 2, "file_name": "b.jpg", "width": 20, "height": 10},
]
_COCO_SHAPES = [
    {"id": 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "segmentation": [_FLAT]},
    {
        "id": 2,
        "image_id": 2,
        "category_id": 1,
        "iscrowd": 1,
        "segmentation": {"size": [10, 20], "counts": [0, 120, 80]},
    },
    {
        "id": 3,
        "image_id": 2,
        "category_id": 1,
        "iscrowd": 0,
        "segmentation": {"size": [10, 20], "counts": encode_coco(_VALUES)},
    },
]
DELIVERIES: dict[str, dict[str, bytes]] = {
    "coco": {
        "annotations/instances_train2017.json": _json(
            {
                "images": _COCO_IMAGES,
                "annotations": _COCO_SHAPES,
                "categories": [{"id": 1, "name": "person"}],
            }
        ),
        "train2017/a.jpg": _picture(),
        "train2017/b.jpg": _picture(),
    },
    "yolo": {
        "data.yaml": b"path: .\ntrain: images/train\nnames:\n  0: dog\n  1: person\n",
        "labels/train/a.txt": b"1 0.1 0.1 0.6 0.1 0.6 0.8 0.1 0.8\n0 0.5 0.5 0.7 0.5 0.7 0.9\n",
        "images/train/a.jpg": _picture(),
    },
    "labelme": {
        "a.json": _json(
            {
                "version": "5.5.0",
                "flags": {},
                "shapes": [
                    {
                        "label": "person",
                        "points": _CORNERS,
                        "shape_type": "polygon",
                        "group_id": None,
                    }
                ],
                "imagePath": "a.jpg",
                "imageData": None,
                "imageHeight": 10,
                "imageWidth": 20,
            }
        ),
        "a.jpg": _picture(),
    },
    "cvat": {
        "annotations.xml": b"""<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version>
<meta><task><id>7</id><name>clip 3</name><size>1</size>
<labels><label><name>person</name></label></labels></task></meta>
<image id="0" name="a.jpg" width="20" height="10">
<polygon label="person" occluded="0" z_order="0" points="2,1;12,1;12,8;2,8"></polygon>
<ellipse label="person" z_order="0" cx="9" cy="5" rx="3" ry="2"></ellipse>
</image></annotations>""",
        "images/a.jpg": _picture(),
    },
    "voc": {
        "SegmentationClass/a.png": _mask(in_colours=True),
        "ImageSets/Segmentation/train.txt": b"a\n",
        "labelmap.txt": b"# label:color_rgb:parts:actions\nbackground:0,0,0::\nperson:128,0,0::\n",
        "JPEGImages/a.jpg": _picture(),
    },
    "masks": {"masks/a.png": _mask(), "images/a.jpg": _picture()},
    "hf": {
        "train/metadata.jsonl": b'{"file_name": "a.jpg", "mask_file_name": "masks/a.png"}\n',
        "train/masks/a.png": _mask(),
        "train/a.jpg": _picture(),
    },
    "webdataset": {"train-000000.tar": _shard()},
}
"""A good delivery in each of some formats."""
DAMAGED = [
    (form, file)
    for form, files in DELIVERIES.items()
    for file in files
    if not file.endswith(".jpg")
]


def _convert(form: str, files: dict[str, bytes], folder: Path) -> tuple[int, list[str]]:
    """Write a delivery and convert it; return how many masks it has, and the codes of errors."""
    shutil.rmtree(folder, ignore_errors=True)
    for name, data in files.items():
        path = folder / "delivery" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    (folder / "work").mkdir()
    opened = open_archives(folder / "delivery", folder / "work/archives")
    tree = opened.tree(folder / "work/files")
    with suppress(FindingsError, UsageError):  # people may give the format with --format
        choose_format(tree)
    done = convert(
        find_format(form),
        tree,
        Options(),
        folder / "work",
        limits=Limits(min_side=1),
        progress=no_progress,
    )
    for one in done.layout.findings:
        assert one.message
        assert "Traceback" not in one.message
    return len(done.layout.masks), [one.code for one in errors_of(done.layout.findings)]


def _damaged(data: bytes, seed: int, file: str) -> bytes:
    chance = random.Random(seed)
    if file.endswith(".json") and chance.random() < 0.5:
        content = json.loads(data)
        for _ in range(chance.randrange(1, 4)):
            mutate(content, chance)
        return json.dumps(content).encode()
    return spoiled(data, seed)


@pytest.mark.parametrize("form", DELIVERIES)
def test_the_undamaged_delivery_is_converted(form: str, tmp_path: Path) -> None:
    masks, errors = _convert(form, DELIVERIES[form], tmp_path / "d")
    assert masks == (2 if form == "coco" else 1)
    assert errors == []


@pytest.mark.parametrize(
    "seeds",
    [range(10), pytest.param(range(10, 10 + 100 * MORE), marks=pytest.mark.sweep)],
    ids=["short", "long"],
)
@pytest.mark.parametrize(("form", "file"), DAMAGED)
def test_a_damaged_file_gives_findings_or_masks(
    form: str, file: str, seeds: range, tmp_path: Path
) -> None:
    good = DELIVERIES[form]
    for seed in seeds:
        refusal: FindingsError | UsageError | None = None
        try:
            _convert(form, good | {file: _damaged(good[file], seed, file)}, tmp_path / "d")
        except (FindingsError, UsageError) as error:
            refusal = error
        if isinstance(refusal, FindingsError):
            assert errors_of(refusal.findings), (seed, "a refusal has errors")
