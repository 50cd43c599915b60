"""Datumaro: compute mean and deviation of the images and find exact copies; no masks."""

import sys
from pathlib import Path

from datumaro import Dataset
from datumaro.components.operations import compute_image_statistics

for folder in Path(sys.argv[1]).glob("img_dir/*"):
    found = compute_image_statistics(Dataset.import_from(str(folder), "image_dir"))
    assert found["dataset"]["images count"] == len(list(folder.iterdir()))
