"""Write tar shards with webdataset.

python write_webdataset.py shards ARRAYS IMAGES TO
"""

import numpy as np
import webdataset
from arrays import IGNORE, TO, samples

TO.mkdir()
with webdataset.ShardWriter(str(TO / "train-%06d.tar"), maxcount=3) as shards:
    for sample in samples():
        semantic = np.where(sample.ignored, IGNORE, sample.instances > 0).astype(np.uint8)
        shards.write(
            {
                "__key__": sample.stem,
                sample.image.suffix[1:]: sample.image.read_bytes(),
                "png": semantic,
                "json": {"caption": "a person"},
            }
        )
print("{}")
