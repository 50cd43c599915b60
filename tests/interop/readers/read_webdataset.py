"""Read tar shards with the library webdataset.

python read_webdataset.py FOLDER
"""

import io
import sys
from pathlib import Path

import numpy as np
import webdataset
from PIL import Image
from rows import Rows

rows = Rows()
folder = Path(sys.argv[1])
for path in sorted(folder.rglob("*.tar")):
    for sample in webdataset.WebDataset(str(path), shardshuffle=False).decode():
        # decode() leaves images as bytes and reads JSON
        image = next(sample[suffix] for suffix in ("jpg", "jpeg", "image.png") if suffix in sample)
        mask = np.asarray(Image.open(io.BytesIO(sample["png"])))
        rows.add(sample["__key__"], image, mask, shard=path.name, json=sample["json"])
rows.print()
