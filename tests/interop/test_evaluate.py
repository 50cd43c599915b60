"""`sceneset evaluate` gives the numbers of other libraries, on real masks.

Compared are mmsegmentation (IoU), hotcoco (IoU, accuracy, recall), emc (conventions for empty
masks), and the code of Boundary IoU.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy.io import loadmat

from sceneset.evaluation.counts import Counts, read_counts
from sceneset.evaluation.measures import Empty
from sceneset.evaluation.report import evaluate
from support.build import NAME, SHARED, needs_shared
from support.interop import Programs

DATA = SHARED / "data"
CARRIED = (2, 33, 56)  # classes of drop E that are no part of a person
TIGHT = {"rel": 0, "abs": 1e-9}


class Scored(NamedTuple):
    """One folder of true masks, one of predictions, and what evaluate counts."""

    truth: Path
    predicted: Path
    counts: Counts


def drop_a() -> Iterator[tuple[Path, np.ndarray]]:
    """Yield photos with masks of their size."""
    for file in sorted((DATA / "drop_A_vikram/Ground_Truth").glob("*.png")):
        image = DATA / f"drop_A_vikram/Training_Images/{file.stem}.jpg"
        mask = np.asarray(Image.open(file).convert("L"))
        with Image.open(image) as photo:
            if photo.size == mask.shape[::-1] and photo.mode == "RGB":
                yield image, (mask > 127).astype(np.uint8)


def drop_c() -> Iterator[tuple[Path, np.ndarray]]:
    """Yield photos with masks that have ignored borders."""
    folder = DATA / "drop_C_voc_palette/VOCdevkit/person"
    for file in sorted((folder / "SegmentationClass").glob("*.png")):
        classes = np.asarray(Image.open(file))
        mask = np.where(classes == 255, 255, classes == 15).astype(np.uint8)
        yield folder / f"JPEGImages/{file.stem}.jpg", mask


def drop_e() -> Iterator[tuple[Path, np.ndarray]]:
    """Yield photos with masks; that of 0536 is empty."""
    for stem in (*(f"{number:04}" for number in range(1, 25)), "0536"):
        classes = loadmat(DATA / f"drop_E_ccp/annotations/pixel-level/{stem}.mat")["groundtruth"]
        mask = ((classes > 0) & ~np.isin(classes, CARRIED)).astype(np.uint8)
        yield DATA / f"drop_E_ccp/photos/{stem}.jpg", mask


def predicted_for(number: int, mask: np.ndarray) -> np.ndarray:
    """Return a prediction: one of seven kinds of errors."""
    person = (mask == 1).astype(np.uint8)
    kinds = {
        0: lambda: person,
        1: lambda: cv2.erode(person, np.ones((5, 5), np.uint8)),
        2: lambda: cv2.dilate(person, np.ones((9, 9), np.uint8)),
        3: lambda: np.roll(person, (4, -7), axis=(0, 1)),
        4: lambda: np.ascontiguousarray(person[:, ::-1]),
        5: lambda: np.zeros_like(person),
        6: lambda: np.roll(cv2.erode(person, np.ones((3, 3), np.uint8)), 30, axis=1),
    }
    return kinds[number % len(kinds)]()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, _empty_registry: Path) -> dict[str, Scored]:
    """Each drop in a subset of its own, with predictions, evaluated by the command."""
    home = tmp_path_factory.mktemp("drops")
    root = Path(shutil.copytree(_empty_registry, home / "registry", symlinks=True))
    found = {}
    for letter, drop in (("a", drop_a), ("c", drop_c), ("e", drop_e)):
        delivery, run = home / letter / "delivery", home / letter / "predicted"
        truth = delivery / "ann_dir/train"
        for folder in (delivery / "img_dir/train", truth, delivery / "split_dir", run):
            folder.mkdir(parents=True)
        for number, (image, mask) in enumerate(drop()):
            shutil.copy(image, delivery / "img_dir/train")
            Image.fromarray(mask).save(truth / f"{image.stem}.png")
            Image.fromarray(predicted_for(number, mask)).save(run / f"{image.stem}.png")
        stems = [file.stem for file in sorted(truth.iterdir())]
        (delivery / "split_dir/total.txt").write_text("".join(f"{stem}\n" for stem in stems))
        name = NAME.replace("web", f"drop{letter}")
        to = home / letter / "counts.parquet"
        for words in (
            ("add", delivery, "--name", name, "--all"),
            ("evaluate", run, "--subset", name, "--to", to),
        ):
            command = [sys.executable, "-m", "sceneset", *map(str, words)]
            done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
        found[letter] = Scored(truth, run, read_counts(to))
        assert len(found[letter].counts.compared) == len(stems)
    return found


def measures(counts: Counts, empty: Empty = Empty.ONE) -> dict[str, float]:
    estimates = evaluate(counts, empty=empty, by=()).estimates
    return {name: interval.value for name, interval in estimates[0].measures.items()}


@needs_shared
@pytest.mark.parametrize("drop", ["a", "c", "e"])
def test_evaluate_equals_mmsegmentation_and_hotcoco(
    drop: str, runs: dict[str, Scored], programs: Programs
) -> None:
    run = runs[drop]
    peers = programs.run("readers/score_masks.py", run.truth, run.predicted)
    images = {row["name"]: row for row in peers["images"]}
    for row in run.counts.compared.to_pylist():
        areas = images[row["stem"]]
        shared = areas["inter"], areas["pred_area"], areas["gt_area"]
        assert (row["both"], row["predicted"], row["truth"]) == shared, row["stem"]
        pixels = row["width"] * row["height"] - row["ignored"]
        assert areas["labelled"] == pixels
    found = measures(run.counts)
    inter, union = (sum(row[name] for row in images.values()) for name in ("inter", "union"))
    assert found["dataset_iou"] == pytest.approx(inter / union, **TIGHT)
    accurate, labelled = (
        sum(row[name] for row in images.values()) for name in ("accurate", "labelled")
    )
    assert found["accuracy"] == pytest.approx(accurate / labelled, **TIGHT)
    hotcoco = peers["hotcoco"]
    assert found["dataset_iou"] == pytest.approx(hotcoco["iou"], **TIGHT)
    assert found["accuracy"] == pytest.approx(hotcoco["aAcc"], **TIGHT)
    assert found["recall"] == pytest.approx(hotcoco["recall"], **TIGHT)
    assert 0.3 < found["dataset_iou"] < 0.95
    assert drop != "c" or any(run.counts.table["ignored"].to_pylist())


@needs_shared
@pytest.mark.parametrize("drop", ["a", "e"])  # no code of Boundary IoU knows ignored pixels
def test_evaluate_equals_the_code_of_boundary_iou(
    drop: str, runs: dict[str, Scored], programs: Programs
) -> None:
    run = runs[drop]
    peers = programs.run("readers/score_masks.py", run.truth, run.predicted)
    images = {row["name"]: row for row in peers["images"]}
    for row in run.counts.compared.to_pylist():
        one, two, both = (row[f"band_{name}_0.02"] for name in ("truth", "predicted", "both"))
        bands = images[row["stem"]]
        assert (both, one + two - both) == (bands["band_inter"], bands["band_union"]), row["stem"]
    inter, union = (sum(row[f"band_{n}"] for row in images.values()) for n in ("inter", "union"))
    found = measures(run.counts)["dataset_boundary_iou_0.02"]
    assert found == pytest.approx(inter / union, **TIGHT)


@needs_shared
@pytest.mark.parametrize("drop", ["a", "c", "e"])
def test_conventions_for_empty_masks_equal_those_of_emc(
    drop: str, runs: dict[str, Scored], programs: Programs
) -> None:
    run = runs[drop]
    peers = programs.run("readers/score_masks.py", run.truth, run.predicted)
    emc = [("image_iou", peers["emc"])]
    if drop != "c":
        emc.append(("image_boundary_iou_0.02", peers["emc_boundary"]))
    for name, expected in emc:
        found = {empty: measures(run.counts, empty) for empty in Empty}
        assert found[Empty.ONE][name] == pytest.approx(expected["biou_c1"], **TIGHT)
        assert found[Empty.ZERO][name] == pytest.approx(expected["biou_c0"], **TIGHT)
        assert found[Empty.POSITIVE][name] == pytest.approx(expected["biou_pos"], **TIGHT)
        counted = expected["N"] - expected["n_both_empty"]
        skipped = expected["biou_c0"] * expected["N"] / counted
        assert found[Empty.SKIP][name] == pytest.approx(skipped, **TIGHT)
        rates = found[Empty.ONE]["miss_rate"], found[Empty.ONE]["false_alarm_rate"]
        assert rates == pytest.approx((expected["q"], expected["r0"]), nan_ok=True, **TIGHT)
        assert rates[0] > 0
