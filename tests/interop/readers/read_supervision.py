"""Read an export with the detection datasets of supervision.

python read_supervision.py coco IMAGES JSON
python read_supervision.py yolo IMAGES LABELS DATA_YAML
python read_supervision.py labelme IMAGES JSON_FOLDER
"""

import sys

import cv2
import numpy as np
from rows import Rows, paint
from supervision import DetectionDataset

form, *paths = sys.argv[1:]
load = {
    "coco": DetectionDataset.from_coco,
    "yolo": DetectionDataset.from_yolo,
    "labelme": DetectionDataset.from_labelme,
}[form]
dataset = load(*paths, force_masks=True)
rows = Rows()
for path, image, found in dataset:
    stored = cv2.imread(path, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    assert image.shape == stored.shape
    crowds = found.data.get("iscrowd", np.zeros(len(found)))
    masks = found.mask if found.mask is not None else []
    regions = [(inside, bool(crowd)) for inside, crowd in zip(masks, crowds, strict=True)]
    rows.add(path, path, paint(image.shape[:2], regions))
rows.print(classes=dataset.classes)
