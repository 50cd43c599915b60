"""A typical script: mean and deviation of float images, and unique mask values."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

folder = Path(sys.argv[1])
for path in sorted(folder.glob("img_dir/*/*.jpg")):
    pixels = np.asarray(Image.open(path).convert("RGB")) / 255.0
    pixels.mean((0, 1)), pixels.std((0, 1))
for path in sorted(folder.glob("ann_dir/*/*.png")):
    np.unique(np.asarray(Image.open(path)))
