"""Read COCO instances with the class COCO of pycocotools or of a package that replaces it.

python read_coco_api.py {pycocotools.coco,hotcoco} FOLDER
"""

import importlib
import json
import sys
from pathlib import Path

from rows import Rows, paint

library, folder = sys.argv[1], Path(sys.argv[2])
coco_class = importlib.import_module(library).COCO
rows, categories = Rows(), set()
for path in sorted((folder / "annotations").glob("instances_*.json")):
    phase = path.stem.removeprefix("instances_")
    coco = coco_class(str(path))
    categories |= {category["name"] for category in coco.loadCats(coco.getCatIds())}
    names = {c["id"]: c["name"] for c in coco.loadCats(coco.getCatIds())}
    for image in coco.loadImgs(coco.getImgIds()):
        entries = coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]]))
        regions = [(coco.annToMask(entry), bool(entry["iscrowd"])) for entry in entries]
        rows.add(
            image["file_name"],
            folder / "images" / phase / image["file_name"],
            paint((image["height"], image["width"]), regions),
            phase=phase,
            classes=sorted({names[entry["category_id"]] for entry in entries}),
            areas=json.loads(json.dumps([int(entry["area"]) for entry in entries])),
        )
rows.print(classes=sorted(categories))
