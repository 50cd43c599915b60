"""Write parquet files of Hugging Face's datasets, with images and masks inside.

python write_datasets.py parquet ARRAYS IMAGES TO
"""

import io

import numpy as np
from arrays import IGNORE, TO, samples
from datasets import Dataset, Features, Image, Value
from PIL import Image as Picture


def png(array: np.ndarray) -> bytes:
    """Return an array as a PNG file."""
    out = io.BytesIO()
    Picture.fromarray(array).save(out, "PNG")
    return out.getvalue()


records = [
    {
        "image": {"bytes": sample.image.read_bytes(), "path": sample.image.name},
        "mask": {"bytes": png(semantic.astype(np.uint8)), "path": f"{sample.stem}.png"},
        "caption": "a person",
    }
    for sample in samples()
    for semantic in [np.where(sample.ignored, IGNORE, sample.instances > 0)]
]
features = Features({"image": Image(), "mask": Image(), "caption": Value("string")})
(TO / "data").mkdir(parents=True)
Dataset.from_list(records, features=features).to_parquet(TO / "data/train-00000-of-00001.parquet")
print("{}")
