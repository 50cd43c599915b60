"""Write a JSON export of Label Studio with its SDK: brushes, or polygons converted from COCO.

python write_label_studio.py {brush,polygon} ARRAYS IMAGES TO
"""

import json
import shutil
import uuid

import numpy as np
from arrays import FORM, TO, Sample, samples
from label_studio_sdk.converter.brush import mask2rle
from label_studio_sdk.converter.imports.coco import convert_coco_to_ls


def brushes(sample: Sample, number: int) -> dict[str, object]:
    """Return the task of a sample, with brushes."""
    height, width = sample.instances.shape
    regions = [(inside, "person") for inside in sample.persons]
    regions += [(sample.ignored, "ignore")] * bool(sample.ignored.any())
    result = [
        {
            "id": uuid.uuid4().hex[:10],
            "type": "brushlabels",
            "from_name": "tag",
            "to_name": "image",
            "origin": "manual",
            "image_rotation": 0,
            "original_width": width,
            "original_height": height,
            "value": {
                "format": "rle",
                "rle": mask2rle(np.where(inside, 255, 0).astype(np.uint8)),
                "brushlabels": [label],
            },
        }
        for inside, label in regions
    ]
    return {
        "id": number,
        "data": {"image": f"/data/upload/1/{uuid.uuid4().hex[:8]}-{sample.image.name}"},
        "annotations": [{"id": number, "was_cancelled": False, "result": result}],
    }


def polygons(sample: Sample) -> list[tuple[int, list[float]]]:
    """Return the box of each person and of the ignored pixels, as category and polygon."""
    regions = [(1, inside) for inside in sample.persons]
    regions += [(2, sample.ignored)] * bool(sample.ignored.any())
    found = []
    for category, inside in regions:
        rows, columns = np.nonzero(inside)
        top, left = int(rows.min()), int(columns.min())
        bottom, right = int(rows.max()) + 1, int(columns.max()) + 1
        found.append((category, [left, top, right, top, right, bottom, left, bottom]))
    return found


(TO / "images").mkdir(parents=True)
tasks, content = [], {"images": [], "annotations": []}
content["categories"] = [{"id": 1, "name": "person"}, {"id": 2, "name": "ignore"}]
for number, sample in enumerate(samples(), 1):
    shutil.copy(sample.image, TO / "images")
    tasks.append(brushes(sample, number))
    height, width = sample.instances.shape
    content["images"].append(
        {"id": number, "file_name": sample.image.name, "width": width, "height": height}
    )
    for category, points in polygons(sample) if FORM == "polygon" else ():
        annotation = {"image_id": number, "category_id": category, "segmentation": [points]}
        content["annotations"].append(annotation)
if FORM == "brush":
    (TO / "project.json").write_text(json.dumps(tasks, ensure_ascii=False), "utf-8")
else:
    coco = TO.parent / "coco.json"
    coco.write_text(json.dumps(content), "utf-8")
    convert_coco_to_ls(str(coco), str(TO / "project.json"))
print("{}")
