"""Score masks with a library, on one thread; print the CPU seconds that the loop took.

    python score_masks.py LIBRARY PAIRS

PAIRS is a JSON file: a list of paths of a true mask and a prediction. LIBRARY is opencv, pillow,
mmseg or torchmetrics; this runs in build/interop.
"""

import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

library, listing = sys.argv[1], Path(sys.argv[2])
if library not in {"opencv", "pillow"}:
    sys.path.append(str(Path(__file__).resolve().parents[2] / "tests/interop/readers"))
    import standins
    import torch

    standins.without_mmcv_ops()
    torch.set_num_threads(1)

    def tensors(pair: list[np.ndarray]) -> list[torch.Tensor]:
        """Return masks as tensors, as a data loader gives them."""
        return [torch.from_numpy(mask.copy()) for mask in pair]


if library == "mmseg":
    from mmseg.evaluation import IoUMetric

    def score(truth: np.ndarray, predicted: np.ndarray) -> None:
        """Count a pair of masks."""
        one, two = tensors([predicted, truth])
        IoUMetric.intersect_and_union(one, two, 2, 255)

elif library == "torchmetrics":
    from torchmetrics.classification import BinaryJaccardIndex

    metric = BinaryJaccardIndex(ignore_index=255)

    def score(truth: np.ndarray, predicted: np.ndarray) -> None:
        """Count a pair of masks."""
        one, two = tensors([predicted, truth])
        metric.update(one, two)

else:

    def score(truth: np.ndarray, predicted: np.ndarray) -> None:
        """Do nothing."""


def decode(path: str) -> np.ndarray:
    """Return the values of a mask."""
    if library == "opencv":
        return cv2.imread(path, cv2.IMREAD_UNCHANGED)
    return np.asarray(Image.open(path))


cv2.setNumThreads(1)
pairs = json.loads(listing.read_text("utf-8"))
began = time.process_time()
for paths in pairs:
    score(*map(decode, paths))
print(time.process_time() - began)
