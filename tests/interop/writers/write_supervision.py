"""Write an annotation format with supervision.

python write_supervision.py {coco,yolo,labelme} ARRAYS IMAGES TO
"""

import numpy as np
from arrays import FORM, TO, samples
from supervision import DetectionDataset, Detections, mask_to_xyxy

annotations, paths = {}, []
for sample in samples():
    path = str(sample.image)
    paths.append(path)
    masks = np.array(sample.persons) if sample.persons else np.zeros((0, *sample.instances.shape))
    masks = masks.astype(bool)
    annotations[path] = Detections(
        xyxy=mask_to_xyxy(masks), mask=masks, class_id=np.zeros(len(masks), int)
    )
dataset = DetectionDataset(classes=["person"], images=paths, annotations=annotations)
if FORM == "coco":
    dataset.as_coco(str(TO / "images/train"), str(TO / "annotations/instances_train.json"))
elif FORM == "yolo":
    dataset.as_yolo(str(TO / "images/train"), str(TO / "labels/train"), str(TO / "data.yaml"))
else:
    dataset.as_labelme(str(TO), str(TO))
print("{}")
