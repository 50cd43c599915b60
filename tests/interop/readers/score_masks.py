"""Score predicted masks with other libraries.

    python score_masks.py TRUTH PREDICTED

Both are folders of PNG files with 0, 1 and 255 (ignored) of the same names.
"""

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import standins
import torch
from PIL import Image

standins.without_mmcv_ops()
from emc.conventions import run_metrics  # noqa: E402
from hotcoco.semantic import SemanticEval  # noqa: E402
from mmseg.evaluation import IoUMetric  # noqa: E402

BAND = 0.02


def band(mask: np.ndarray) -> np.ndarray:
    """Return the band of Boundary IoU as Cheng et al. publish it: pad, erode d times, subtract."""
    height, width = mask.shape
    distance = max(1, round(BAND * np.sqrt(height**2 + width**2)))
    padded = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    eroded = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=distance)
    return (mask - eroded[1 : height + 1, 1 : width + 1]).astype(bool)


def conventions(rows: list[dict], both: str, union: str) -> dict[str, float]:
    """Return what emc makes of the means of images, of any ratio of two numbers of pixels."""
    frame = pd.DataFrame(rows).assign(hd95_det=0.0)
    frame = frame.assign(biou_inter=frame[both], biou_union=frame[union])
    found = run_metrics(frame)
    names = ("N", "n_both_empty", "q", "r0", "biou_pos", "biou_c0", "biou_c1")
    return {name: float(found[name]) for name in names}


truths, predictions = map(Path, sys.argv[1:])
evaluator, rows = SemanticEval(["background", "person"]), []
for file in sorted(truths.iterdir()):
    truth, predicted = (np.asarray(Image.open(f / file.name)) for f in (truths, predictions))
    evaluator.update(truth, predicted)
    labels = (torch.from_numpy(mask.copy()).long() for mask in (predicted, truth))
    areas = IoUMetric.intersect_and_union(*labels, 2, 255)
    inter, union, pred, label = (int(area[1]) for area in areas)
    bands = [band((mask == 1).astype(np.uint8)) for mask in (truth, predicted)]
    rows.append(
        {
            "name": file.stem,
            "inter": inter,
            "union": union,
            "pred_area": pred,
            "gt_area": label,
            "accurate": int(sum(areas[0])),
            "labelled": int(sum(areas[3])),
            "band_inter": int((bands[0] & bands[1]).sum()),
            "band_union": int((bands[0] | bands[1]).sum()),
        }
    )
person = evaluator.results()["per_class"][1]
print(
    json.dumps(
        {
            "images": rows,
            "hotcoco": {"iou": person["IoU"], "recall": person["Acc"]}
            | {name: evaluator.results()[name] for name in ("aAcc", "mIoU")},
            "emc": conventions(rows, "inter", "union"),
            "emc_boundary": conventions(rows, "band_inter", "band_union"),
        }
    )
)
