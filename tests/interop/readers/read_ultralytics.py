"""Read an export with the datasets that Ultralytics trains on.

python read_ultralytics.py {segment,semantic} DATA_YAML
"""

import sys

import numpy as np
import standins  # noqa: F401
from rows import Rows, paint
from ultralytics.cfg import get_cfg
from ultralytics.data import build_yolo_dataset
from ultralytics.data.utils import check_det_dataset, polygon2mask

task, path = sys.argv[1:]
data = check_det_dataset(path, autodownload=False)
rows = Rows()
for phase in ("train", "val", "test"):
    if not data.get(phase):
        continue
    config = get_cfg(overrides={"task": task, "imgsz": 64})
    dataset = build_yolo_dataset(config, data[phase], batch=1, data=data, mode="val")
    for index, label in enumerate(dataset.labels):
        height, width = label["shape"]
        if task == "semantic":
            mask = dataset.load_mask(index, (height, width))
        else:
            scale = np.array([width, height], np.float32)
            # each segment is a person or, after ultralytics joined its parts, a part of one
            regions = [
                (polygon2mask((height, width), [(segment * scale).ravel()]), False)
                for segment in label["segments"]
            ]
            mask = paint((height, width), regions)
        dataset[index]  # the transforms run
        rows.add(label["im_file"], label["im_file"], mask, phase=phase)
rows.print(classes=list(data["names"].values()))
