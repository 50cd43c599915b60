"""Read an export with the library datasets of Hugging Face, image folder or parquet.

python read_datasets.py FOLDER
"""

import io
import sys
from pathlib import Path

import numpy as np
from datasets import Image, load_dataset
from PIL import Image as Picture
from rows import Rows

folder = sys.argv[1]
rows, features = Rows(), {}
for phase, split in load_dataset(folder).items():
    features = {name: str(feature) for name, feature in split.features.items()}
    for name in ("image", "mask"):
        assert isinstance(split.features[name], Image), features
    raw = split.cast_column("image", Image(decode=False)).cast_column("mask", Image(decode=False))
    for decoded, files in zip(split, raw, strict=True):
        image = files["image"]["bytes"] or Path(files["image"]["path"]).read_bytes()
        assert decoded["image"].size == decoded["mask"].size == Picture.open(io.BytesIO(image)).size
        rows.add(
            files["image"]["path"],
            image,
            np.asarray(decoded["mask"]),
            phase="val" if phase == "validation" else phase,
            fields={key: value for key, value in decoded.items() if key not in {"image", "mask"}},
        )
rows.print(features=features)
