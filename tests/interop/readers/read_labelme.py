"""Read JSON files with labelme, and draw their shapes by its rules.

python read_labelme.py FOLDER
"""

import sys
from pathlib import Path

import numpy as np
import standins
from rows import IGNORE, PERSON, Rows

standins.without_labelme_window()
from labelme import LabelFile, utils  # noqa: E402

VALUES = {"__ignore__": IGNORE, "ignore": IGNORE, "_background_": 0, "person": PERSON}
rows = Rows()
for path in sorted(Path(sys.argv[1]).rglob("*.json")):
    if path.name == "sceneset.json":
        continue  # the record of the export
    file = LabelFile(str(path))
    image = path.parent / file.image_path
    shape = utils.img_data_to_pil(file.image_data).size[::-1]
    mask, _ = utils.shapes_to_label(shape, file.shapes, VALUES)
    groups = {entry["group_id"] for entry in file.shapes if entry["label"] == "person"}
    rows.add(path.stem, image, mask.astype(np.uint8), flags=file.flags, groups=len(groups))
rows.print()
