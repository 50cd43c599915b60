"""Write a JSON export of Label Studio, with brushes encoded by its SDK.

python write_label_studio.py brush ARRAYS IMAGES TO
"""

import json
import shutil
import uuid

import numpy as np
from arrays import TO, samples
from label_studio_sdk.converter.brush import mask2rle

(TO / "images").mkdir(parents=True)
tasks = []
for number, sample in enumerate(samples(), 1):
    shutil.copy(sample.image, TO / "images")
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
    tasks.append(
        {
            "id": number,
            "data": {"image": f"/data/upload/1/{uuid.uuid4().hex[:8]}-{sample.image.name}"},
            "annotations": [{"id": number, "was_cancelled": False, "result": result}],
        }
    )
(TO / "project.json").write_text(json.dumps(tasks, ensure_ascii=False), "utf-8")
print("{}")
