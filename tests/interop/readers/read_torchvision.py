"""Read exports with the datasets of torchvision, as tensors of transforms v2.

python read_torchvision.py coco FOLDER
python read_torchvision.py voc FOLDER
"""

import sys
from pathlib import Path

import numpy as np
import standins  # noqa: F401
from rows import Rows, paint
from torchvision import datasets, tv_tensors

form, folder = sys.argv[1], Path(sys.argv[2])
rows = Rows()


def read_coco() -> None:
    """Read each phase; masks come as tensors, one for each annotation."""
    for path in sorted((folder / "annotations").glob("instances_*.json")):
        phase = path.stem.removeprefix("instances_")
        found = datasets.CocoDetection(folder / "images" / phase, path)
        wrapped = datasets.wrap_dataset_for_transforms_v2(found, target_keys=("image_id", "masks"))
        for index in range(len(wrapped)):
            image, target = wrapped[index]
            entry = found.coco.loadImgs([target["image_id"]])[0]
            crowds = [bool(a["iscrowd"]) for a in found.coco.imgToAnns[target["image_id"]]]
            masks = target.get("masks", np.zeros((0, image.height, image.width)))
            assert not crowds or isinstance(masks, tv_tensors.Mask)
            regions = list(zip(np.asarray(masks), crowds, strict=True))
            mask = paint((image.height, image.width), regions)
            file = folder / "images" / phase / entry["file_name"]
            rows.add(entry["file_name"], file, mask, phase=phase)


def read_voc() -> None:
    """Read each image set of a VOCdevkit; 15 is a person and 255 is ignored."""
    for path in sorted((folder / "VOCdevkit/VOC2012/ImageSets/Segmentation").glob("*.txt")):
        if path.stem not in {"train", "val"}:
            continue
        found = datasets.VOCSegmentation(folder, image_set=path.stem)
        for index in range(len(found)):
            image, mask = found[index]
            assert image.size == mask.size
            file = found.images[index]
            values = np.asarray(mask)
            person = np.where(values == 15, 1, values)
            rows.add(Path(file).stem, file, person, phase=path.stem)


{"coco": read_coco, "voc": read_voc}[form]()
rows.print()
