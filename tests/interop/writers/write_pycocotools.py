"""Write COCO instances with the run lengths of pycocotools.

python write_pycocotools.py {compressed,uncompressed} ARRAYS IMAGES TO
"""

import json
import shutil

import numpy as np
from arrays import FORM, TO, samples
from pycocotools import mask as coco_mask


def segmentation(inside: np.ndarray) -> dict[str, object]:
    """Return a mask as run lengths."""
    runs = coco_mask.encode(np.asfortranarray(inside.astype(np.uint8)))
    if FORM == "compressed":
        return {"size": runs["size"], "counts": runs["counts"].decode("ascii")}
    flat = inside.ravel(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    counts = np.diff([0, *edges, len(flat)]).tolist()
    return {"size": runs["size"], "counts": [0, *counts] if flat[0] else counts}


content: dict[str, list[object]] = {
    "images": [],
    "annotations": [],
    "categories": [{"id": 7, "name": "person"}],
}
(TO / "images/train").mkdir(parents=True)
(TO / "annotations").mkdir()
number = 0
for image_id, sample in enumerate(samples(), 100):
    shutil.copy(sample.image, TO / "images/train")
    height, width = sample.instances.shape
    content["images"].append(
        {"id": image_id, "file_name": sample.image.name, "width": width, "height": height}
    )
    regions = [(inside, 0) for inside in sample.persons]
    regions += [(sample.ignored, 1)] * bool(sample.ignored.any())
    for inside, crowd in regions:
        number += 1
        runs = coco_mask.encode(np.asfortranarray(inside.astype(np.uint8)))
        content["annotations"].append(
            {
                "id": number,
                "image_id": image_id,
                "category_id": 7,
                "iscrowd": crowd,
                "segmentation": segmentation(inside),
                "area": int(coco_mask.area(runs)),
                "bbox": coco_mask.toBbox(runs).tolist(),
            }
        )
(TO / "annotations/instances_train.json").write_text(
    json.dumps(content, ensure_ascii=False), "utf-8"
)
print("{}")
