"""Write JSON files with labelme, each person as a mask shape.

python write_labelme.py mask ARRAYS IMAGES TO
"""

import shutil
import sys
from pathlib import Path

from arrays import TO, Sample, samples

sys.path.append(str(Path(__file__).parents[1] / "readers"))
import standins

standins.without_labelme_window()
import numpy as np  # noqa: E402
from labelme import LabelFile, utils  # noqa: E402


def shape(inside: np.ndarray, label: str) -> dict[str, object]:
    """Return a mask as labelme's window saves it: a bitmap in its box."""
    (top, left, bottom, right) = utils.masks_to_bboxes(inside[None])[0].astype(int).tolist()
    return {
        "label": label,
        "points": [[left, top], [right - 1, bottom - 1]],
        "group_id": None,
        "description": "",
        "shape_type": "mask",
        "flags": {},
        "mask": utils.img_arr_to_b64(inside[top:bottom, left:right].astype(np.uint8)),
    }


def write(sample: Sample) -> None:
    """Write one file, and the image beside it."""
    shutil.copy(sample.image, TO)
    shapes = [shape(inside, "person") for inside in sample.persons]
    if sample.ignored.any():
        shapes.append(shape(sample.ignored, "__ignore__"))
    height, width = sample.instances.shape
    LabelFile().save(str(TO / f"{sample.stem}.json"), shapes, sample.image.name, height, width)


TO.mkdir()
for one in samples():
    write(one)
print("{}")
