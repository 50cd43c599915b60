"""Pack a drawn delivery as a vendor would send it: COCO in a zip, a folder for each scene."""

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from drawing.delivery import Plan
from sceneset.imaging.rle import uncompressed_coco
from sceneset.imaging.shapes import IGNORE, PERSON

_CATEGORIES = ({"id": 1, "name": "person"}, {"id": 2, "name": "ignore"})
_VALUES = {1: PERSON, 2: IGNORE}


def pack_coco(folder: Path, plans: Sequence[Plan], path: Path) -> None:
    """Write the drawn samples of a folder, each of one person, into a zip.

    The same samples give the same bytes.
    """
    phases: dict[str, dict[str, list[Any]]] = {}
    with zipfile.ZipFile(path, "w") as file:
        for number, sample in enumerate(plans, 1):
            image = folder / "img_dir" / sample.phase / f"{sample.stem}.jpg"
            mask = np.asarray(Image.open(folder / "ann_dir" / sample.phase / f"{sample.stem}.png"))
            name = f"{sample.scene}/{sample.stem}.jpg"
            _add(file, f"images/{name}", image.read_bytes())
            content = phases.setdefault(
                sample.phase, {"images": [], "annotations": [], "categories": [*_CATEGORIES]}
            )
            height, width = mask.shape
            content["images"].append(
                {"id": number, "file_name": name, "width": width, "height": height}
            )
            content["annotations"] += _annotations(number, mask)
        for phase, content in sorted(phases.items()):
            text = json.dumps(content, separators=(",", ":"))
            _add(file, f"annotations/instances_{phase}.json", text.encode())


def _annotations(image: int, mask: "np.ndarray[Any, Any]") -> list[dict[str, Any]]:
    return [
        {
            "id": 2 * image + category,
            "image_id": image,
            "category_id": category,
            "iscrowd": 0,
            "segmentation": {"size": [*mask.shape], "counts": uncompressed_coco(mask == value)},
        }
        for category, value in _VALUES.items()
        if (mask == value).any()
    ]


def _add(file: zipfile.ZipFile, name: str, data: bytes) -> None:
    file.writestr(zipfile.ZipInfo(name), data)  # with a fixed time
